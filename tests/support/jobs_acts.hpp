// What happens to a gateway in a property test, act by act: commands, ports that go and come, updates that end well and
// badly, time, and deaths. What each command has to be answered stands beside it. Test's thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/jobs_world.hpp"

namespace dfota::test {

/// What happens next; what `a`, `b` and `c` mean is the kind's.
struct Act {
  enum Kind {
    update,         ///< of the shape a, for the modules of b, with the rollout of c
    again,          ///< the body of job a once more
    cancel_job,     ///< a
    cancel_module,  ///< a
    pause,          ///< a, or all
    resume,         ///< a, or all
    retry,          ///< a
    forget,         ///< a
    hold,           ///< or let go
    port,           ///< of module a goes or comes
    fate,           ///< of the next order of module a is b
    time,           ///< a seconds
    die,            ///< at a moment of a, with command b under way
  };
  Kind kind = time;
  unsigned a = 0, b = 0, c = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Act& act) {
  static constexpr const char* kNames[] = {"update", "again", "cancel_job", "cancel_module", "pause", "resume", "retry",
                                           "forget", "hold",  "port",       "fate",          "time",  "die"};
  return out << kNames[act.kind] << '(' << act.a << ", " << act.b << ", " << act.c << ')';
}

class JobsActs {
 public:
  explicit JobsActs(unsigned limits) : world_(limits) {}

  [[nodiscard]] const std::string& fault() { return model_.fault(); }

  void act(const Act& act) {
    if (world_.failed()) return;
    auto& module = world_.module(act.a);
    switch (act.kind) {
      case Act::port:
        if (module.plugged()) {
          module.unplug();
        } else {
          module.plug();
        }
        break;
      case Act::fate:
        module.fates(static_cast<QuickModule::Fate>(act.b % QuickModule::kFates));
        break;
      case Act::time:
        world_.pass(1 + act.a % 8);
        return;
      case Act::die:
        die(act);
        break;
      case Act::hold:
        model_.held = !model_.held;
        world_.life().jobs().hold(model_.held ? std::optional<std::string>("held") : std::nullopt);
        break;
      default:
        command(act);
        break;
    }
    world_.settle();
  }

  /// Whatever was held or paused goes on, whatever was pulled out comes back, until every job has ended.
  void let_it_end() {
    if (world_.failed()) return;
    if (model_.held) act({Act::hold});
    act({Act::resume, 0, 1});
    for (unsigned i = 0; i < JobsWorld::kModules; ++i) {
      if (!world_.module(i).plugged()) act({Act::port, i});
    }
    for (unsigned second = 0; second < kPatience && !world_.failed() && !all_ended(); second += kLook) {
      // Somebody has looked at those that were lost, and cycled their power.
      for (unsigned i = 0; i < JobsWorld::kModules && second % 100 == 99 - 99 % kLook; ++i) {
        if (!world_.module(i).downloading()) world_.module(i).revive();
      }
      world_.pass(kLook);
    }
    model_.require(all_ended(), "a job does not end");
    // None of them ever runs again by the same command.
    for (unsigned i = 0; i < ids_.size() && !world_.failed(); ++i) act({Act::again, i});
    if (!world_.failed()) world_.pass(kLook);
  }

 private:
  using json = nlohmann::json;
  static constexpr unsigned kPatience = 3000, kLook = 5;  ///< seconds of the stepped clock

  [[nodiscard]] bool all_ended() const {
    return std::all_of(ids_.begin(), ids_.end(), [&](const std::string& id) {
      const auto& job = model_.jobs.at(id);
      return !job.accepted || job.forgotten || model_.has_ended(id);
    });
  }

  [[nodiscard]] std::string job_of(unsigned number) const { return ids_.empty() ? "none" : ids_[number % ids_.size()]; }
  /// Accepted, and not forgotten.
  [[nodiscard]] bool is_there(const std::string& id) const {
    const auto found = model_.jobs.find(id);
    return found != model_.jobs.end() && found->second.accepted && !found->second.forgotten;
  }

  void command(const Act& act) {
    const auto id = job_of(act.a);
    switch (act.kind) {
      case Act::update:
        return update(act);
      case Act::again:
        return again(id);
      case Act::cancel_job:
        return cancel(id, {{"job", id}});
      case Act::cancel_module:
        return cancel("", {{"module", world_.module(act.a).id()}});
      case Act::pause:
      case Act::resume:
        return set_paused(act.b % 3 == 1 ? "" : id, act.kind == Act::pause);
      case Act::retry:
        return retry(id);
      case Act::forget:
        return forget(id);
      default:
        return;
    }
  }

