// Every command but for how it came: a verb and a JSON document to a reply, decided on the loop and in the journal
// before the reply is there. cmd/update is read by update_command.cpp, those of
// artifacts by artifact_commands.cpp; the others are read here. Loop thread only.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "gateway/answer.hpp"
#include "gateway/artifact_commands.hpp"
#include "gateway/install_command.hpp"
#include "gateway/jobs.hpp"
#include "gateway/journal.hpp"
#include "gateway/listing.hpp"
#include "gateway/rehearse_command.hpp"
#include "gateway/scan_command.hpp"
#include "gateway/transcript_command.hpp"

namespace dfota {

class Commands {
 public:
  static constexpr std::size_t kMaxOutbox = 100000;  ///< unacknowledged rows; beyond, no new job is taken: outbox_full

  /// What they reach beside the jobs: MqttApi.
  struct World {
    /// Publishes an old result or error once more, as it was.
    std::function<void(const OutboxRow& row)> publish_again;
    /// A module that was found is none of the gateway's any more; false: it is configured, or it is there.
    std::function<bool(const std::string& module)> drop_module;
    /// Takes the retained topics of a module back that is not configured any more.
    std::function<void(const std::string& module)> forget_module;
    std::function<std::size_t()> outbox_size;
    std::function<nlohmann::json()> about;  ///< what cmd/ping is answered with
    LastErrorOf last_error_of;
    NewestReleaseOf newest_release_of;
  };

  /// All must outlive it.
  Commands(asio::io_context& loop, const Config& config, Jobs& jobs, const Jobs::Modules& modules,
           ArtifactCommands& artifacts, FileServer& files, Transcripts& transcripts, Journal& journal, World world);

  using Answer = dfota::Answer;
  /// The answer, once what it says is in the journal. Error: it is not, the sender is to be asked again.
  Awaitable<Result<Answer>> run(std::string verb, nlohmann::json document, bool to_all);

 private:
  using Reply = std::variant<nlohmann::json, CommandFault>;  ///< its data

  Awaitable<Result<Answer>> update(nlohmann::json document, bool to_all);
  Awaitable<Result<Answer>> install(nlohmann::json document, bool to_all);
  Awaitable<Result<Answer>> submit(UpdateCommand command, bool to_all);
  Awaitable<Result<Answer>> replay(nlohmann::json document);
  Awaitable<Result<Answer>> commit(nlohmann::json reply);
  Reply decide(const std::string& verb, const nlohmann::json& document);
  Reply cancel(const nlohmann::json& document);
  Reply set_paused(const nlohmann::json& document, bool paused);
  Reply retry(const nlohmann::json& document);
  Reply forget(const nlohmann::json& document);
  Reply hand_over(const nlohmann::json& document, bool release);
  Reply list(const nlohmann::json& document) const;
  [[nodiscard]] nlohmann::json summary(const Job& job) const;
  void warn_of_clock(const Job& job, nlohmann::json& reply) const;

  const Config& config_;
  Jobs& jobs_;
  const Jobs::Modules& modules_;
  ArtifactCommands& artifacts_;
  Journal& journal_;
  World world_;
  ScanCommand scans_;
  RehearseCommand rehearsals_;
  TranscriptCommand transcripts_;
  std::string retried_;  ///< the job that begins once the decision is in the journal
};

}  // namespace dfota
