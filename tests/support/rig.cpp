#include "tests/support/rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace dfota::test {
namespace {

using Json = nlohmann::json;

std::atomic<int> failures{0};

/// Counts what failed, so that a rig knows whether its log is wanted.
struct FailureListener : doctest::IReporter {
  explicit FailureListener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override { ++failures; }
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& data) override {
    if (data.m_failed) ++failures;
  }
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("failures", 1, FailureListener);

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

}  // namespace

RigOptions rack_of(int modules, std::vector<std::string> faults, std::map<std::string, std::string> settings) {
  RigOptions options;
  options.rack.modules = modules;
  options.rack.faults = std::move(faults);
  options.settings = std::move(settings);
  return options;
}

RigOptions rack_behind_proxy(int modules) {
  auto options = rack_of(modules);
  options.proxy = true;
  return options;
}

RigOptions replay_of(std::vector<std::string> transcripts) {
  RigOptions options;
  options.rack.modules = 0;
  options.rack.replays = std::move(transcripts);
  return options;
}

std::string make_delta(const std::string& file, const std::string& model, const std::string& from,
                       const std::string& to, std::size_t bytes) {
  Process maker({program("dfota-rack"), "--make-delta", file, "--model", model, "--from", from, "--to", to, "--size",
                 std::to_string(bytes)});
  if (maker.wait() != 0) throw std::runtime_error("no delta: " + maker.err());
  return Json::parse(maker.out())["sha256"];
}

Rig::Rig(const RigOptions& options)
    : proxy(options.proxy ? std::make_unique<TcpProxy>(broker.port()) : nullptr),
      rack(options.rack),
      observer(broker.uri()),
      options_(options),
      http_port_(free_port()),
      admin_port_(options.admin ? free_port() : 0),
      failures_before_(failures) {
  const std::string delta = dir_ / "delta.bin";
  sha256 = make_delta(delta, options.rack.model.empty() ? "UC20" : options.rack.model, options.from, options.to,
                      options.delta_bytes);
  std::ifstream file(delta, std::ios::binary);
  origin.serve(kDelta, std::string(std::istreambuf_iterator<char>(file), {}));
  write_config(options.settings);
  if (options.start) start_gateway();
}

Rig::~Rig() {
  if (failures == failures_before_ && std::uncaught_exceptions() == 0) return;
  std::cerr << "--- the gateway's log\n"
            << earlier_logs_ << (gateway_ ? gateway_->err() : "") << "--- the rack's log\n";
  for (const auto& event : rack.events()) std::cerr << event.dump() << "\n";
  std::cerr << "--- end of the logs" << std::endl;
}

void Rig::write_config(const std::map<std::string, std::string>& settings) {
  std::map<std::string, std::string> all = {
      {"gateway.id", quoted("t")},
      {"gateway.state_dir", quoted(dir_ / "state")},
      {"mqtt.uri", quoted(proxy ? "mqtt://127.0.0.1:" + std::to_string(proxy->port()) : broker.uri())},
      {"http.listen", quoted("127.0.0.1:" + std::to_string(http_port_))},
      {"admin.listen", quoted(options_.admin ? "127.0.0.1:" + std::to_string(admin_port_) : "")},
      {"artifacts.allow_hosts", "[\"127.0.0.1\"]"},
      {"limits.downloads", "64"},
      {"retry.backoff_s", "0.2"},
      {"timeouts.listen", "0.3"},
      {"timeouts.start", "60"},
      {"timeouts.progress_gap", "30"},
      {"timeouts.absent", "30"},
  };
  for (const auto& [key, value] : settings) all[key] = value;
  std::ofstream file(config_file());
  std::string section;
  for (const auto& [key, value] : all) {
    if (value.empty()) continue;
    const auto dot = key.find('.');
    if (section != key.substr(0, dot)) {
      section = key.substr(0, dot);
      file << "[" << section << "]\n";
    }
    file << key.substr(dot + 1) << " = " << value << "\n";
  }
  for (int i = 0; i < options_.rack.all(); ++i) {
    if (const auto block = options_.module_blocks.find(i); block != options_.module_blocks.end()) {
      file << block->second;
      continue;
    }
    file << "[[module]]\nid = " << quoted(m(i)) << "\nport = " << quoted(rack.port(i)) << "\n";
    if (!options_.tags.empty()) file << "tags = " << options_.tags << "\n";
  }
  for (int i = 0; i < options_.absent; ++i) {
    const auto id = "absent-" + std::to_string(i);
    file << "[[module]]\nid = " << quoted(id) << "\nport = " << quoted(dir_ / id) << "\n";
  }
  file << options_.blocks;
}

