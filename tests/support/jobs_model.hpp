// What a gateway's jobs may do, written from the contract and apart from the code: fed with the commands that were
// answered, with each AT+QFOTADL that reached a module, and with each outcome. What was wrong first stands in fault().
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace dfota::test {

struct ModelLimits {
  unsigned downloads = 1, updates = 1;
  std::map<std::string, std::pair<unsigned, unsigned>> by_tag;  ///< downloads, updates
};

/// A module as far as the model looks at it.
struct ModelModule {
  std::vector<std::string> tags;
  bool busy = false, downloading = false;
  std::string version;
};

struct ModelPart {
  unsigned orders = 0;
  bool flashes = false;    ///< it had all of its delta, in this run
  bool in_hand = false;    ///< commanded by this process, or before and at it still
  bool canceled = false;   ///< and nothing may be commanded any more
  bool uncertain = false;  ///< a gateway died meanwhile: what it had journalled and not done counts as done
  std::optional<std::string> must_end;
};

struct ModelJob {
  nlohmann::json body;
  std::string from, to;
  std::vector<std::string> modules;  ///< of this run
  unsigned max_parallel = 0, canary = 0, abort_after = 0, run = 1;
  std::optional<double> not_before, expires;
  bool accepted = false, paused = false, forgotten = false;
  int rank = 0;
  std::map<std::string, ModelPart> parts;

  void begin_run(std::vector<std::string> ids) {
    modules = std::move(ids);
    parts.clear();
    rank = 0;
    for (const auto& id : modules) parts[id];
  }
};

class JobsModel {
 public:
  using Key = std::tuple<std::string, unsigned, std::string>;  ///< job, run, module; without module: the job's own

  ModelLimits limits;
  std::map<std::string, ModelModule> modules;
  std::map<std::string, ModelJob> jobs;
  bool held = false;
  double now = 0;

  [[nodiscard]] const std::string& fault() const { return fault_; }
  void blame(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }
  void require(bool holds, const std::string& what) {
    if (!holds) blame(what);
  }

  /// AT+QFOTADL has reached a module.
  void ordered(const std::string& id, const std::string& module) {
    const auto where = "job " + id + ", module " + module + ": commanded ";
    const auto found = jobs.find(id);
    if (found == jobs.end()) return blame(where + "for a job that nobody ordered");
    auto& job = found->second;
    const auto at = job.parts.find(module);
    if (at == job.parts.end()) return blame(where + "and is not of its run " + std::to_string(job.run));
    auto& part = at->second;
    require(job.accepted && !job.forgotten, where + "for a job that is not accepted");
    require(!outcome_of(id, job.run, module), where + "after its outcome");
    require(!held, where + "while held");
    require(!job.paused, where + "while paused");
    require(!part.canceled, where + "after cancel");
    require(!part.flashes, where + "a second time, and the first may flash");
    require(!stopped(id), where + "after the job was stopped");
    require(!job.not_before || now >= *job.not_before, where + "before not_before");
    require(!job.expires || part.orders > 0 || now <= *job.expires + kTick, where + "after expires");
    ++part.orders;
    part.in_hand = true;
    check_rollout(id, job, where);
    check_limits(module, where);
  }

  void flashes(const std::string& id, const std::string& module) {
    if (const auto job = jobs.find(id); job != jobs.end()) job->second.parts[module].flashes = true;
  }

  /// An outcome that is not on the disk yet.
  void ended(const std::string& id, unsigned run, const std::string& module, const std::string& outcome) {
    const auto where = "job " + id + ", run " + std::to_string(run) + ", module " + module + ": ended in " + outcome;
    const auto found = jobs.find(id);
    if (found == jobs.end() || found->second.run != run) return blame(where + ", and there is no such run");
    if (const auto before = outcome_of(id, run, module)) return blame(where + " after " + *before);
    pending_[{id, run, module}] = outcome;
    auto& part = found->second.parts[module];
    part.in_hand = false;
    check_outcome(found->second, module, part, outcome, where);
  }

  void job_ended(const std::string& id, unsigned run, const std::string& verdict) {
    const auto where = "job " + id + ", run " + std::to_string(run) + ": ended in " + verdict;
    require(!outcome_of(id, run, ""), where + ", once more");
    pending_[{id, run, ""}] = verdict;
    auto& job = jobs.at(id);
    job.paused = false;  // a job that has ended is not paused, nor is its next run
    require(job.run == run && verdict == verdict_of(id, job), where + ", by its modules it is " + verdict_of(id, job));
  }

  /// All that was put is on the disk.
  void settled() {
    committed_.merge(pending_);
    pending_.clear();
  }

  /// The gateway died; these outcomes are in its journal.
  void died(const std::vector<std::pair<Key, std::string>>& journalled) {
    std::map<Key, std::string> read;
    for (const auto& [key, outcome] : journalled) {
      const auto& [id, run, module] = key;
      const auto where = "job " + id + ", run " + std::to_string(run) + ", module " + module + ": ";
      require(read.emplace(key, outcome).second, where + "has two results in the journal");
      const auto known = committed_.find(key), waited = pending_.find(key);
      require((known != committed_.end() && known->second == outcome) ||
                  (waited != pending_.end() && waited->second == outcome),
              where + "has a result in the journal that it was never told: " + outcome);
    }
    for (const auto& [key, outcome] : committed_) {
      require(read.contains(key), "job " + std::get<0>(key) + ": a result that was on the disk is gone");
    }
    committed_ = std::move(read);
    pending_.clear();
    for (auto& [id, job] : jobs) {
      for (auto& [module, part] : job.parts) {
        part.uncertain = true;
        part.in_hand = part.in_hand && modules.at(module).busy;
      }
      // A module that was only being asked who it is may be away now.
      if (!has_begun(id, job)) job.rank = 0;
    }
  }

  [[nodiscard]] std::optional<std::string> outcome_of(const std::string& id, unsigned run,
                                                      const std::string& module) const {
    for (const auto* from : {&pending_, &committed_}) {
      const auto found = from->find({id, run, module});
      if (found != from->end()) return found->second;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool has_ended(const std::string& id) const { return outcome_of(id, jobs.at(id).run, "").has_value(); }
  [[nodiscard]] std::vector<std::string> to_retry(const std::string& id) const {
    std::vector<std::string> ids;
    const auto& job = jobs.at(id);
    for (const auto& module : job.modules) {
      const auto outcome = outcome_of(id, job.run, module).value_or("none");
      if (outcome != "succeeded" && outcome != "skipped") ids.push_back(module);
    }
    return ids;
  }
  /// What cmd/list and job/<id>/state say of it.
  void seen(const std::string& id, unsigned run, const std::string& state) {
    auto& job = jobs.at(id);
    const auto where = "job " + id + ": ";
    require(run == job.run, where + "its run is " + std::to_string(run) + ", not " + std::to_string(job.run));
    if (state == "paused") return;
    const int rank = state == "queued" ? 0 : state == "running" ? 1 : 2;
    require(rank >= job.rank, where + "its state went back to " + state);
    job.rank = std::max(job.rank, rank);
    require((rank == 2) == has_ended(id), where + "is " + state + ", and its outcome says otherwise");
  }

 private:
  static constexpr double kTick = 1.5;  ///< expiry is looked at each second

  [[nodiscard]] unsigned count(const std::string& id, const ModelJob& job, const std::string& outcome) const {
    return static_cast<unsigned>(std::count_if(job.modules.begin(), job.modules.end(), [&](const auto& module) {
      return outcome_of(id, job.run, module) == outcome;
    }));
  }

  /// Something of its run is in the journal.
  [[nodiscard]] bool has_begun(const std::string& id, const ModelJob& job) const {
    return std::any_of(job.parts.begin(), job.parts.end(),
                       [&](const auto& part) { return part.second.orders > 0 || outcome_of(id, job.run, part.first); });
  }

  /// By what has ended: a lost module, a canary that did not succeed, too many failures.
  [[nodiscard]] bool stopped(const std::string& id) const {
    const auto& job = jobs.at(id);
    const auto lost = count(id, job, "lost"), failed = count(id, job, "failed") + lost;
    return lost > 0 || (failed > 0 && count(id, job, "succeeded") < job.canary) ||
           (job.abort_after > 0 && failed >= job.abort_after);
  }

  void check_rollout(const std::string& id, const ModelJob& job, const std::string& where) {
    unsigned in_hand = 0;
    for (const auto& [module, part] : job.parts) in_hand += part.in_hand ? 1 : 0;
    require(job.max_parallel == 0 || in_hand <= job.max_parallel, where + "beyond max_parallel");
    const auto proved = count(id, job, "succeeded");
    require(proved >= job.canary || in_hand <= job.canary - proved, where + "before the canaries have succeeded");
  }

  void check_limits(const std::string& commanded, const std::string& where) {
    const auto check = [&](const std::string& tag, unsigned downloads, unsigned updates) {
      unsigned downloading = 0, updating = 0;
      for (const auto& [id, module] : modules) {
        const bool counts = tag.empty() || std::count(module.tags.begin(), module.tags.end(), tag) > 0;
        if (!counts) continue;
        updating += module.busy || id == commanded ? 1 : 0;
        downloading += module.downloading || id == commanded ? 1 : 0;
      }
      require(downloading <= downloads, where + "beyond the limit for downloads, tag \"" + tag + "\"");
      require(updating <= updates, where + "beyond the limit for updates, tag \"" + tag + "\"");
    };
    check("", limits.downloads, limits.updates);
    for (const auto& [tag, most] : limits.by_tag) check(tag, most.first, most.second);
  }

  void check_outcome(const ModelJob& job, const std::string& module, const ModelPart& part, const std::string& outcome,
                     const std::string& where) {
    const bool untouched = outcome == "canceled" || outcome == "rejected" || outcome == "skipped";
    require(!untouched || !part.flashes, where + ", and it had all of its delta");
    require(outcome != "skipped" || part.orders == 0, where + " after a command");
    require(outcome != "rejected" || part.orders == 0 || part.uncertain, where + " after a command");
    require(outcome != "failed" || part.orders > 0 || part.uncertain, where + " without a command");
    require(outcome != "lost" || part.flashes || part.uncertain, where + ", and it never had its delta");
    require(outcome != "succeeded" || modules.at(module).version == job.to, where + ", and it runs another version");
    require(outcome != "succeeded" || part.flashes, where + ", and nothing was flashed");
    require(!part.must_end || *part.must_end == outcome, where + ", and was told to be " + part.must_end.value_or(""));
  }

  [[nodiscard]] std::string verdict_of(const std::string& id, const ModelJob& job) const {
    const auto all = job.modules.size();
    const auto good = count(id, job, "succeeded") + count(id, job, "skipped");
    const auto canceled = count(id, job, "canceled");
    if (good == all) return "succeeded";
    if (canceled > 0 && good + canceled == all) return "canceled";
    if (count(id, job, "rejected") == all) return "rejected";
    return good == 0 ? "failed" : "partial";
  }

  std::string fault_;
  std::map<Key, std::string> pending_, committed_;
};

}  // namespace dfota::test
