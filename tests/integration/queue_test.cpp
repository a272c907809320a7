// A long queue, and one command many times over: one job, one result, one AT+QFOTADL, and every copy answered; what is
// queued is bounded, kept over a kill, listed whole, and ends.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using dfota::MqttPublication;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kCopies = 1000;
/// One below: a job for the module that is there comes first and has ended when the last ones come.
constexpr std::size_t kQueued = 10'000;
/// Measured: 3 KiB a job in a release build (command, part, places in the lists), 10 KiB under ASan.
constexpr std::size_t kMostBytesOfJob = 32 * 1024;

const std::string kReplies = kRoot + "/client/queue";

/// m0 is there; the next `absent` have ports that do not exist.
RigOptions rack_and_absent(int absent, std::map<std::string, std::string> settings) {
  RigOptions options;
  options.rack.modules = 1;
  options.settings = std::move(settings);
  options.absent = absent;
  return options;
}

/// Publishes commands and counts the replies; reads each, and keeps none, for there are thousands.
class Crowd {
 public:
  explicit Crowd(const std::string& uri) : client_(options(uri), handlers()) { client_.start(); }
  ~Crowd() { client_.stop(std::chrono::milliseconds(0)); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void publish(const Json& body) {
    MqttPublication publication;
    publication.topic = kRoot + "/t/cmd/update";
    publication.payload = body.dump();
    publication.response_topic = kReplies;
    client_.publish(std::move(publication));
  }
  /// Until so many replies have come since the last time; what is wrong with the first that is not as `wanted`.
  std::string wait_for(std::size_t replies, const std::function<bool(const Json&)>& wanted) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kJobWatchdog, [&] { return replies_.size() >= replies; })) {
      return "only " + std::to_string(replies_.size()) + " of " + std::to_string(replies) + " replies";
    }
    std::string wrong = replies_.size() > replies ? "more replies than commands" : "";
    for (const auto& reply : replies_) {
      if (wrong.empty() && !wanted(Json::parse(reply))) wrong = reply;
    }
    replies_.clear();
    return wrong;
  }

 private:
  static dfota::MqttOptions options(const std::string& uri) {
    dfota::MqttOptions options;
    options.uri = uri;
    options.client_id = "crowd";
    options.persistent_session = false;
    options.subscriptions = {{kReplies, false}};
    return options;
  }
  dfota::MqttClient::Handlers handlers() {
    return {.message =
                [this](const MqttMessage& message) {
                  const std::lock_guard lock(mutex_);
                  replies_.push_back(message.payload);
                  changed_.notify_all();
                  return true;
                },
            .connected = {},
            .disconnected = {},
            .taken_over = {}};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> replies_;
  dfota::MqttClient client_;
};

std::string publish_copies(Crowd& crowd, const Json& job, const std::function<bool(const Json&)>& wanted) {
  for (std::size_t i = 0; i < kCopies; ++i) crowd.publish(job);
  return crowd.wait_for(kCopies, wanted);
}

bool is_ok(const Json& reply) {
  return reply["status"] == "ok";
}

Json waiting_job(const Rig& rig, std::size_t number, int absent) {
  auto job = rig.job("night-" + std::to_string(number), {"absent-" + std::to_string(number % absent)});
  job["absent"] = "wait";
  return job;
}

/// Every page of cmd/list: the state of each job, by its id. No job may come twice.
std::map<std::string, std::string> list_jobs(Rig& rig) {
  std::map<std::string, std::string> states;
  Json request = {{"limit", 1000}};
  for (;;) {
    const auto reply = rig.request("list", request);
    REQUIRE(reply["status"] == "ok");
    for (const auto& job : reply["data"]["jobs"]) {
      const bool is_new = states.emplace(job["job"], job["state"]).second;
      CHECK_MESSAGE(is_new, job["job"], " is on two pages");
    }
    if (reply["data"]["next"].is_null()) return states;
    request["after"] = reply["data"]["next"];
  }
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

/// What ASan keeps of memory that was freed, to notice when it is used again, is not the jobs'.
void start_frugally(Rig& rig) {
  const char* given = std::getenv("ASAN_OPTIONS");
  rig.start_gateway({{"ASAN_OPTIONS", (given != nullptr ? std::string(given) + ":" : "") + "quarantine_size_mb=16"}});
}

}  // namespace

