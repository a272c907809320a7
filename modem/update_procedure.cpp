#include "modem/update_procedure.hpp"

#include <algorithm>

#include "transport/base/log.hpp"

namespace dfota {

UpdateProcedure::UpdateProcedure(asio::io_context& loop, ModulePort& port, UpdateOrder order,
                                 const TimeoutsConfig& timeouts, UpdateEnv& env)
    : loop_(loop),
      port_(port),
      order_(std::move(order)),
      timeouts_(timeouts),
      env_(env),
      dialogue_(port, danger_, [this] { hear(); }) {}

Awaitable<UpdateResult> UpdateProcedure::run(Checkpoint entry) {
  checkpoint_ = entry;
  commands_sent_ = entry.attempt;
  danger_.step = entry.step;
  progress_.attempt = std::max(1u, entry.attempt);
  auto fate = co_await enter();
  while (fate == Fate::attempt_over) {
    env_.slot_over();
    const bool again = error_->retryable && checkpoint_.attempt < order_.attempts;
    const auto pause = again ? env_.backoff(checkpoint_.attempt + 1) : Clock::duration::zero();
    env_.attempt_failed(*error_, checkpoint_.attempt, again ? std::optional(pause) : std::nullopt);
    if (!again) {
      finish(Outcome::failed, error_);
      co_return result_;
    }
    report(Phase::preparing);
    const auto next_attempt_at = Clock::now() + pause;
    co_await listen_until(next_attempt_at);
    fate = co_await attempt();
  }
  env_.slot_over();
  if (result_.error) env_.attempt_failed(*result_.error, checkpoint_.attempt, std::nullopt);
  co_return result_;
}

/// After a restart the story goes on where the journal says it was.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::enter() {
  switch (checkpoint_.step) {
    case Step::preparing:
      co_return co_await attempt();
    case Step::commanded:
      co_return co_await resume_download();
    case Step::released:
      update_deadline_ = Clock::now() + seconds(timeouts_.update);
      env_.adopt_slot();
      env_.download_over();
      co_return co_await follow_flash();
  }
  co_return Fate::done;
}

Awaitable<UpdateProcedure::Fate> UpdateProcedure::attempt() {
  forget_what_was_heard();
  // FOTA that was heard in the pause since the last attempt stays heard: it is somebody else's, and hands off.
  const bool flashes = danger_.evidence == Evidence::fota_urc;
  danger_ = Danger();
  if (flashes) danger_.evidence = Evidence::fota_urc;
  progress_ = UpdateProgress();
  progress_.attempt = checkpoint_.attempt + 1;
  report(Phase::preparing);
  auto fate = co_await reach();
  if (fate != Fate::go_on) co_return fate;
  co_await env_.take_slot();
  if (!port_.is_open()) {
    // The wait may have been long, and it has restarted meanwhile.
    fate = co_await reach();
    if (fate != Fate::go_on) co_return fate;
  }
  fate = co_await prepare();
  if (fate != Fate::go_on) co_return fate;
  fate = co_await command();
  if (fate != Fate::go_on) co_return fate;
  fate = co_await follow_download();
  if (fate != Fate::go_on) co_return fate;
  co_return co_await follow_flash();
}

/// The port is there, was listened to for timeouts.listen since it was opened (law 4), and nobody flashes the module.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::reach() {
  const auto deadline = Clock::now() + seconds(timeouts_.absent);
  for (;;) {
    hear();
    const auto opened = co_await port_.open();
    if (opened) {
      const auto openings = port_.openings();
      const auto listened = port_.opened_at() + seconds(timeouts_.listen);
      co_await listen_until(listened);
      if (danger_.evidence == Evidence::fota_urc) {
        co_return fail_or_reject(UpdateError::of(Finding::module_updating, Phase::preparing));
      }
      if (port_.is_open() && port_.openings() == openings) co_return Fate::go_on;
    }
    if (Clock::now() >= deadline) {
      const bool held = !opened && opened.error().code != Errc::absent;
      const auto finding = held ? Finding::port_busy : Finding::absent;
      co_return fail_or_reject(
          UpdateError::of(finding, Phase::preparing, opened ? port_.name() + " hung up" : opened.error().message));
    }
    co_await sleep_for(loop_, ModulePort::kAskForName);
  }
}