std::vector<std::string> Rig::gateway_argv() const {
  auto argv = options_.wrapper;
  argv.insert(argv.end(), {program("dfota-gateway"), "--config", config_file()});
  if (options_.verbose) argv.push_back("--verbose");
  return argv;
}

void Rig::launch_gateway(const Process::Environment& environment) {
  if (gateway_) earlier_logs_ += gateway_->err() + "--- started again\n";
  gateway_ = std::make_unique<Process>(gateway_argv(), environment);
}

void Rig::start_gateway(const Process::Environment& environment, bool may_die) {
  const auto said = observer.on(topic("info")).size();
  launch_gateway(environment);
  const auto there = [&](const std::vector<MqttMessage>& messages) {
    std::size_t count = 0;
    for (const auto& message : messages) count += message.topic == topic("info");
    return count > said;
  };
  const auto deadline = std::chrono::steady_clock::now() + kWatchdog;
  while (!observer.wait_for(there, std::chrono::milliseconds(100))) {
    if (may_die && gateway_->wait(std::chrono::milliseconds(0))) return;
    if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("waited in vain for the gateway");
  }
}

Json Rig::job(const std::string& id, const Json& modules) const {
  return {{"job", id},
          {"modules", modules},
          {"artifact", {{"url", origin.url(kDelta)}, {"sha256", sha256}}},
          {"from", options_.from},
          {"to", options_.to},
          {"attempts", 1}};
}

Json Rig::request_text(const std::string& to, const std::string& payload) {
  MqttPublication publication;
  publication.topic = to;
  publication.payload = payload;
  publication.response_topic = kRoot + "/client/test/" + std::to_string(++requests_);
  publication.correlation_data = "request \xff " + std::to_string(requests_);
  observer.publish(publication);
  const auto reply = observer.wait_for_topic(*publication.response_topic);
  if (!reply) throw std::runtime_error("no reply to " + to + " " + payload.substr(0, 200));
  CHECK(reply->correlation_data == publication.correlation_data);
  CHECK_FALSE(reply->retained);
  return Json::parse(reply->payload);
}

void Rig::accept(const Json& body) {
  const auto reply = request("update", body);
  if (reply["status"] != "ok") throw std::runtime_error("not accepted: " + reply.dump());
}

Json Rig::finish(const std::string& job) {
  const auto wanted = topic("job/" + job + "/state");
  Json last;
  std::size_t next = 0;
  wait_until(
      [&](const std::vector<MqttMessage>& messages) {
        for (; next < messages.size(); ++next) {
          if (messages[next].topic != wanted) continue;
          auto state = Json::parse(messages[next].payload);
          if (state.contains("modules")) last = std::move(state);
        }
        return !last.is_null();
      },
      "the end of job " + job, kJobWatchdog);
  return last;
}

std::vector<Json> Rig::published(const std::string& wanted) {
  std::vector<Json> found;
  for (const auto& message : observer.on(wanted)) found.push_back(Json::parse(message.payload));
  return found;
}

std::vector<Json> Rig::results(const std::string& module) {
  const auto wanted = topic("module/" + module + "/result");
  if (!observer.wait_for_topic(wanted, kJobWatchdog)) throw std::runtime_error("no result of " + module);
  return published(wanted);
}

std::vector<std::pair<std::string, Json>> Rig::errors(const std::string& module) {
  const auto prefix = topic("module/" + module + "/error/");
  std::vector<std::pair<std::string, Json>> found;
  for (const auto& message : observer.messages()) {
    if (!message.topic.starts_with(prefix)) continue;
    found.emplace_back(message.topic.substr(prefix.size()), Json::parse(message.payload));
  }
  return found;
}

void Rig::wait_until(const MqttObserver::Predicate& predicate, const std::string& what,
                     std::chrono::milliseconds limit) {
  if (!observer.wait_for(predicate, limit)) throw std::runtime_error("waited in vain for " + what);
}

void Rig::wait_for_newest(const std::string& wanted_topic, const std::function<bool(const Json&)>& wanted) {
  wait_until(
      [&](const std::vector<MqttMessage>& messages) {
        const auto newest = std::find_if(messages.rbegin(), messages.rend(),
                                         [&](const MqttMessage& message) { return message.topic == wanted_topic; });
        return newest != messages.rend() && wanted(Json::parse(newest->payload));
      },
      "the right message on " + wanted_topic);
}

std::string Rig::retained(const std::string& wanted) const {
  MqttObserver late(broker.uri(), {wanted});
  const auto message = late.wait_for_topic(wanted);
  if (!message) throw std::runtime_error("nothing is retained on " + wanted);
  CHECK(message->retained);
  return message->payload;
}

}  // namespace dfota::test
