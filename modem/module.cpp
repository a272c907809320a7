#include "modem/module.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <tuple>

#include "modem/qind.hpp"
#include "modem/stage_names.hpp"
#include "modem/update_procedure.hpp"
#include "transport/base/log.hpp"
#include "transport/port_holder.hpp"

namespace dfota {
namespace {

LinkOptions link_options(const ModemConfig& modem) {
  LinkOptions options;
  options.baud = modem.baud;
  return options;
}

}  // namespace

bool ModuleState::operator==(const ModuleState& other) const {
  const auto key = [](const ModuleState& s) {
    return std::tie(s.port, s.online, s.present, s.phase, s.identity.model, s.identity.version, s.identity.imei,
                    s.profile, s.registered, s.signal_dbm, s.problem);
  };
  return key(*this) == key(other);
}

Module::Module(asio::io_context& loop, ModuleConfig config, const ModemConfig& modem, const TimeoutsConfig& timeouts,
               ModuleObserver& observer)
    : loop_(loop),
      config_(std::move(config)),
      modem_(modem),
      timeouts_(timeouts),
      observer_(observer),
      changed_(loop),
      port_(loop, config_.port, link_options(modem), changed_, "module " + config_.id),
      dialogue_(port_, danger_, [this] { hear_fota(); }),
      expected_imei_(config_.imei) {
  state_.port = config_.port;
}

void Module::start() {
  asio::co_spawn(loop_, run(), [subject = port_.subject()](std::exception_ptr bug) {
    if (!bug) return;
    // A bug must not leave a module half updated in silence: end loudly, and let the journal and the restart decide.
    log::error(subject, ": its coroutine ended by an exception, which is a bug");
    std::rethrow_exception(bug);
  });
}

void Module::update(UpdateOrder order, Checkpoint entry, UpdateEnv& env, std::function<void(UpdateResult)> done) {
  work_ = Work{std::move(order), std::move(entry), &env, std::move(done)};
  changed_.notify();
}

Awaitable<> Module::run() {
  while (!retired_) {
    if (work_) {
      co_await perform();
    } else {
      co_await attend();
    }
  }
  over_ = true;
}

/// One round of the idle life: open, greet, ask, wait.
Awaitable<> Module::attend() {
  hear_fota();
  if (released_) {
    co_await stay_released();
    co_return;
  }
  const auto opened = co_await port_.open();
  if (!opened) {
    co_await wait_for_port(opened.error());
    co_return;
  }
  auto next = state_;
  next.present = !is_lost();
  change(next);
  const auto listened = port_.opened_at() + seconds(timeouts_.listen);
  co_await wait_idle(listened, false);
  if (danger_.evidence == Evidence::fota_urc) {
    co_await stand_back();
    co_return;
  }
  if (work_ || !port_.is_open()) co_return;
  const bool forced = std::any_of(scans_.begin(), scans_.end(), [](const Scan& scan) { return scan.force; });
  if (is_lost() && !forced) {
    co_await stay_lost();
    co_return;
  }
  heed_scans();
  if (port_.openings() != greeted_opening_)
    co_await greet();
  else
    co_await ask_status();
  if (is_lost() && state_.online) find_again();
  co_await answer_scans();
  if (is_lost()) set_problem(explain(Finding::module_lost).word, false);
  const auto next_poll = Clock::now() + seconds(modem_.poll_s);
  co_await wait_idle(next_poll, true);
}

/// Not a word to it: until its port went and came back, it has booted, or somebody forces it.
Awaitable<> Module::stay_lost() {
  set_problem(explain(Finding::module_lost).word, false);
  refuse_scans(state_.problem);
  const auto later = Clock::now() + seconds(modem_.poll_s);
  const auto look = back_at_ ? std::min(*back_at_, later) : later;
  co_await wait_idle(look, true);
}

/// It was forced to speak, and did.
void Module::find_again() {
  log::notice(port_.subject(), ": it was lost, and answers");
  lost_opening_ = 0;
  back_at_.reset();
  auto next = state_;
  next.present = true;
  change(next);
}

void Module::scan(Scan scan) {
  if (work_) return scan.done("busy", std::nullopt);
  scans_.push_back(std::move(scan));
  changed_.notify();
}

/// What was ordered until now is what is asked next.
void Module::heed_scans() {
  heeded_ = std::exchange(scans_, {});
  accepting_ =
      config_.imei.empty() && std::any_of(heeded_.begin(), heeded_.end(), [](const Scan& scan) { return scan.accept; });
  if (!heeded_.empty()) greeted_opening_ = 0;
}

/// Those that were heeded are told what was found.
Awaitable<> Module::answer_scans() {
  const auto scans = std::exchange(heeded_, {});
  if (scans.empty()) co_return;
  auto problem = state_.problem;
  std::optional<NetworkState> network;
  const auto* profile = modem_.profiles.choose(modem_.profile, state_.identity.model);
  if (problem.empty() && profile != nullptr) {
    network = co_await check_network(loop_, dialogue_, *profile, Clock::now());
    if (network->problem && !is_of_network(network->problem->finding)) {
      problem = explain(network->problem->finding).word;
      network.reset();
    }
  }
  for (const auto& scan : scans) {
    if (network && !network->problem && !scan.url.empty()) co_await rehearse(scan, network->cid);
    scan.done(problem, network);
  }
}

/// Nobody can be asked now.
void Module::refuse_scans(const std::string& problem) {
  for (const auto& scan : std::exchange(scans_, {})) scan.done(problem, std::nullopt);
}

/// A program that had opened the port before us, and took no lock, may take the module's answers.
void Module::tell_of_company() const {
  const auto other = find_holder_of(port_.name());
  if (other) log::warning(port_.subject(), ": ", port_.name(), " is also open in ", other->text(), ": stop it");
}

/// Who is there? The port was listened to, and nobody flashes.
Awaitable<> Module::greet() {
  const auto opening = port_.openings();
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) {
    if (state_.problem != explain(Finding::no_answer).word) tell_of_company();
    set_problem(explain(Finding::no_answer).word, !is_lost());
    co_return;
  }
  const auto identity = co_await dialogue_.identify(modem_.profiles, modem_.profile);
  if (!identity) {
    set_problem(explain(identity.error().code == Errc::invalid ? Finding::identity_invalid : Finding::no_answer).word,
                !is_lost());
    log::warning(port_.subject(), ": ", identity.error().message);
    co_return;
  }
  greeted_opening_ = met_opening_ = opening;
  if (expected_imei_.empty() || std::exchange(accepting_, false)) expected_imei_ = identity->imei;
  auto next = state_;
  next.online = true;
  next.identity = identity.value();
  const auto* profile = modem_.profiles.choose(modem_.profile, identity->model);
  next.profile = profile != nullptr ? profile->name : "";
  next.problem = identity->imei != expected_imei_ ? explain(Finding::module_changed).word
                 : profile == nullptr             ? explain(Finding::model_mismatch).word
                                                  : "";
  log::info(port_.subject(), ": ", identity->model, " ", identity->version, " IMEI ", identity->imei,
            next.problem.empty() ? "" : ": ", next.problem);
  change(next);
  co_await ask_status();
}