/// Synchronise, identify, check the base, set the PDP context.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::prepare() {
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) {
    const auto finding = synchronised.error().code == Errc::link_lost ? Finding::port_lost
                         : synchronised.error().code == Errc::refused ? Finding::module_updating
                                                                      : Finding::no_answer;
    co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, synchronised.error().message));
  }
  const auto fate = co_await check_identity();
  if (fate != Fate::go_on) co_return fate;
  if (order_.pdp) {
    const auto set = co_await dialogue_.set_pdp_context(*order_.pdp);
    if (!set) {
      const auto finding = set.error().code == Errc::timeout ? Finding::no_answer : Finding::at_error;
      co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, set.error().message));
    }
  }
  co_return Fate::go_on;
}

Awaitable<UpdateProcedure::Fate> UpdateProcedure::check_identity() {
  const auto identity = co_await dialogue_.identify();
  if (!identity) {
    const auto code = identity.error().code;
    const auto finding = code == Errc::invalid   ? Finding::identity_invalid
                         : code == Errc::timeout ? Finding::no_answer
                                                 : Finding::port_lost;
    co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, identity.error().message));
  }
  version_ = identity->version;
  if (!order_.imei.empty() && identity->imei != order_.imei) {
    co_return fail_or_reject(UpdateError::of(Finding::module_changed, Phase::preparing,
                                             "expected IMEI " + order_.imei + ", found " + identity->imei));
  }
  if (!env_.claim_imei(identity->imei)) {
    co_return fail_or_reject(UpdateError::of(Finding::duplicate_imei, Phase::preparing, "IMEI " + identity->imei));
  }
  profile_ = find_profile(identity->model);
  if (profile_ == nullptr || (order_.profile != "auto" && order_.profile != profile_->name)) {
    co_return fail_or_reject(
        UpdateError::of(Finding::model_mismatch, Phase::preparing, "the module is a " + identity->model));
  }
  if (version_ == order_.to) co_return finish(commands_sent_ == 0 ? Outcome::skipped : Outcome::succeeded, {});
  if (version_ != order_.from) {
    co_return fail_or_reject(UpdateError::of(Finding::base_mismatch, Phase::preparing,
                                             "the module runs " + version_ + ", the delta starts from " + order_.from));
  }
  co_return Fate::go_on;
}

/// The one place that writes AT+QFOTADL: once for each attempt, after "commanded" is in the journal (law 1).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::command() {
  Checkpoint next;
  next.step = Step::commanded;
  next.attempt = checkpoint_.attempt + 1;
  next.token = FileServer::make_token();
  const auto offered = env_.offer(next.token);
  if (!offered)
    co_return fail_or_reject(UpdateError::of(Finding::artifact_unavailable, Phase::preparing, offered.error().message));
  const auto url = spell_url(*profile_, offered.value());
  if (url.size() > profile_->url_max_bytes) {
    env_.void_token();
    co_return fail_or_reject(UpdateError::of(Finding::url_too_long, Phase::preparing));
  }
  const auto committed = co_await env_.commit(next);
  if (!committed) {
    env_.void_token();
    co_return fail_or_reject(
        UpdateError::of(Finding::journal_unavailable, Phase::preparing, committed.error().message));
  }
  checkpoint_ = next;
  forget_what_was_heard();
  if (danger_.evidence == Evidence::fota_urc) {
    env_.void_token();
    co_return fail_or_reject(UpdateError::of(Finding::module_updating, Phase::preparing));
  }
  danger_.step = Step::commanded;
  danger_.evidence = Evidence::nothing;
  ++commands_sent_;
  openings_ = port_.openings();
  report(Phase::downloading);
  start_deadline_ = Clock::now() + seconds(timeouts_.start);
  download_deadline_ = Clock::now() + seconds(timeouts_.download);
  const std::string text = "AT+QFOTADL=\"" + url + "\"";
  log::info(port_.subject(), ": attempt ", checkpoint_.attempt, ": AT+QFOTADL sent");
  const auto reply = co_await port_.command(text, kCommandLimit);
  if (reply && !reply->ok()) {
    danger_.evidence = Evidence::refused;
    env_.void_token();
    const bool numbered = reply->final == AtEvent::Kind::cme_error && reply->code;
    co_return over(
        numbered ? UpdateError::of(CodeSource::command, *reply->code, Phase::downloading)
                 : UpdateError::of(Finding::at_error, Phase::downloading, "AT+QFOTADL was answered by " + reply->text));
  }
  if (!reply) warn("command_not_acknowledged");  // it was written all the same: from here on the module is listened to
  co_return Fate::go_on;
}

