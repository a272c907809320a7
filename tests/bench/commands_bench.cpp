// How fast commands are taken, and what a long queue costs. A backend publishes different cmd/update at QoS 1 to a
// mosquitto, all at once; each is in the journal, with its fsync, before it is acknowledged and answered. Beside it, on
// the same disk and in the same run, the bare rate of SQLite: one row of the same size a commit, WAL,
// synchronous=FULL, by a prepared statement in a loop of one thread that does nothing else. TMPDIR chooses the disk.
// Prints Markdown tables; asserts nothing.
#include <SQLiteCpp/SQLiteCpp.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <numeric>

#include "gateway/job.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "transport/base/log.hpp"

using namespace dfota;
using nlohmann::json;
using Seconds = std::chrono::duration<double>;
using Instant = std::chrono::steady_clock::time_point;

namespace {

constexpr auto kPatience = std::chrono::minutes(2);
constexpr auto kRoot = "dfota/v1/bench/", kReplies = "dfota/v1/client/bench";
constexpr std::size_t kModules = 16;
constexpr std::size_t kAskedAlone = 500;  ///< commands that wait for the reply to the one before

Instant now() {
  return std::chrono::steady_clock::now();
}

double since(Instant began) {
  return Seconds(now() - began).count();
}

json command(std::size_t number) {
  return {{"job", "night-" + std::to_string(number)},
          {"modules", {"m" + std::to_string(number % kModules)}},
          {"artifact",
           {{"url", "https://firmware.example.com/uc20/delta.bin"},
            {"sha256", "66eb6526b3ae1e7a8e1e2ab2ef9ff2cd0a1f38ad70dbe58b8db4c3a4d1331059"}}},
          {"from", "UC20GQBR03A11E1G"},
          {"to", "UC20GQBR03A12E1G"},
          {"absent", "wait"}};
}

/// What the gateway writes for one such command: the job and its one part.
std::size_t journal_bytes() {
  Job job;
  job.command = std::get<UpdateCommand>(parse_update_command(command(1000)));
  job.accepted_at = std::chrono::system_clock::now();
  job.expires_at = ServiceTime::Instant(std::chrono::hours(7 * 24));
  job.add_part("m0");
  return job.id().size() + to_document(job).size() + to_document(*job.parts.front()).size();
}

double bare_commits_per_s(const std::string& file, std::size_t bytes, std::size_t count) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (const auto* pragma : {"locking_mode = EXCLUSIVE", "synchronous = FULL", "journal_mode = WAL"})
    SQLite::Statement(database, std::string("PRAGMA ") + pragma).executeStep();
  database.exec("CREATE TABLE IF NOT EXISTS row (ordinal INTEGER PRIMARY KEY, document TEXT NOT NULL)");
  SQLite::Statement insert(database, "INSERT INTO row (document) VALUES (?)");
  const std::string document(bytes, 'x');
  const auto began = now();
  for (std::size_t i = 0; i < count; ++i) {
    insert.bindNoCopy(1, document);
    insert.exec();
    insert.reset();
  }
  return static_cast<double>(count) / since(began);
}

std::size_t memory_kib(pid_t pid, const std::string& field) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoul(line.substr(field.size() + 1));
  }
  return 0;
}

/// Publishes commands and notes when each was answered.
class Backend {
 public:
  explicit Backend(const std::string& uri)
      : client_(options(uri), {.message = [this](const MqttMessage& message) { return hear(message); },
                               .connected = [this](bool) { set([this] { connected_ = true; }); },
                               .disconnected = {},
                               .taken_over = {}}) {
    client_.start();
    wait([this] { return connected_; }, "the broker");
  }

  /// All of them at once; seconds from the first publication to the last reply.
  double burst(const std::vector<std::string>& payloads) {
    set([this] { ok_ = refused_ = 0; });
    const auto began = now();
    for (const auto& payload : payloads) publish("update", payload);
    wait([&] { return ok_ + refused_ == payloads.size(); }, "the replies");
    return since(began);
  }
  json ask(const std::string& verb, const json& body) {
    set([this] { ok_ = refused_ = 0; });
    publish(verb, body.dump());
    wait([this] { return ok_ + refused_ == 1; }, "the reply to " + verb);
    return json::parse(last_);
  }
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  static MqttOptions options(const std::string& uri) {
    MqttOptions options;
    options.uri = uri;
    options.client_id = "backend";
    options.persistent_session = false;
    options.subscriptions = {{kReplies, false}};
    options.max_queued = 200'000;
    return options;
  }

