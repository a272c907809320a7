// Which deltas (the rest of Jobs): what a command names is found in the catalog; with target and rollback each module's
// way is planned by the version that it reports, hop by hop. A hop is an update like any other: journalled, verified,
// and ended by the version read back; the next one is planned from that version, so that a crash, a delta that came
// or went, or a module that somebody else has updated only ever lead to another plan.
#include <algorithm>

#include "gateway/jobs.hpp"
#include "gateway/way.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

std::string arrow(const Manifest& delta) {
  return delta.name + " (" + delta.from + " -> " + delta.to + ")";
}

/// Why find_way() found none.
UpdateError explain_none(const NoWay& none, const Manifests& catalog, const std::string& model, const std::string& from,
                         const std::string& to) {
  for (const auto* delta : none.forbidden) {
    const auto direction = direction_of(catalog, model, delta->from, delta->to);
    if (direction == Direction::forward) continue;
    return UpdateError::of(Finding::downgrade_refused, Phase::queued,
                           arrow(*delta) + (direction == Direction::backward ? " leads back to an older version"
                                                                             : ": no manifest says which is newer"));
  }
  return UpdateError::of(Finding::no_way, Phase::queued,
                         "from " + from + " the nearest version that can be reached is " + none.nearest +
                             "; no delta for a " + model + " leads on to " + to);
}

}  // namespace

/// What the command names, from the catalog; or what is wrong with it.
Fault Jobs::resolve(UpdateCommand& command) const {
  if (command.planned()) return resolve_target(command);
  if (wants_artifact(command.delivery) && command.delta.url.empty()) {
    const auto found = catalog_.find(command.delta.name);
    if (found == catalog_.end()) {
      return CommandFault{
          "unknown_artifact",
          "there is no artifact \"" + command.delta.name + "\" here; cmd/artifact_list tells which there are",
          "/artifact/name"};
    }
    const auto& manifest = found->second;
    for (const auto& [pointer, said, version] :
         {std::tuple{"/from", command.delta.from, manifest.from}, {"/to", command.delta.to, manifest.to}}) {
      if (!said.empty() && !manifest.is(version, said))
        return invalid(pointer, "the manifest of " + manifest.name + " says " + version);
    }
    const bool said_both = !command.delta.from.empty() && !command.delta.to.empty();
    command.delta = manifest;
    const auto direction = direction_of(catalog_, manifest.model, manifest.from, manifest.to);
    if (direction == Direction::unknown && !said_both && !command.allow_downgrade) {
      return CommandFault{"downgrade_refused",
                          "no manifest says which is newer, " + manifest.from + " or " + manifest.to +
                              ": say allow_downgrade, name both versions, or add released to the manifest",
                          "/artifact/name"};
    }
  }
  if (auto fault = untrusted(command)) return fault;
  return wrong_direction(command);
}

/// Somebody must know the version: a manifest that leads to it, or a module that runs it.
Fault Jobs::resolve_target(const UpdateCommand& command) const {
  if (command.rollback) return {};
  const auto& target = command.target;
  const bool leads = std::any_of(catalog_.begin(), catalog_.end(), [&](const auto& entry) {
    return entry.second.is(entry.second.to, target) || entry.second.is(entry.second.from, target);
  });
  const bool runs = std::any_of(modules_.begin(), modules_.end(),
                                [&](const auto& entry) { return entry.second->state().identity.version == target; });
  if (leads || runs) return {};
  return CommandFault{"unknown_target",
                      "no delta here knows the version " + target + "; cmd/artifact_list tells which there are",
                      "/target"};
}

Fault Jobs::untrusted(const UpdateCommand& command) const {
  if (!trust_.required()) return {};
  if (!wants_artifact(command.delivery)) {
    return CommandFault{"signature_unverifiable",
                        "signatures are required here (artifacts.require_signature), and what the gateway does not "
                        "bring to the module itself it cannot check",
                        "/delivery"};
  }
  if (!command.delta.signature.empty()) return {};
  return CommandFault{"signature_unverifiable", "is required here (artifacts.require_signature)",
                      "/artifact/signature"};
}

Fault Jobs::wrong_direction(const UpdateCommand& command) const {
  const auto& delta = command.delta;
  if (command.allow_downgrade || direction_of(catalog_, delta.model, delta.from, delta.to) != Direction::backward) {
    return {};
  }
  return CommandFault{"downgrade_refused", "is not newer than " + delta.from + ": say allow_downgrade if you mean it",
                      "/to"};
}