TEST_CASE("a thousand copies of one command: before, while and after it runs, and when it is forgotten") {
  auto options = rack_and_absent(0, {});
  options.rack.faults = {"client=slow:60000"};
  options.delta_bytes = 256 * 1024;
  Rig rig(options);
  Crowd crowd(rig.broker.uri());
  const auto job = rig.job("once");
  CHECK(publish_copies(crowd, job, is_ok) == "");
  REQUIRE(rig.rack.wait_for("m0", "qfotadl"));
  CHECK(publish_copies(crowd, job, is_ok) == "");
  CHECK(rig.finish("once")["state"] == "succeeded");
  const auto has_ended = [](const Json& reply) { return is_ok(reply) && reply["data"]["state"] == "succeeded"; };
  CHECK(publish_copies(crowd, job, has_ended) == "");
  CHECK(list_jobs(rig) == std::map<std::string, std::string>{{"once", "succeeded"}});
  CHECK(is_ok(rig.request("forget", {{"job", "once"}})));
  const auto is_forgotten = [&](const Json& reply) {
    return has_ended(reply) && reply["data"]["forgotten"] == true && reply["data"]["run"] == 1;
  };
  CHECK(publish_copies(crowd, job, is_forgotten) == "");
  CHECK(list_jobs(rig).empty());
  CHECK(rig.results("m0").size() == 1);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("ten thousand jobs wait, one more is refused, another runs; all are there after a kill, and end") {
  constexpr int kAbsent = 16;
  auto options = rack_and_absent(kAbsent, {{"jobs.queued", std::to_string(kQueued)}});
  options.start = false;
  Rig rig(options);
  start_frugally(rig);
  Crowd crowd(rig.broker.uri());
  const auto before = resident_bytes(rig.gateway().pid());

  rig.accept(rig.job("runs", {"m0"}));
  for (std::size_t i = 0; i < kQueued - 1; ++i) crowd.publish(waiting_job(rig, i, kAbsent));
  CHECK(crowd.wait_for(kQueued - 1, is_ok) == "");
  CHECK(rig.finish("runs")["state"] == "succeeded");
  rig.observer.forget();
  rig.accept(waiting_job(rig, kQueued - 1, kAbsent));
  const auto full = rig.request("update", waiting_job(rig, kQueued, kAbsent));
  CHECK(full["error"]["code"] == "queue_full");
  CHECK(is_ok(rig.request("update", waiting_job(rig, 7, kAbsent))));  // a copy is no new job
  const auto after = resident_bytes(rig.gateway().pid());
  CHECK(after < before + kQueued * kMostBytesOfJob);

  rig.gateway().kill();
  rig.observer.forget();  // tens of thousands; each wait would go through them
  start_frugally(rig);
  auto states = list_jobs(rig);
  CHECK(states.size() == kQueued + 1);
  CHECK(states["runs"] == "succeeded");
  for (std::size_t i = 0; i < kQueued; ++i) {
    const auto& state = states["night-" + std::to_string(i)];
    if (state != "queued") FAIL_CHECK("night-", i, " is ", state);
  }

  const auto canceled = rig.request("cancel", {{"module", "absent-3"}});
  CHECK(canceled["data"]["stopped"].size() == kQueued / kAbsent);
  CHECK(is_ok(rig.request("cancel", {{"job", "night-4"}})));
  CHECK(rig.finish("night-3")["state"] == "canceled");
  CHECK(rig.finish("night-4")["state"] == "canceled");
  rig.accept(waiting_job(rig, kQueued, kAbsent));
}

TEST_CASE("hundreds of jobs for one module that is not there are all rejected, once each") {
  constexpr std::size_t kJobs = 300;
  Rig rig(rack_and_absent(1, {{"timeouts.absent", "1"}}));
  Crowd crowd(rig.broker.uri());
  for (std::size_t i = 0; i < kJobs; ++i) {
    auto job = waiting_job(rig, i, 1);
    job.erase("absent");
    crowd.publish(job);
  }
  CHECK(crowd.wait_for(kJobs, is_ok) == "");
  for (std::size_t i = 0; i < kJobs; ++i) {
    if (rig.finish("night-" + std::to_string(i))["state"] != "rejected") FAIL_CHECK("night-", i, " is not rejected");
  }
  std::set<std::string> jobs;
  const auto results = rig.results("absent-0");
  for (const auto& result : results) {
    CHECK(result["error"]["code"] == "absent");
    jobs.insert(result["job"]);
  }
  CHECK(results.size() == kJobs);
  CHECK(jobs.size() == kJobs);
}