  void publish(const std::string& verb, const std::string& payload) {
    MqttPublication publication;
    publication.topic = kRoot + ("cmd/" + verb);
    publication.payload = payload;
    publication.response_topic = kReplies;
    client_.publish(std::move(publication));
  }
  bool hear(const MqttMessage& message) {
    const bool ok = message.payload.find("\"status\":\"ok\"") != std::string::npos;
    set([&] {
      ++(ok ? ok_ : refused_);
      last_ = message.payload;
    });
    return true;
  }
  template <class Change>
  void set(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Condition>
  void wait(Condition condition, const std::string& what) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, condition)) throw std::runtime_error("waited in vain for " + what);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
  std::size_t ok_ = 0, refused_ = 0;
  std::string last_;
  MqttClient client_;
};

/// The gateway, with modules whose ports do not exist.
class Subject {
 public:
  Subject(const std::string& broker, std::size_t queued) : observer_(broker, {kRoot + std::string("info")}) {
    std::ofstream file(dir_ / "gateway.toml");
    file << "[gateway]\nid = \"bench\"\nstate_dir = \"" << dir_ / "state"
         << "\"\n[mqtt]\nuri = \"" << broker << "\"\n[http]\nlisten = \"127.0.0.1:" << test::free_port()
         << "\"\n[admin]\nlisten = \"\"\n[jobs]\nqueued = " << queued << "\n";
    for (std::size_t i = 0; i < kModules; ++i) {
      file << "[[module]]\nid = \"m" << i << "\"\nport = \"" << dir_ / ("no-port-" + std::to_string(i)) << "\"\n";
    }
  }

  struct Start {
    double journal_s, info_s;
  };
  /// Seconds from exec until the journal is read and every job taken up, and until the broker has R/info.
  Start start() {
    observer_.forget();
    const auto began = now();
    process_ = std::make_unique<test::Process>(
        std::vector<std::string>{std::string(DFOTA_BINARY_DIR) + "/dfota-gateway", "--config", dir_ / "gateway.toml"});
    Start start{};
    if (!process_->wait_for_err(" modules, files on ", kPatience))
      throw std::runtime_error("the gateway did not start: " + process_->err());
    start.journal_s = since(began);
    if (!observer_.wait_for_topic(kRoot + std::string("info"), kPatience))
      throw std::runtime_error("waited in vain for R/info");
    start.info_s = since(began);
    return start;
  }
  void kill() { process_->kill(); }
  [[nodiscard]] std::size_t memory(const std::string& field) const { return memory_kib(process_->pid(), field); }
  [[nodiscard]] const test::TempDir& dir() const { return dir_; }

 private:
  test::TempDir dir_;
  test::MqttObserver observer_;
  std::unique_ptr<test::Process> process_;
};

struct Options {
  std::size_t commands = 5000, queued = 10000, copies = 1000, rounds = 3;
};

struct Round {
  double accepted = 0, bare_before = 0, bare_after = 0, copied = 0, ask_p50_ms = 0, ask_p99_ms = 0, list_s = 0;
  std::size_t refused = 0, jobs = 0, idle_rss = 0, full_rss = 0, full_hwm = 0, again_rss = 0, again_hwm = 0;
  Subject::Start empty{}, full{};
};