  void send(const char* verb, json document, std::function<void(const json& reply)> done) {
    world_.life().command(verb, std::move(document), [this, done = std::move(done)](const json& reply) {
      world_.look();  // what was written before the reply was
      done(reply);
    });
  }
  void expect(const json& reply, bool ok, const std::string& what) {
    model_.require((reply.at("status") == "ok") == ok, what + " was answered by " + reply.dump());
  }

  void update(const Act& act) {
    const auto id = "j" + std::to_string(++last_id_);
    ids_.push_back(id);
    auto& job = model_.jobs[id];
    const bool back = act.a % 4 == 3, local = act.a / 4 % 4 == 3, missing = act.a / 16 % 8 == 7;
    job.from = back ? kNewVersion : kOldVersion;
    job.to = back ? kOldVersion : kNewVersion;
    std::vector<std::string> modules;
    for (unsigned i = 0; i < JobsWorld::kModules; ++i) {
      const auto number = (i + act.b / 16) % JobsWorld::kModules;
      if ((act.b % 15 + 1) & (1U << number)) modules.push_back(world_.module(number).id());
    }
    job.begin_run(modules);
    json body = {{"job", id}, {"modules", modules}, {"from", job.from}, {"to", job.to}};
    body["attempts"] = 1 + act.a / 128 % 3;
    if (local) {
      body["delivery"] = "file";
      body["file"] = "UFS:" + id + ".bin";
    } else {
      const auto sha256 = missing ? std::string(64, '0') : world_.sha256();
      body["artifact"] = {{"url", "http://127.0.0.1:9/" + id + ".bin"}, {"sha256", sha256}};
    }
    roll_out(act.c, job, body);
    job.body = body;
    send("update", body, [this, id](const json& reply) {
      expect(reply, true, "update of " + id);
      model_.jobs[id].accepted = true;
    });
  }

  void roll_out(unsigned c, ModelJob& job, json& body) {
    const auto take = [&c](unsigned most) { return std::exchange(c, c / most) % most; };
    if ((job.max_parallel = take(3)) > 0) body["max_parallel"] = job.max_parallel;
    if ((job.canary = take(3)) > 0) body["canary"] = job.canary;
    if ((job.abort_after = take(3)) > 0) body["abort_after_failures"] = job.abort_after;
    if (take(2) == 1) body["absent"] = "wait";
    const auto later = [&](const char* key, unsigned by) {
      body[key] = rfc3339(world_.wall() + std::chrono::seconds(by));
      return model_.now + by - 0.001;  // the text has milliseconds
    };
    if (const auto kind = take(4); kind > 1) job.expires = later("expires", kind == 2 ? 20 : 60);
    if (take(4) == 3) job.not_before = later("not_before", 10);
  }

  /// The same command again is the same job, never another run.
  void again(const std::string& id) {
    if (!model_.jobs.contains(id) || !model_.jobs.at(id).accepted) return;
    const auto& job = model_.jobs.at(id);
    send("update", job.body, [this, id](const json& reply) {
      expect(reply, true, "update of " + id + " once more");
      const auto& known = model_.jobs.at(id);
      if (reply.at("status") != "ok" || known.forgotten != reply.at("data").value("forgotten", false)) {
        model_.blame("job " + id + " once more: " + reply.dump());
      }
      model_.require(reply.at("data").at("run") == known.run, "job " + id + " once more: another run");
    });
  }

  /// Of one job, or with an empty id of all jobs of a module.
  void cancel(const std::string& id, const json& document) {
    const bool may = id.empty() || (is_there(id) && !model_.has_ended(id));
    send("cancel", document, [this, id, may, document](const json& reply) {
      expect(reply, may, "cancel of " + document.dump());
      if (reply.at("status") != "ok") return;
      for (const auto* list : {"stopped", "stopping", "will_end"}) {
        for (const auto& entry : reply.at("data").at(list)) {
          const auto job = id.empty() ? entry.get<std::string>() : id;
          const auto module = id.empty() ? document.at("module").get<std::string>() : entry.get<std::string>();
          canceled(job, module, list);
        }
      }
    });
  }
  void canceled(const std::string& id, const std::string& module, const std::string& list) {
    auto& job = model_.jobs.at(id);
    auto& part = job.parts[module];
    part.canceled = true;
    const auto outcome = model_.outcome_of(id, job.run, module);
    if (list != "stopped") return;
    model_.require(!part.flashes && (!outcome || *outcome == "canceled"),
                   "job " + id + ", module " + module + ": \"stopped\", and it " +
                       (part.flashes ? "flashes" : "ended in " + outcome.value_or("")));
    part.must_end = "canceled";
  }

