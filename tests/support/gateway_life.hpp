// A gateway without its MQTT face, from its start to its end: the real journal, file server, fetcher, slots, modules,
// jobs and commands on a stepped clock. What it publishes stays in the journal's outbox, unacknowledged, so that the
// next life shows it. Test's thread.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "gateway/commands.hpp"
#include "gateway/jobs.hpp"
#include "gateway/journal.hpp"
#include "gateway/wiring.hpp"

namespace dfota::test {

class GatewayLife : public JobListener {
 public:
  struct Told {
    std::function<void(const Job&, const Part&)> part_ended;
    std::function<void(const Job&)> job_ended;
    std::function<void(const Job&, const Part&)> attempt_over;
    std::function<void(bool in_vain)> clock_needed = [](bool) {};
  };

  GatewayLife(Config config, std::function<WallTime()> wall, Told told)
      : config_(std::move(config)), told_(std::move(told)) {
    auto opened = Journal::open(loop_, std::filesystem::path(config_.gateway.state_dir) / "journal.db");
    if (!opened) throw std::runtime_error(opened.error().message);
    journal_ = std::move(opened.value());
    if (!journal_->set_aside().empty()) throw std::runtime_error("the journal is broken");
    auto options = file_server_options(config_);
    options.host = "127.0.0.1";
    options.port = 0;
    files_ = std::make_unique<FileServer>(loop_, options);
    if (!files_->start()) throw std::runtime_error("the file server does not start");
    config_.http.public_url = "http://127.0.0.1:" + std::to_string(files_->port());
    contents_ = journal_->take_contents();
    fetch_ = std::make_unique<Fetch>(loop_, fetch_options(config_));
    catalog_ =
        std::make_unique<Catalog>(loop_, *fetch_, trust_, std::filesystem::path(config_.gateway.state_dir) / "catalog",
                                  config_.artifacts.incoming);
    slots_ = std::make_unique<Slots>(loop_, config_.limits, config_.tag_limits);
    time_ = std::make_unique<ServiceTime>(contents_.facts[ServiceTime::kFact], std::move(wall));
    transcripts_ = std::make_unique<Transcripts>(loop_, config_.gateway.id,
                                                 std::filesystem::path(config_.gateway.state_dir) / "transcripts");
    jobs_ = std::make_unique<Jobs>(Jobs::Parts{loop_, config_, modules_, *fetch_, catalog_->all(), trust_, nullptr,
                                               *slots_, *files_, *journal_, *time_, *this});
    for (const auto& module : config_.modules) {
      modules_[module.id] = std::make_unique<Module>(loop_, module, config_.modem, config_.timeouts, *jobs_);
    }
    Commands::World world;
    world.publish_again = [](const OutboxRow&) {};
    world.forget_module = [](const std::string&) {};
    world.outbox_size = [] { return std::size_t(0); };
    world.about = [] { return nlohmann::json::object(); };
    world.last_error_of = [](const std::string&) { return nlohmann::json(); };
    world.newest_release_of = [](const std::string&, const std::string&) -> const Release* { return nullptr; };
    artifacts_ = std::make_unique<ArtifactCommands>(config_.artifacts, *catalog_, *fetch_,
                                                    [](const std::string&, const std::string&) {});
    commands_ = std::make_unique<Commands>(loop_, config_, *jobs_, modules_, *artifacts_, *files_, *transcripts_,
                                           *journal_, std::move(world));
  }

  /// As the application does it.
  void start() {
    jobs_->recover(contents_);
    for (auto& [id, module] : modules_) module->start();
  }

  [[nodiscard]] asio::io_context& loop() { return loop_; }
  [[nodiscard]] const std::vector<OutboxRow>& outbox() const { return contents_.outbox; }
  [[nodiscard]] Jobs& jobs() { return *jobs_; }
  [[nodiscard]] FileServer& files() { return *files_; }

  /// `done` is called with the reply, in the turn in which it could be published.
  void command(std::string verb, nlohmann::json document, std::function<void(const nlohmann::json&)> done) {
    ++unanswered_;
    asio::co_spawn(loop_, ask(std::move(verb), std::move(document), std::move(done)), rethrow);
  }

  [[nodiscard]] bool owes_answers() const { return unanswered_ > 0; }

  /// Begins to wait until all that was put is on the disk. Where it is, that takes kIdleHandlers of the loop.
  void wait_for_disk() {
    waiting_ = true;
    asio::co_spawn(loop_, disk(), rethrow);
  }
  [[nodiscard]] bool waits_for_disk() const { return waiting_; }
  static constexpr unsigned kIdleHandlers = 3;

  // JobListener
  void update_progress(const Job&, const Part&, const UpdateProgress&, const DownloadRate::Reading&) override {}
  void update_error(const Job& job, const Part& part, unsigned, const UpdateError&, std::optional<WallTime>) override {
    told_.attempt_over(job, part);
  }
  void job_changed(const Job&) override {}
  void part_ended(const Job& job, const Part& part) override {
    put(Write::result, job, part.module, std::string(to_word(part.result->outcome)));
    told_.part_ended(job, part);
  }
  std::uint64_t job_ended(const Job& job) override {
    told_.job_ended(job);
    return put(Write::job_state, job, "", std::string(to_word(job.state())));
  }
  void job_forgotten(const Job&) override {}
  void hold_changed() override {}
  void clock_needed(bool in_vain) override { told_.clock_needed(in_vain); }
  void module_changed(const Module&) override {}

 private:
  Awaitable<> ask(std::string verb, nlohmann::json document, std::function<void(const nlohmann::json&)> done) {
    const auto answer = co_await commands_->run(std::move(verb), std::move(document), false);
    --unanswered_;
    if (answer) done(answer->reply);
  }
  Awaitable<> disk() {
    const auto committed = co_await journal_->committed();
    if (!committed) throw std::runtime_error(committed.error().message);
    waiting_ = false;
  }

  std::uint64_t put(Write kind, const Job& job, const std::string& module, const std::string& outcome) {
    OutboxRow row;
    row.seq = journal_->next_seq();
    row.job = job.id();
    row.topic = "result";
    row.payload = nlohmann::json({{"run", job.run}, {"module", module}, {"outcome", outcome}}).dump();
    const auto seq = row.seq;
    journal_->put_outbox(kind, std::move(row));
    return seq;
  }

  Config config_;
  Trust trust_{config_.artifacts};
  Told told_;
  asio::io_context loop_{1};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<FileServer> files_;
  std::unique_ptr<Fetch> fetch_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<ServiceTime> time_;
  std::unique_ptr<Transcripts> transcripts_;  ///< nothing is recorded: the disk's thread knows no stepped clock
  Jobs::Modules modules_;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<ArtifactCommands> artifacts_;
  std::unique_ptr<Commands> commands_;
  JournalContents contents_;
  bool waiting_ = false;
  unsigned unanswered_ = 0;
};

}  // namespace dfota::test
