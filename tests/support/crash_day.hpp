// A day of a gateway, in parts: what a backend and an operator order of it, so that every kind of journal write
// happens. Each part survives that the gateway dies at any moment of it. For the crash tests.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "tests/support/deltas.hpp"
#include "tests/support/survivor.hpp"

namespace dfota::test {

/// What was accepted: the runs of the jobs and their modules.
using Expected = std::map<std::pair<std::string, unsigned>, std::set<std::string>>;

struct CrashDay {
  const char* name;
  RigOptions (*rig)();
  Expected (*play)(Rig& rig, Survivor& backend);
};

inline void must_be_ok(const nlohmann::json& reply) {
  if (reply["status"] != "ok") throw std::runtime_error("refused: " + reply.dump());
}

/// Ordered, or done already before it died, which the answer to the same order says.
inline void must_be_done(const nlohmann::json& reply, const std::string& done_word) {
  if (reply["status"] != "ok" && reply["error"]["code"] != done_word) {
    throw std::runtime_error("refused: " + reply.dump());
  }
}

/// One job: a module that fails at first, one that does not.
inline const CrashDay kUpdateDay = {"update",
                                    [] {
                                      RigOptions options;
                                      options.rack.modules = 2;
                                      options.rack.speed = 60;
                                      options.rack.faults = {"m1:httpend=703,once"};
                                      options.settings = {{"timeouts.progress_gap", "2"}, {"retry.backoff_s", "0.1"}};
                                      return options;
                                    },
                                    [](Rig& rig, Survivor& backend) -> Expected {
                                      auto job = rig.job("update");
                                      job["attempts"] = 2;
                                      must_be_ok(backend.ask("update", job));
                                      backend.finish("update");
                                      return {{{"update", 1}, {"m0", "m1"}}};
                                    }};

/// Everything that can be ordered of jobs. m0 downloads for a minute, so that it can be canceled; m1 fails once.
inline const CrashDay kOrdersDay = {
    "orders",
    [] {
      RigOptions options;
      options.rack.modules = 2;
      options.rack.speed = 60;
      options.rack.faults = {"m0:client=slow:20000", "m1:end=505,once"};
      options.delta_bytes = 1 << 20;
      options.settings = {{"timeouts.progress_gap", "2"}, {"retry.backoff_s", "0.1"}};
      return options;
    },
    [](Rig& rig, Survivor& backend) -> Expected {
      rig.observer.publish(rig.topic("hold"), R"({"hold": true, "reason": "battery"})", true);
      const auto info = rig.topic("info");
      backend.wait_until(
          [&](const std::vector<MqttMessage>& messages) {
            return std::any_of(messages.begin(), messages.end(), [&](const MqttMessage& message) {
              return message.topic == info && nlohmann::json::parse(message.payload)["hold"] == "battery";
            });
          },
          "the hold");
      rig.observer.publish(rig.topic("hold"), R"({"hold": false})", true);

      must_be_ok(backend.ask("update", rig.job("cut", {"m0"})));
      must_be_ok(backend.ask("pause", {{"job", "cut"}}));
      must_be_ok(backend.ask("resume", {{"job", "cut"}}));
      backend.wait_for_phase("m0", "downloading");
      must_be_done(backend.ask("cancel", {{"job", "cut"}}), "job_ended");
      backend.finish("cut");

      auto job = rig.job("stop", {"m0", "m1"});
      job["abort_after_failures"] = 1;
      must_be_ok(backend.ask("update", job));
      backend.finish("stop");
      // A crash may cost it the failure that stops it: m1 fails once only, and that attempt is made again.
      const auto retry = backend.ask("retry", {{"job", "stop"}, {"run", 1}});
      const bool whole = retry["status"] != "ok" && retry["error"]["code"] == "nothing_to_retry";
      if (!whole) {
        must_be_done(retry, "not_newest_run");
        must_be_ok(backend.ask("cancel", {{"module", "m0"}}));
        backend.finish("stop", 2);
      }

      must_be_done(backend.ask("forget", {{"job", "cut"}}), "unknown_job");
      CHECK(backend.ask("update", rig.job("cut", {"m0"}))["data"]["forgotten"] == true);
      must_be_ok(backend.ask("forget", {{"module", "m9"}}));
      Expected expected = {{{"cut", 1}, {"m0"}}, {{"stop", 1}, {"m0", "m1"}}};
      if (!whole) expected[{"stop", 2}] = {"m0", "m1"};
      return expected;
    }};

/// A plan over two deltas.
inline const CrashDay kPlanDay = {
    "plan",
    [] {
      RigOptions options;
      options.rack.modules = 1;
      options.rack.version = uc20("A10");
      options.rack.speed = 60;
      options.settings = {{"timeouts.progress_gap", "2"}};
      return options;
    },
    [](Rig& rig, Survivor& backend) -> Expected {
      must_be_ok(backend.ask("artifact_add", offer(rig, {"one.bin", uc20("A10"), kFrom})));
      must_be_ok(backend.ask("artifact_add", offer(rig, {"two.bin", kFrom, kTo})));
      must_be_ok(
          backend.ask("update", {{"job", "plan"}, {"modules", "all"}, {"target", kTo}, {"allow_downgrade", true}}));
      backend.finish("plan");
      return {{{"plan", 1}, {"m0"}}};
    }};

/// SIGTERM in a download.
inline const CrashDay kStopDay = {"stop",
                                  [] {
                                    RigOptions options;
                                    options.rack.modules = 1;
                                    options.rack.speed = 60;
                                    options.rack.faults = {"m0:client=slow:40000,once"};
                                    options.delta_bytes = 2 << 20;
                                    options.settings = {{"timeouts.progress_gap", "2"}};
                                    return options;
                                  },
                                  [](Rig& rig, Survivor& backend) -> Expected {
                                    must_be_ok(backend.ask("update", rig.job("late")));
                                    backend.wait_for_phase("m0", "downloading");
                                    rig.gateway().signal(SIGTERM);
                                    backend.finish("late");
                                    return {{{"late", 1}, {"m0"}}};
                                  }};

}  // namespace dfota::test