std::vector<std::string> commands(std::size_t from, std::size_t to) {
  std::vector<std::string> payloads;
  for (auto number = from; number < to; ++number) payloads.push_back(command(number).dump());
  return payloads;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Pages through cmd/list; how many jobs there are.
std::size_t count_jobs(Backend& backend) {
  std::size_t jobs = 0;
  json request = {{"limit", 1000}};
  for (;;) {
    const auto page = backend.ask("list", request)["data"];
    jobs += page["jobs"].size();
    if (page["next"].is_null()) return jobs;
    request["after"] = page["next"];
  }
}

/// The rest of the queue: a burst, then one by one.
void fill(Backend& backend, const Options& options, Round& round) {
  const auto alone = std::min(kAskedAlone, options.queued - options.commands);
  backend.burst(commands(options.commands, options.queued - alone));
  round.refused += backend.refused();
  std::vector<double> took;
  for (auto number = options.queued - alone; number < options.queued; ++number) {
    const auto began = now();
    if (backend.ask("update", command(number))["status"] != "ok") ++round.refused;
    took.push_back(since(began) * 1000);
  }
  round.ask_p50_ms = percentile(took, 0.5);
  round.ask_p99_ms = percentile(took, 0.99);
}

Round run_round(const Options& options) {
  test::Broker broker({.persistence = false,
                       .extra = "log_type none\nlog_type information\nmax_inflight_messages 0\nmax_queued_messages 0",
                       .start = true});
  Subject gateway(broker.uri(), options.queued);
  Round round;
  round.empty = gateway.start();
  Backend backend(broker.uri());
  round.idle_rss = gateway.memory("VmRSS");
  const auto bytes = journal_bytes();
  round.bare_before = bare_commits_per_s(gateway.dir() / "bare.db", bytes, options.commands);
  round.accepted = static_cast<double>(options.commands) / backend.burst(commands(0, options.commands));
  round.refused = backend.refused();
  round.bare_after = bare_commits_per_s(gateway.dir() / "bare.db", bytes, options.commands);
  round.copied =
      static_cast<double>(options.copies) / backend.burst(std::vector<std::string>(options.copies, command(0).dump()));
  round.refused += backend.refused();
  fill(backend, options, round);
  round.full_rss = gateway.memory("VmRSS");
  round.full_hwm = gateway.memory("VmHWM");
  gateway.kill();
  const auto began = now();
  round.full = gateway.start();
  backend.ask("list", {{"limit", 1}});
  round.list_s = since(began);
  round.jobs = count_jobs(backend);
  round.again_rss = gateway.memory("VmRSS");
  round.again_hwm = gateway.memory("VmHWM");
  return round;
}

void print(const Options& options, const std::vector<Round>& rounds) {
  std::printf("%zu commands at once, a job and a part of %zu bytes each; %u CPUs.\n\n", options.commands,
              journal_bytes(), std::thread::hardware_concurrency());
  std::printf(
      "| round | commands/s | bare commits/s before | after | ratio | %zu copies of one: replies/s | refused |\n"
      "|---|---|---|---|---|---|---|\n",
      options.copies);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const auto& round = rounds[i];
    const double bare = (round.bare_before + round.bare_after) / 2;
    std::printf("| %zu | %.0f | %.0f | %.0f | %.2f | %.0f | %zu |\n", i + 1, round.accepted, round.bare_before,
                round.bare_after, round.accepted / bare, round.copied, round.refused);
  }
  std::printf("\n%zu jobs in the queue; the last %zu were asked for one by one.\n\n", options.queued, kAskedAlone);
  std::printf(
      "| round | reply p50 ms | p99 ms | VmRSS MiB empty | full | VmHWM | restarted VmRSS | VmHWM "
      "| exec to journal read s | to R/info | to the first reply | jobs there | empty: to journal read | to R/info |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  const auto mib = [](std::size_t kib) { return static_cast<double>(kib) / 1024; };
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const auto& round = rounds[i];
    std::printf("| %zu | %.2f | %.2f | %.1f | %.1f | %.1f | %.1f | %.1f | %.2f | %.2f | %.2f | %zu | %.2f | %.2f |\n",
                i + 1, round.ask_p50_ms, round.ask_p99_ms, mib(round.idle_rss), mib(round.full_rss),
                mib(round.full_hwm), mib(round.again_rss), mib(round.again_hwm), round.full.journal_s,
                round.full.info_s, round.list_s, round.jobs, round.empty.journal_s, round.empty.info_s);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("How fast commands are taken, and what a long queue costs.");
  app.add_option("--commands", options.commands, "published at once, for the rate");
  app.add_option("--queued", options.queued, "jobs in the queue in the end, those included");
  app.add_option("--copies", options.copies, "of one command");
  app.add_option("--rounds", options.rounds, "each with a gateway and a broker of its own");
  CLI11_PARSE(app, argc, argv);
  if (options.queued < options.commands) options.queued = options.commands;
  log::set_level(log::Level::warning);
  try {
    std::vector<Round> rounds;
    for (std::size_t i = 0; i < options.rounds; ++i) rounds.push_back(run_round(options));
    print(options, rounds);
  } catch (const std::exception& failure) {
    std::cerr << "commands_bench: " << failure.what() << '\n';
    return 1;
  }
}
