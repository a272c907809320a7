// A backend that does not give up: it sends each command until it is answered, starts the gateway again whenever that
// has died, and in the end holds every promise against what was published and what the rack has seen.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "tests/support/rig.hpp"

namespace dfota::test {

class Survivor {
 public:
  using Json = nlohmann::json;

  explicit Survivor(Rig& rig) : rig_(rig) {}

  [[nodiscard]] int deaths() const { return deaths_; }

  /// Starts the gateway again, undisturbed, if it is dead.
  void revive() {
    if (!rig_.gateway().wait(std::chrono::milliseconds(0))) return;
    ++deaths_;
    rig_.start_gateway();
  }

  void kill() {
    rig_.gateway().kill();
    revive();
  }

  /// The first answer, however often it takes. A command that was taken by a gateway that died comes again from the
  /// broker, too.
  Json ask(const std::string& verb, const Json& body) {
    const auto answer_topic = kRoot + "/client/survivor/" + std::to_string(++asked_);
    for (int tries = 0; tries < 10; ++tries) {
      MqttPublication publication;
      publication.topic = rig_.topic("cmd/" + verb);
      publication.payload = body.dump();
      publication.response_topic = answer_topic;
      rig_.observer.publish(publication);
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (std::chrono::steady_clock::now() < deadline) {
        const auto reply = rig_.observer.wait_for_topic(answer_topic, std::chrono::milliseconds(100));
        if (reply) return Json::parse(reply->payload);
        revive();
      }
    }
    throw std::runtime_error("no reply to " + verb + " " + body.dump());
  }

  /// Until this is so, whatever dies meanwhile.
  void wait_until(const MqttObserver::Predicate& predicate, const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + kJobWatchdog;
    while (!rig_.observer.wait_for(predicate, std::chrono::milliseconds(100))) {
      if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("waited in vain for " + what);
      revive();
    }
  }

  /// Until this run of the job has its last state.
  void finish(const std::string& job, unsigned run = 1) {
    const auto topic = rig_.topic("job/" + job + "/state");
    std::size_t next = 0;
    bool done = false;
    wait_until(
        [&](const std::vector<MqttMessage>& messages) {
          for (; next < messages.size(); ++next) {
            if (messages[next].topic != topic || messages[next].payload.empty()) continue;
            const auto state = Json::parse(messages[next].payload);
            done = done || (state.contains("seq") && state["run"] == run);
          }
          return done;
        },
        "the end of run " + std::to_string(run) + " of job " + job);
  }

  void wait_for_phase(const std::string& module, const std::string& phase) {
    const auto topic = rig_.topic("module/" + module + "/progress");
    std::size_t next = 0;
    bool seen = false;
    wait_until(
        [&](const std::vector<MqttMessage>& messages) {
          for (; next < messages.size(); ++next) {
            seen = seen || (messages[next].topic == topic && Json::parse(messages[next].payload)["phase"] == phase);
          }
          return seen;
        },
        module + " to be " + phase);
  }

  /// Until the broker has acknowledged all that must arrive.
  void drain() {
    while (ask("list", {{"limit", 1}})["data"]["outbox"] != 0) revive();
  }

  struct Account {
    std::size_t results = 0, copies = 0, commands = 0, flashings = 0, asked_in_danger = 0;
    /// Failed, with the old version: it died between "released" in the journal and the last byte, and what the module
    /// said then (HTTPEND) nobody heard. Law 1 leaves it at that.
    int undecided = 0;
    std::map<std::string, int> outcomes;
  };

  /// The laws, over all that happened: `expected` are the jobs' runs and their modules. Ends the rack.
  Account check(const std::map<std::pair<std::string, unsigned>, std::set<std::string>>& expected) {
    Account account;
    std::map<std::tuple<std::string, unsigned, std::string>, std::set<std::string>> results;
    std::map<std::string, std::uint64_t> newest;
    std::map<std::string, int> succeeded, ran;
    for (const auto& message : rig_.observer.messages()) {
      if (!message.topic.ends_with("/result")) continue;
      const auto payload = Json::parse(message.payload);
      auto& bytes = results[{payload["job"], payload["run"], payload["module"]}];
      ++account.copies;
      if (!bytes.insert(message.payload).second) continue;
      ++account.results;
      const std::string module = payload["module"], outcome = payload["outcome"];
      ++account.outcomes[outcome];
      if (outcome == "succeeded") ++succeeded[module];
      if (outcome == "failed" && payload["error"]["code"] == "target_mismatch") ++account.undecided;
      // In order for each job, the first time it is said.
      CHECK(payload["seq"].get<std::uint64_t>() > newest[payload["job"]]);
      newest[payload["job"]] = payload["seq"];
    }
    std::size_t wanted = 0;
    for (const auto& [run, modules] : expected) {
      for (const auto& module : modules) {
        ++wanted;
        CAPTURE(run.first);
        CAPTURE(run.second);
        CAPTURE(module);
        CHECK(results[{run.first, run.second, module}].size() == 1);
      }
    }
    CHECK(account.results == wanted);
    rig_.rack.stop();
    std::set<std::string> modules;
    for (const auto& [run, its] : expected) modules.insert(its.begin(), its.end());
    for (const auto& module : modules) {
      CAPTURE(module);
      const auto flashings = rig_.rack.events(module, "flashing_begin").size();
      account.flashings += flashings;
      account.commands += static_cast<std::size_t>(rig_.rack.qfotadl(module));
      // Each success is a flashing of its own, and no flashing of a module that took the delta was followed by another.
      CHECK(static_cast<int>(rig_.rack.version(module) == kTo ? 1 : 0) == succeeded[module]);
      for (const auto& text : rig_.rack.written_while_flashing(module)) {
        CHECK(text == "AT\r");  // law 3: after progress_gap without a word
        ++account.asked_in_danger;
      }
    }
    return account;
  }

 private:
  Rig& rig_;
  int deaths_ = 0, asked_ = 0;
};

}  // namespace dfota::test