Awaitable<> Module::ask_status() {
  const auto creg = co_await dialogue_.say("AT+CREG?");
  const auto csq = co_await dialogue_.say("AT+CSQ");
  auto next = state_;  // as it is now: meanwhile it may have got another port
  if (creg) next.registered = parse_creg(creg->lines);
  if (csq) next.signal_dbm = parse_csq(csq->lines);
  if (!creg && !csq) {
    // It answered before and does not now: greet it anew.
    greeted_opening_ = 0;
    next.online = false;
    next.problem = explain(Finding::no_answer).word;
  }
  change(next);
}

/// FOTA was heard and is not ours: hands off until it has booted, has ended, or answers one bare AT after a long
/// silence (laws 3 and 4).
Awaitable<> Module::stand_back() {
  log::notice(port_.subject(), ": it is updating on somebody's behalf; hands off");
  auto next = state_;
  next.phase = Phase::updating;
  next.problem = explain(Finding::module_updating).word;
  change(next);
  const auto gap = seconds(timeouts_.progress_gap), settle = seconds(timeouts_.listen);
  const auto patience = fota_since_ + seconds(timeouts_.update);
  while (danger_.evidence == Evidence::fota_urc && !released_) {
    refuse_scans(state_.problem);
    if (work_ && (Clock::now() >= patience || work_->env->permission() == UpdateEnv::Permission::stop)) co_return;
    const auto opened = co_await port_.open();
    const auto quiet = Clock::now() - port_.last_heard();
    const auto enough = booted_ ? settle : settle * Dialogue::kSettlesAfterEnd;
    if (opened && (booted_ || ended_) && quiet >= enough) {
      danger_.evidence = booted_ ? Evidence::booted : Evidence::ended;
    } else if (opened && quiet >= gap && !is_lost()) {
      danger_.evidence = Evidence::silence;
      const auto reply = co_await dialogue_.say("AT");
      const bool answered = reply && reply->ok();
      danger_.evidence = answered ? Evidence::answered : Evidence::fota_urc;
    }
    if (danger_.evidence != Evidence::fota_urc) break;
    const auto look = Clock::now() + (opened ? settle : ModulePort::kAskForName);
    co_await changed_.wait_until(look);
    hear_fota();
  }
  if (released_) co_return;  // what it does is for the next opening to hear
  danger_.evidence = Evidence::nothing;
  booted_ = ended_ = false;
  greeted_opening_ = 0;
  next = state_;
  next.phase = Phase::idle;
  next.problem.clear();
  change(next);
}

/// Waits while nothing happens: an update, FOTA and a hang-up end it, and a scan where one is waited for.
Awaitable<> Module::wait_idle(Clock::time_point until, bool for_scans) {
  const auto back = back_at_;
  const auto called = [&] { return work_ || (for_scans && !scans_.empty()); };
  while (!called() && Clock::now() < until && !hear_fota() && port_.is_open() && back_at_ == back) {
    co_await changed_.wait_until(until);
  }
}