/// From the command to the last byte. Until that is released, a void token ends the attempt with certainty.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::follow_download() {
  for (;;) {
    hear();
    const auto transfer = env_.transfer();
    if (const auto fate = download_verdict()) co_return *fate;
    // Its own word that it has all, or that it flashes, without our last byte: believe the worst, and go on listening.
    if (downloaded_ || flashing_) co_return co_await release();
    if (booted_at_) co_return cut_off(Finding::module_reset, {});
    if (transfer.last_byte_wanted) co_return co_await release();
    if (transfer.requests > 0) report_download(transfer);
    const auto now = Clock::now();
    const bool began = started_ || transfer.requests > 0;
    if (!began && now >= start_deadline_) co_return cut_off(Finding::start_timeout, {});
    if (transfer.requests == 0 && now >= start_deadline_) co_return cut_off(Finding::not_reachable, {});
    if (now >= download_deadline_) co_return cut_off(Finding::download_timeout, {});
    if (transfer.open_connections == 0 && port_did_not_bring_it_back(now)) co_return cut_off(Finding::port_lost, {});
    const auto wake = transfer.requests == 0 ? std::min(start_deadline_, download_deadline_) : now + kProgressTick;
    co_await reopen_or_wait(wake);
  }
}

/// "May be flashing" is journalled, and only then the last byte leaves (law 2).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::release() {
  Checkpoint next = checkpoint_;
  next.step = Step::released;
  const auto committed = co_await env_.commit(next);
  if (!committed && !downloaded_ && !flashing_)
    co_return cut_off(Finding::journal_unavailable, committed.error().message);
  checkpoint_ = next;
  danger_.step = Step::released;
  update_deadline_ = Clock::now() + seconds(timeouts_.update);
  if (downloaded_ || flashing_) {
    env_.void_token();
    warn("flashing_before_last_byte");
  } else {
    env_.release_last_byte();
  }
  co_return Fate::go_on;
}

/// The module is listened to, not spoken to (law 3), until it is known to have come back.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::follow_flash() {
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
  for (;;) {
    hear();
    if (transfer_error_) {
      danger_.evidence = Evidence::transfer_failed;
      env_.void_token();
      co_return over(*transfer_error_);
    }
    const bool downloading =
        !downloaded_ && !flashing_ && !ended_at_ && !booted_at_ && !port_gone_at_ && openings_ == port_.openings();
    if (downloading) {
      report_download(env_.transfer());
    } else {
      env_.download_over();
    }
    const auto now = Clock::now();
    if (now >= update_deadline_) {
      co_return finish(Outcome::lost, UpdateError::of(Finding::update_timeout, progress_.phase));
    }
    if (Clock::now() >= may_ask_at() && port_.is_open()) {
      danger_.evidence = ended_at_ ? Evidence::ended : Evidence::booted;
      const auto fate = co_await verify();
      if (fate != Fate::go_on) co_return fate;
    } else if (now >= next_gap_ && port_.is_open()) {
      const auto fate = co_await end_silence();
      if (fate != Fate::go_on) co_return fate;
    }
    auto wake = std::min({update_deadline_, next_gap_, may_ask_at()});
    if (downloading) wake = std::min(wake, now + kProgressTick);
    co_await reopen_or_wait(wake);
  }
}

