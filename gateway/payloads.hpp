// Topics and payloads of the contract, built from the gateway's state. Pure functions: tested without a broker. Any
// thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/config.hpp"
#include "gateway/job.hpp"
#include "gateway/progress.hpp"
#include "modem/module.hpp"

namespace dfota {

/// R and what is under it (contract, "Topics").
class Topics {
 public:
  Topics(const std::string& topic_root, const std::string& gateway)
      : topic_root_(topic_root), root_(topic_root + "/" + gateway) {}

  [[nodiscard]] std::string commands() const { return root_ + "/cmd/+"; }
  [[nodiscard]] std::string commands_to_all() const { return topic_root_ + "/all/cmd/+"; }
  [[nodiscard]] std::string command(const std::string& verb) const { return root_ + "/cmd/" + verb; }
  [[nodiscard]] std::string reply(const std::string& verb) const { return root_ + "/rsp/" + verb; }
  [[nodiscard]] std::string hold() const { return root_ + "/hold"; }
  [[nodiscard]] std::string status() const { return root_ + "/status"; }
  [[nodiscard]] std::string gateway_error(const std::string& code) const { return root_ + "/error/gateway/" + code; }
  [[nodiscard]] std::string info() const { return root_ + "/info"; }
  [[nodiscard]] std::string module(const std::string& id, const std::string& what) const {
    return root_ + "/module/" + id + "/" + what;
  }
  [[nodiscard]] std::string error(const std::string& module, const UpdateError& error) const;
  [[nodiscard]] std::string job_state(const std::string& job) const { return root_ + "/job/" + job + "/state"; }
  /// Filters under which a reply may be asked for without being named in mqtt.response_topics.
  [[nodiscard]] std::vector<std::string> response_filters() const {
    return {root_ + "/rsp/#", topic_root_ + "/client/#"};
  }
  [[nodiscard]] const std::string& topic_root() const { return topic_root_; }
  /// What stands behind R; empty for another topic.
  [[nodiscard]] std::string below(const std::string& topic) const {
    return topic.starts_with(root_ + "/") ? topic.substr(root_.size() + 1) : std::string();
  }

 private:
  std::string topic_root_, root_;
};

/// What every payload begins with.
nlohmann::json payload(const std::string& gateway);

/// As it is published: an idle module that a job waits for is queued.
Phase phase_of(const Module& module, const std::string& job);

nlohmann::json module_state_payload(const std::string& gateway, const Module& module, const std::string& job,
                                    const std::string& last_result, const nlohmann::json& last_error);
/// A module's row in the reply to cmd/scan: what it is, and what would stop a download now.
nlohmann::json scan_row(const Module& module, const std::string& problem, const std::optional<NetworkState>& network);
nlohmann::json progress_payload(const std::string& gateway, const Job& job, const Part& part,
                                const UpdateProgress& progress, const DownloadRate::Reading& reading);
/// Of a part that has ended.
nlohmann::json result_payload(const std::string& gateway, std::uint64_t seq, const Job& job, const Part& part);
nlohmann::json error_payload(const std::string& gateway, std::uint64_t seq, const Job& job, const std::string& module,
                             unsigned attempt, const UpdateError& error, std::optional<WallTime> next_attempt_at);
nlohmann::json counts_of(const Job& job);
/// "queued", "running", or the outcome.
std::string_view part_word(const Part& part);
/// `seq` 0: not the last one.
nlohmann::json job_state_payload(const std::string& gateway, std::uint64_t seq, const Job& job);

}  // namespace dfota
