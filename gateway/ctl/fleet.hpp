// Which gateways there are below the topic root, and which of them have answered a question to all. Pure; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dfota::ctl {

/// The gateway that a topic <topic_root>/<gateway>/... is of.
std::optional<std::string> gateway_of(const std::string& root, const std::string& topic);

class Fleet {
 public:
  /// What is retained on <topic_root>/<gateway>/status and info.
  void heard_status(const std::string& gateway, bool online);
  void heard_info(const std::string& gateway);

  [[nodiscard]] std::vector<std::string> online() const { return those(true); }
  [[nodiscard]] std::vector<std::string> offline() const { return those(false); }
  [[nodiscard]] bool empty() const { return online_.empty(); }

  /// nullopt: nothing was heard of it.
  [[nodiscard]] std::optional<bool> is_online(const std::string& gateway) const;

 private:
  [[nodiscard]] std::vector<std::string> those(bool online) const;

  std::map<std::string, bool> online_;
};

/// The answers to one question: each gateway has one, is silent because nothing of it is its own, or is missing.
class Round {
 public:
  explicit Round(const std::vector<std::string>& awaited) : awaited_(awaited.begin(), awaited.end()) {}

  /// False: it has answered, or was silent, before.
  bool answered(const std::string& gateway);
  void silent(const std::string& gateway);
  [[nodiscard]] bool complete() const { return awaited_.empty(); }
  [[nodiscard]] bool nobody_answered() const { return answered_.empty(); }
  [[nodiscard]] bool somebody_was_silent() const { return !silent_.empty(); }
  [[nodiscard]] const std::set<std::string>& missing() const { return awaited_; }

 private:
  std::set<std::string> awaited_, answered_, silent_;
};

}  // namespace dfota::ctl
