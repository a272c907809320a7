// The gateway's face on MQTT: commands in, replies out, and everything that is published. The message handler runs on
// Paho's thread and waits there until the loop has decided and the journal has it, for Paho acknowledges when it
// returns; all else here is on the loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "config/config.hpp"
#include "gateway/commands.hpp"
#include "gateway/home_assistant.hpp"
#include "gateway/jobs.hpp"
#include "gateway/last_errors.hpp"
#include "gateway/outbox.hpp"
#include "gateway/payloads.hpp"
#include "gateway/update_topics.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota {

class MqttApi : public JobListener {
 public:
  static constexpr auto kCommitLimit = std::chrono::seconds(20);  ///< well below 1.5 keep-alives
  static constexpr auto kJournalUnavailable = "journal_unavailable";
  static constexpr auto kJobStateEvery = std::chrono::seconds(1);
  /// How long a broker keeps them for whoever is away (MQTT 5).
  static constexpr auto kProgressLife = std::chrono::seconds(60);
  static constexpr auto kReplyLife = std::chrono::hours(1);

  /// `password`: of mqtt.password_file. `outbox`, `facts`: of the journal, from before.
  MqttApi(asio::io_context& loop, const Config& config, const std::string& password, Journal& journal,
          std::vector<OutboxRow> outbox, const std::map<std::string, std::string>& facts);
  ~MqttApi() override;

  /// Connects; commands go to these from now on. All must outlive it.
  void start(Jobs& jobs, const Jobs::Modules& modules, ArtifactCommands& artifacts, Releases& releases,
             FileServer& files, Transcripts& transcripts);
  /// Commands are not taken any more (the broker keeps them).
  void stop_taking() { taking_ = false; }
  /// Publishes what waits, says offline, disconnects.
  void stop(std::chrono::milliseconds patience);

  /// Another client has our client id. On the loop.
  std::function<void()> on_taken_over;
  /// A module that was found is to be forgotten: false when it is configured, or there.
  std::function<bool(const std::string& module)> on_forget_module;
  /// What is told of the gateway's state, whether there is a broker or not: what stands behind R in its topic, and the
  /// payload, which is empty once the thing is gone.
  std::function<void(const std::string& what, const std::string& payload)> on_shown;
  /// The documents of R/info and R/module/<id>/state, as they would be published now.
  [[nodiscard]] nlohmann::json info_document() const;
  [[nodiscard]] nlohmann::json module_document(const Module& module) const;
  /// From start() on.
  [[nodiscard]] Commands& commands() { return *commands_; }
  /// A fault of the gateway itself, told on R/error/gateway/<code> and under `problems` of R/info as long as it lasts.
  void set_problem(const std::string& code, const std::string& message);
  void clear_problem(const std::string& code);
  /// One that has passed by the time it is told.
  void report_fault(const std::string& code, const std::string& message);
  /// What lasts of it, and how often each was told since the start.
  [[nodiscard]] const std::set<std::string>& problems() const { return problems_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& faults() const { return faults_; }
  [[nodiscard]] bool connected() const { return mqtt_.connected(); }
  [[nodiscard]] std::uint64_t connections() const { return connections_; }  ///< to the broker, since the start
  [[nodiscard]] std::size_t outbox_rows() const { return outbox_.size(); }
  /// Other releases may be the newest ones.
  void catalog_changed();

  // JobListener
  void update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                       const DownloadRate::Reading& reading) override;
  void update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                    std::optional<WallTime> next_attempt_at) override;
  void job_changed(const Job& job) override;
  void part_ended(const Job& job, const Part& part) override;
  std::uint64_t job_ended(const Job& job) override;
  void job_forgotten(const Job& job) override;
  void hold_changed() override { publish_info(); }
  void clock_needed(bool in_vain) override;
  void module_changed(const Module& module) override;

 private:
  [[nodiscard]] MqttOptions options() const;
  [[nodiscard]] MqttOptions connection_options() const;
  MqttClient::Handlers handlers();
  bool take_message(const MqttMessage& message);
  Awaitable<> handle(MqttMessage message, std::shared_ptr<std::promise<bool>> acknowledged);
  Awaitable<Result<Commands::Answer>> answer(const MqttMessage& message, std::string verb);
  Awaitable<Result<void>> take_hold(const MqttMessage& message);
  [[nodiscard]] bool response_topic_allowed(const std::string& topic) const;
  void send_reply(const MqttMessage& message, const std::string& verb, nlohmann::json reply);
  static MqttPublication retained(const std::string& topic, const nlohmann::json& document);
  [[nodiscard]] MqttPublication fault_publication(const std::string& code, const std::string& message) const;
  [[nodiscard]] nlohmann::json about() const;
  [[nodiscard]] UpdateView update_view(const std::string& module) const;
  void show(MqttPublication publication);
  void add_retained(Write kind, std::uint64_t seq, const std::string& job, const std::string& topic,
                    std::string payload);
  void forget_module(const std::string& module);
  void publish_info();
  void publish_everything();
  Awaitable<> publish_job_states();
  Awaitable<> publish_last_states();
  void start_alarm();

  asio::io_context& loop_;
  const Config& config_;
  Journal& journal_;
  Topics topics_;
  Jobs* jobs_ = nullptr;
  std::unique_ptr<Commands> commands_;
  const Jobs::Modules* modules_ = nullptr;
  Releases* releases_ = nullptr;
  std::atomic<bool> taking_{true};
  WallTime started_at_;
  std::set<std::string> problems_;
  std::map<std::string, std::uint64_t> faults_;
  std::uint64_t connections_ = 0;
  std::map<std::string, std::string> module_status_;     ///< what was published last
  std::map<std::string, nlohmann::json> module_states_;  ///< likewise, without the time
  std::set<std::string> dirty_jobs_;                     ///< their state changed since it was published
  bool publishing_job_states_ = false;
  LastErrors last_errors_;
  UpdateTopics updates_;
  HomeAssistant home_assistant_;
  const std::string password_;
  std::unique_ptr<MqttClient> alarm_;  ///< once the journal has failed
  MqttClient mqtt_;
  Outbox outbox_;
};

}  // namespace dfota