  void set_paused(const std::string& id, bool paused) {
    const bool may = id.empty() || (is_there(id) && !model_.has_ended(id));
    const auto set = [this, id](bool to) {
      for (auto& [name, job] : model_.jobs) {
        if (id.empty() || id == name) job.paused = to && is_there(name) && !model_.has_ended(name);
      }
    };
    if (!paused) set(false);  // it may go on before the reply is there
    send(paused ? "pause" : "resume", id.empty() ? json::object() : json{{"job", id}},
         [this, id, may, paused, set](const json& reply) {
           expect(reply, may, (paused ? "pause of " : "resume of ") + id);
           if (paused && may) set(true);
         });
  }

  void retry(const std::string& id) {
    if (!is_there(id)) return;
    const auto& job = model_.jobs.at(id);
    const auto modules = model_.to_retry(id);
    const bool late = job.expires && *job.expires < model_.now;
    const bool may = model_.has_ended(id) && !modules.empty() && !late;
    retrying_ = id;
    send("retry", {{"job", id}, {"run", job.run}}, [this, id, may, modules](const json& reply) {
      retrying_.clear();
      expect(reply, may, "retry of " + id);
      if (reply.at("status") != "ok") return;
      auto& retried = model_.jobs.at(id);
      ++retried.run;
      retried.begin_run(modules);
      model_.require(reply.at("data").at("modules") == json(modules), "retry of " + id + ": " + reply.dump());
    });
  }

  void forget(const std::string& id) {
    const bool may = is_there(id) && model_.has_ended(id);
    send("forget", {{"job", id}}, [this, id, may](const json& reply) {
      expect(reply, may, "forget of " + id);
      if (may) model_.jobs.at(id).forgotten = true;
    });
  }

  /// With a command under way: all, nothing, or everything of it may be on the disk.
  void die(const Act& act) {
    static constexpr std::array kUnderWay = {Act::cancel_job, Act::cancel_module, Act::pause, Act::resume,
                                             Act::retry,      Act::forget,        Act::time,  Act::update};
    const auto kind = kUnderWay[act.b % kUnderWay.size()];
    const auto way = act.a % 4;
    if (way == 1 || way == 2) {
      const auto before = world_.journal_files();
      const auto paused = paused_jobs();
      if (kind != Act::time) command({kind, act.b / 8, act.c, act.c});
      if (kind == Act::time) world_.tick();
      // The first handler decides and puts; the journal's thread has none of it before the next.
      world_.turn(way == 2 ? 1 : act.c % 40);
      if (way == 2) forget_flags(paused);
      world_.die(way == 2 && kind != Act::time ? JobsWorld::Death::torn : JobsWorld::Death::whole, before);
      find_out();
      return;
    }
    world_.die(way == 0 ? JobsWorld::Death::whole : JobsWorld::Death::tidy);
  }

  [[nodiscard]] std::vector<std::string> paused_jobs() const {
    std::vector<std::string> ids;
    for (const auto& [id, job] : model_.jobs) {
      if (job.paused) ids.push_back(id);
    }
    return ids;
  }
  void forget_flags(const std::vector<std::string>& paused) {
    for (const auto& id : paused) model_.jobs.at(id).paused = true;
  }

  /// Whether the command that was under way is in the journal, the new gateway tells.
  void find_out() {
    for (auto& [id, job] : model_.jobs) {
      const auto* said = world_.life().jobs().find(id);
      if (said != nullptr && !job.forgotten) job.accepted = true;
      if (said == nullptr && job.accepted && model_.has_ended(id)) job.forgotten = true;
      if (said == nullptr) continue;
      if (id == retrying_ && said->run == job.run + 1) {
        const auto modules = model_.to_retry(id);
        ++job.run;
        job.begin_run(modules);
      }
      job.paused = job.paused && said->paused;
    }
    retrying_.clear();
  }

  JobsWorld world_;
  JobsModel& model_ = world_.model();
  std::vector<std::string> ids_;  ///< of all jobs ever ordered
  unsigned last_id_ = 0;
  std::string retrying_;  ///< ordered, and not answered yet
};

}  // namespace dfota::test
