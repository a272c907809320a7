// A verb that answers page after page (list, replay, transcript), asked until there are no more. On the loop.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

class Pages {
 public:
  /// Both outlive it.
  Pages(Connection& connection, Output& output, std::string verb)
      : connection_(connection), output_(output), verb_(std::move(verb)) {}

  /// `take` gets the data of each page of each gateway, and says whether it wants its next; `done` is called once
  /// behind the last one. With `told`, --json shows each reply as it came.
  struct Reader {
    std::function<bool(const std::string& gateway, const Json& data)> take;
    std::function<void()> done;
    bool told = false;
    Json body = Json::object();  ///< what each page is asked with, beside its `after`
  };
  void read(Json after, Reader reader);

 private:
  void ask(const Json& after, std::vector<std::string> of);
  void heard(const Json& after, const std::string& gateway, const Json& data);
  void round_ended();

  Connection& connection_;
  Output& output_;
  const std::string verb_;
  Reader reader_;
  std::map<std::string, Json> next_;  ///< of the gateways that have more
  int pages_ = 0;
};

}  // namespace dfota::ctl
