// A verb that answers page after page (list, replay), asked until there are no more. On the loop.
#pragma once

#include <functional>
#include <string>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

class Pages {
 public:
  /// Both outlive it.
  Pages(Connection& connection, Output& output, std::string verb)
      : connection_(connection), output_(output), verb_(std::move(verb)) {}

  /// `take` gets the data of each page, and says whether it wants the next; `done` is called once behind the last one.
  /// With `told`, --json shows each reply as it came.
  struct Reader {
    std::function<bool(const Json& data)> take;
    std::function<void()> done;
    bool told = false;
  };
  void read(Json after, Reader reader);

 private:
  void ask(Json after);
  void heard(const Json& after, const Json& data);

  Connection& connection_;
  Output& output_;
  const std::string verb_;
  Reader reader_;
  int pages_ = 0;
};

}  // namespace dfota::ctl