/// Empty: there is none.
std::string Jobs::target_of(const UpdateCommand& command, const std::string& module) const {
  if (!command.rollback) return command.target;
  const auto before = before_.find(module);
  if (before == before_.end()) return {};
  const auto& imei = modules_.at(module)->state().identity.imei;
  return imei.empty() || imei == before->second.imei ? before->second.version : std::string();
}

/// `part`: where its module has got to, null before it begins.
Jobs::Plan Jobs::plan(const UpdateCommand& command, const Module& module, const std::string& target,
                      std::string version, const Part* part) const {
  Plan plan{version, target, {}, {}};
  if (target.empty()) {
    plan.none = UpdateError::of(Finding::no_rollback, Phase::queued);
    return plan;
  }
  WayRules rules;
  rules.allow_downgrade = command.allow_downgrade || command.rollback;
  if (part != nullptr) {
    for (const auto& hop : part->way) rules.avoid.insert(hop.from);
  }
  const auto& model = module.state().identity.model;
  auto found = find_way(catalog_, model, version, target, rules);
  if (auto* way = std::get_if<Way>(&found)) {
    plan.hops = std::move(way->hops);
  } else {
    plan.none = explain_none(std::get<NoWay>(found), catalog_, model, version, target);
  }
  return plan;
}

/// Of a command that names its delta: that one, none, or why it does not fit.
Jobs::Plan Jobs::plan_one(const UpdateCommand& command, const Module& module) const {
  const auto& delta = command.delta;
  const auto& identity = module.state().identity;
  Plan plan{identity.version, delta.to, {}, {}};
  if (!delta.model.empty() && identity.model != delta.model) {
    plan.none = UpdateError::of(Finding::model_mismatch, Phase::queued,
                                "the module is a " + identity.model + ", the delta is for " + delta.model);
  } else if (delta.is(delta.from, identity.version)) {
    plan.hops = {&delta};
  } else if (!delta.is(delta.to, identity.version)) {
    plan.none = UpdateError::of(Finding::base_mismatch, Phase::queued,
                                "the module runs " + identity.version + ", the delta starts from " + delta.from);
  }
  return plan;
}

/// The deltas of a job that has not ended are not evicted.
void Jobs::hold_deltas(Job& job) {
  if (!wants_artifact(job.command.delivery)) return;
  if (!job.command.planned()) {
    job.hold = fetch_.hold(job.command.delta.sha256);
    return;
  }
  for (const auto& part : job.parts) {
    const auto module = modules_.find(part->module);
    if (part->result || module == modules_.end()) continue;
    if (part->hop) part->holds.push_back(fetch_.hold(part->hop->sha256));
    const auto& version = module->second->state().identity.version;
    if (!version.empty()) hold_way(*part, plan(job.command, *module->second, part->target, version, part.get()));
  }
}

void Jobs::hold_way(Part& part, const Plan& plan) {
  for (const auto* delta : plan.hops) part.holds.push_back(fetch_.hold(delta->sha256));
}

/// The next delta of the module's way. Without one the module is asked for its version first, or is there already.
/// False: there is no way, and the part has ended.
bool Jobs::choose_hop(Job& job, Part& part) {
  if (part.hop) return true;
  const auto& module = *modules_.at(part.module);
  const auto& state = module.state();
  const auto version = !part.reported.empty() ? part.reported : state.online ? state.identity.version : std::string();
  const bool is_known = !version.empty() && !state.identity.model.empty();
  if (!is_known && !part.target.empty()) return true;
  const auto next = plan(job.command, module, part.target, version, &part);
  if (next.none) {
    reject(job, part, *next.none);
    return false;
  }
  if (part.way.empty()) part.from = version;
  part.hops = static_cast<unsigned>(part.way.size() + next.hops.size());
  part.holds.clear();
  hold_way(part, next);
  if (!next.hops.empty()) part.hop = *next.hops.front();
  return true;
}