/// Reads what the idle module says. True when the newest word of it is that it flashes.
bool Module::hear_fota() {
  while (const auto line = port_.take_unsolicited()) {
    if (const auto urc = parse_qind(*line)) {
      const auto stage = stage_of(*urc, modem_.profiles);
      const bool flashes = stage == FotaStage::start || stage == FotaStage::updating || stage == FotaStage::restore;
      if (flashes && danger_.evidence != Evidence::fota_urc) fota_since_ = Clock::now();
      if (flashes) danger_.evidence = Evidence::fota_urc;
      if (flashes) booted_ = ended_ = false;
      if (stage == FotaStage::end) ended_ = true;
    } else if (is_boot_urc(*line)) {
      booted_ = true;
      if (lost_opening_ != 0 && !back_at_) back_at_ = Clock::now() + seconds(timeouts_.listen);
      greeted_opening_ = 0;  // it has forgotten ATE0, and may run another version
    } else if (rehearsal_ != nullptr) {
      rehearsal_->hear(*line);
    }
  }
  return danger_.evidence == Evidence::fota_urc;
}

Awaitable<> Module::perform() {
  port_.observe(work_->env->observer());
  refuse_scans("busy");
  hear_fota();
  const bool foreign = danger_.evidence == Evidence::fota_urc && work_->entry.step == Step::preparing;
  if (foreign) co_await stand_back();
  UpdateProcedure procedure(loop_, port_, work_->order, modem_.profiles, timeouts_, *work_->env);
  const auto refused = refuse_if_unapproachable();
  UpdateResult result;
  if (refused) {
    result = *refused;
  } else {
    result = co_await procedure.run(work_->entry);
  }
  if (result.outcome == Outcome::lost) {
    lost_opening_ = port_.openings();
    back_at_.reset();
  }
  if (!refused) danger_ = Danger();
  booted_ = ended_ = false;
  if (!refused && procedure.heard_a_stranger_flash(result)) {
    // The procedure has taken the URCs out of the port: what they said stays known here.
    danger_.evidence = Evidence::fota_urc;
    fota_since_ = Clock::now();
  }
  // Who it is and what it runs was read a moment ago, by these very commands.
  const bool met = result.outcome == Outcome::succeeded || result.outcome == Outcome::skipped;
  greeted_opening_ = met && !state_.identity.imei.empty() ? port_.openings() : 0;
  if (met) met_opening_ = port_.openings();
  auto next = state_;
  next.phase = Phase::idle;
  if (!result.version.empty()) next.identity = {result.model, result.version, result.imei};
  next.online = next.present = !is_lost() && port_.is_open();
  next.problem = is_lost() ? explain(Finding::module_lost).word : "";
  // The outcome first, then the idle state: nobody shall see an idle module whose job still runs.
  state_ = std::move(next);
  port_.observe(nullptr);
  const auto done = std::move(work_->done);
  work_.reset();
  done(result);
  observer_.module_changed(*this);
}

bool Module::is_lost() const {
  const bool back = back_at_ && Clock::now() >= *back_at_;
  return lost_opening_ != 0 && port_.openings() <= lost_opening_ && !back;
}

/// To a lost module not a word is written, nor to one that somebody else updates and that has had its time.
std::optional<UpdateResult> Module::refuse_if_unapproachable() {
  if (work_->entry.step != Step::preparing) return std::nullopt;  // ours: the procedure listens by itself
  const bool updating = danger_.evidence == Evidence::fota_urc;
  if (!is_lost() && !updating) return std::nullopt;
  UpdateResult result;
  result.attempts = work_->entry.attempt;
  if (work_->env->permission() == UpdateEnv::Permission::stop) {
    result.outcome = Outcome::canceled;
    return result;
  }
  result.outcome = work_->entry.attempt == 0 ? Outcome::rejected : Outcome::failed;
  result.error = UpdateError::of(updating ? Finding::module_updating : Finding::module_lost, Phase::preparing);
  work_->env->attempt_failed(*result.error, work_->entry.attempt, std::nullopt);
  return result;
}

void Module::expect(const std::string& imei) {
  if (config_.imei.empty()) expected_imei_ = imei;
}

void Module::set_phase(Phase phase) {
  if (phase == state_.phase) return;
  auto next = state_;
  next.phase = phase;
  change(next);
}

void Module::set_problem(std::string_view word, bool present) {
  auto next = state_;
  next.online = false;
  next.present = present;
  next.problem = word;
  change(next);
}

void Module::change(ModuleState next) {
  if (released_) {
    next.online = next.present = false;
    next.phase = Phase::idle;
    next.problem = explain(Finding::released).word;
  }
  if (next == state_) return;
  state_ = std::move(next);
  if (!retired_) observer_.module_changed(*this);
}

}  // namespace dfota
