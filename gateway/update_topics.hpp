// R/module/<id>/update: the state as Home Assistant's update entity takes it, with the keys that it knows and no other:
// one unknown key, or a null where a string belongs, and it drops the whole message. Its keys are sticky, so the last
// one of an update says that there is no progress any more. update_payload() is pure; UpdateTopics decides when one is
// published: on a change only, and while an update runs not more often than every so often. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/releases.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

struct UpdateView {
  std::string model, version;     ///< empty: the module has not said it
  std::optional<Release> newest;  ///< nothing: none is newer
  bool in_progress = false;
  std::optional<int> percent;  ///< of the whole way
};

nlohmann::json update_payload(const UpdateView& view);

/// Of a way of so many deltas, so many of which are done, and of the one that is under way.
int percent_of_way(std::size_t done, std::size_t hops, int percent_of_hop);

class UpdateTopics {
 public:
  static constexpr auto kEvery = std::chrono::seconds(2);
  static constexpr auto kLook = std::chrono::milliseconds(500);  ///< what waits is looked at so often

  /// What there is to tell of a module now, but for the percentage.
  using Look = std::function<UpdateView(const std::string& module)>;
  using Publish = std::function<void(const std::string& module, const nlohmann::json& document)>;

  UpdateTopics(asio::io_context& loop, Look look, Publish publish);

  /// Something of the module may be different.
  void changed(const std::string& module);
  void progress(const std::string& module, int percent);
  /// Of all of these, but not at once: an operator adds artifacts by the dozen.
  void change_soon(const std::vector<std::string>& modules);
  /// The broker may have forgotten: whatever comes next is published.
  void publish_again() { shown_.clear(); }
  void forget(const std::string& module);

 private:
  struct Shown {
    nlohmann::json document;
    bool in_progress = false;
    Clock::time_point at;
  };

  void wait_for(const std::string& module);
  void show(const std::string& module);
  Awaitable<> show_waiting();

  asio::io_context& loop_;
  Look look_;
  Publish publish_;
  std::map<std::string, Shown> shown_;  ///< what was published last
  std::map<std::string, int> percents_;
  std::set<std::string> waiting_;
  bool showing_ = false;
};

}  // namespace dfota