/// Whether the module has another hop before it, after an update of this plan has ended so.
bool Jobs::goes_on(Job& job, Part& part, const UpdateResult& result) {
  if (result.outcome == Outcome::succeeded || result.outcome == Outcome::skipped) {
    const auto& model = modules_.at(part.module)->state().identity.model;
    part.asked = 0;  // it has got further, be it by somebody else
    return !names_of(catalog_, model, part.target).contains(part.reported);
  }
  if (!UpdateRun::asks_for_another_plan(job, part, result)) return false;
  if (++part.asked < kMostAsked && !part.reported.empty()) return true;
  listener_.update_error(job, part, part.checkpoint.attempt, *result.error, std::nullopt);
  return false;
}

/// Its module keeps the part at the head of its queue: nothing comes between two hops.
void Jobs::next_hop(Job& job, Part& part) {
  part.hop.reset();
  part.checkpoint = Checkpoint();
  part.step_at.reset();
  part.next_attempt_at.reset();
  part.hop_begun_at.reset();
  put(Write::part_hop, job, part);
  if (part.stop) return end_unbegun(job, part, *part.stop);
  waiting_[part.module].push_front({&job, &part});
  look_soon(job.id(), part.module);
}

/// A delta has brought the module a version further.
void Jobs::note_hop(const Job& job, Part& part, const UpdateResult& result) {
  const auto* delta = job.delta_of(part);
  if (delta == nullptr) return;
  Hop hop{delta->name, delta->from, delta->to, result.attempts, 0};
  if (part.hop_begun_at) {
    hop.duration_s = std::chrono::duration<double>(time_.now() - *part.hop_begun_at).count();
    history_.add(*delta, modules_.at(part.module)->state().identity.model, hop.duration_s);
    journal_.put_fact(Write::update_history, UpdateHistory::kFact, history_.document());
  }
  log::info("job ", job.id(), ": module ", part.module, ": hop ", part.way.size() + 1, " of ", part.hops, ": ",
            delta->from, " -> ", delta->to, " succeeded");
  part.way.push_back(std::move(hop));
  if (job.command.planned()) part.warnings.insert(part.warnings.end(), result.warnings.begin(), result.warnings.end());
}

/// What rollback goes back to.
void Jobs::note_success(const Part& part) {
  const auto module = modules_.find(part.module);
  if (module == modules_.end() || part.from.empty()) return;
  const Before before{module->second->state().identity.imei, part.from};
  before_[part.module] = before;
  journal_.put_fact(Write::version_before, kBefore + part.module,
                    json{{"imei", before.imei}, {"version", before.version}}.dump());
}

std::variant<json, CommandFault> Jobs::dry_run(UpdateCommand command, bool drop_strangers) const {
  auto selected = select(command.modules, drop_strangers);
  if (auto* fault = std::get_if<CommandFault>(&selected)) return *fault;
  const auto& ids = std::get<std::vector<std::string>>(selected);
  if (ids.empty()) return json();
  if (auto fault = resolve(command)) return *fault;
  json rows = json::array();
  for (const auto& id : ids) {
    const auto& module = *modules_.at(id);
    const auto& version = module.state().identity.version;
    const auto target = command.planned() ? target_of(command, id) : command.delta.to;
    Plan plan{version, target, {}, {}};
    if (version.empty()) {
      plan.none = UpdateError::of(module.state().present ? Finding::no_answer : Finding::absent, Phase::queued,
                                  module.state().port);
    } else {
      plan = command.planned() ? this->plan(command, module, target, version, nullptr) : plan_one(command, module);
    }
    std::optional<double> expected = 0;
    json way = json::array();
    std::uint64_t bytes = 0;
    for (const auto* delta : plan.hops) {
      way.push_back({{"artifact", delta->name}, {"from", delta->from}, {"to", delta->to}});
      way.back()["bytes"] = delta->size ? json(*delta->size) : json(nullptr);
      bytes += delta->size.value_or(0);
      const auto hop = history_.expected_s(*delta);
      expected = expected && hop ? std::optional(*expected + *hop) : std::nullopt;
    }
    json row = {{"module", id}, {"way", std::move(way)}, {"bytes", bytes}};
    row["version"] = version.empty() ? json(nullptr) : json(version);
    row["target"] = target.empty() ? json(nullptr) : json(target);
    row["expected_duration_s"] = expected && !plan.none ? json(*expected) : json(nullptr);
    row["reason"] = plan.none ? to_json(*plan.none) : json(nullptr);
    rows.push_back(std::move(row));
  }
  return json{{"dry_run", true}, {"modules", std::move(rows)}};
}

}  // namespace dfota