/// Nothing at all was heard for progress_gap: one bare AT, whose answer ends the silence (law 3).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::end_silence() {
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
  danger_.evidence = Evidence::silence;
  log::notice(port_.subject(), ": nothing was heard for ", timeouts_.progress_gap, " s; asking with one bare AT");
  const auto reply = co_await dialogue_.say("AT");
  if (danger_.evidence != Evidence::silence) co_return Fate::go_on;  // FOTA was heard meanwhile
  if (!reply || !reply->ok()) {
    danger_.evidence = Evidence::nothing;
    co_return Fate::go_on;
  }
  danger_.evidence = Evidence::answered;
  co_return co_await verify();
}

/// The version decides, read by the same command as before (law 5).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::verify() {
  report(Phase::verifying);
  quiet_until_ = Clock::now() + seconds(timeouts_.listen);
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) co_return Fate::go_on;
  const auto identity = co_await dialogue_.identify();
  if (!identity || danger_.evidence == Evidence::fota_urc) co_return Fate::go_on;
  version_ = identity->version;
  const bool pending = version_ == order_.from && !flashing_ && !ended_at_ && !old_version_seen_;
  if (pending) {
    // It may have booted once more before it flashes: listen for another settle time before the old version is
    // believed.
    old_version_seen_ = true;
    quiet_until_ = Clock::now() + seconds(timeouts_.listen);
    co_return Fate::go_on;
  }
  co_return judge(identity.value());
}

/// After a restart before the last byte: when the module asks for its file again while it is listened to, the attempt
/// goes on; else the token is voided and the attempt is made again at no cost.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::resume_download() {
  env_.adopt_slot();
  const auto offered = env_.offer(checkpoint_.token);
  start_deadline_ = Clock::now() + seconds(std::max(timeouts_.listen, 1.0));
  download_deadline_ = Clock::now() + seconds(timeouts_.download);
  report(Phase::downloading);
  while (offered && Clock::now() < start_deadline_ && env_.transfer().requests == 0 && !transfer_error_ &&
         !downloaded_ && !flashing_) {
    hear();
    co_await reopen_or_wait(start_deadline_);
  }
  if (offered && (env_.transfer().requests > 0 || downloaded_ || flashing_)) {
    const auto fate = co_await follow_download();
    if (fate != Fate::go_on) co_return fate;
    co_return co_await follow_flash();
  }
  env_.void_token();
  danger_.evidence = Evidence::token_void;
  --checkpoint_.attempt;
  checkpoint_.token.clear();
  checkpoint_.step = Step::preparing;
  env_.slot_over();
  co_return co_await attempt();
}

Awaitable<> UpdateProcedure::listen_until(Clock::time_point until) {
  while (Clock::now() < until) {
    hear();
    if (danger_.evidence == Evidence::fota_urc) co_return;
    co_await port_.changed().wait_until(until);
  }
  hear();
}

/// Waits for the next thing that happens, or until then; while the port is gone, for the next time to ask for its name.
Awaitable<> UpdateProcedure::reopen_or_wait(Clock::time_point until) {
  if (port_.is_open()) {
    co_await port_.changed().wait_until(until);
    co_return;
  }
  if (!port_gone_at_) {
    port_gone_at_ = Clock::now();
    if (checkpoint_.step == Step::released) report(Phase::rebooting);
  }
  const auto opened = co_await port_.open();
  if (opened) {
    port_gone_at_.reset();
    next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
    co_return;
  }
  if (!warned_reboot_ && Clock::now() >= *port_gone_at_ + seconds(timeouts_.reboot)) {
    warned_reboot_ = true;
    warn("reboot_takes_long");
    log::warning(port_.subject(), ": its port is gone for more than ", timeouts_.reboot,
                 " s: ", opened.error().message);
  }
  const auto ask = Clock::now() + ModulePort::kAskForName;
  co_await port_.changed().wait_until(ask);
}

}  // namespace dfota
