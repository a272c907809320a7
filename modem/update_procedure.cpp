#include "modem/update_procedure.hpp"

#include <algorithm>

#include "modem/fota_command.hpp"
#include "modem/upload.hpp"
#include "transport/base/log.hpp"

namespace dfota {

UpdateProcedure::UpdateProcedure(asio::io_context& loop, ModulePort& port, UpdateOrder order, const Profiles& profiles,
                                 const TimeoutsConfig& timeouts, UpdateEnv& env)
    : loop_(loop),
      port_(port),
      order_(std::move(order)),
      profiles_(profiles),
      operator_timeouts_(timeouts),
      timeouts_(timeouts),
      env_(env),
      dialogue_(port, danger_, [this] { hear(); }) {}

Awaitable<UpdateResult> UpdateProcedure::run(Checkpoint entry) {
  checkpoint_ = entry;
  commands_sent_ = entry.attempt;
  danger_.step = entry.step;
  follow(profiles_.by_name(entry.profile));
  if (entry.uploading) file_data_until_ = Clock::now() + kUploadIdle + kUploadSettle;
  progress_.attempt = std::max(1u, entry.attempt);
  auto fate = co_await enter();
  while (fate != Fate::done) {
    if (fate == Fate::anew) {
      env_.slot_over();
      if (stands_by_) {
        // It may wait long for its place: neither a restart nor a cancel shall take it for one that downloads.
        const auto committed = co_await env_.commit(checkpoint_);
        if (!committed) log::warning(port_.subject(), ": ", committed.error().message);
      }
      fate = co_await attempt();
      continue;
    }
    co_await hear_of_the_cut();  // it counts among those that download until then
    env_.slot_over();
    const bool again = error_->retryable && checkpoint_.attempt < order_.attempts;
    const auto next_pause = again ? env_.backoff(checkpoint_.attempt + 1) : Clock::duration::zero();
    env_.attempt_failed(*error_, checkpoint_.attempt, again ? std::optional(next_pause) : std::nullopt);
    if (!again) {
      co_await remove_upload();
      finish(Outcome::failed, error_);
      co_return result_;
    }
    // A restart in the pause must not take the module for one that flashes. Were this not written, it would only listen
    // longer: the result decides nothing.
    checkpoint_.pause = next_pause;
    const auto committed = co_await env_.commit(checkpoint_);
    if (!committed) log::warning(port_.subject(), ": ", committed.error().message);
    report(Phase::preparing);
    co_await pause(next_pause);
    fate = co_await attempt();
  }
  co_await hear_of_the_cut();
  env_.slot_over();
  if (result_.error) env_.attempt_failed(*result_.error, checkpoint_.attempt, std::nullopt);
  co_return result_;
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
  const bool to_reboot = !is_http() || stood_by_;
  const bool taken = co_await env_.take_slot(to_reboot);
  if (!taken) co_return co_await stopped();
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

/// The one place that writes AT+QFOTADL: once for each attempt, after the border is in the journal (laws 1 and 2).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::command() {
  Checkpoint next;
  next.step = is_http() ? Step::commanded : Step::released;
  next.attempt = checkpoint_.attempt + 1;
  if (is_http()) next.token = FileServer::make_token();
  next.profile = profile_->name;
  if (!may_command()) co_return Fate::anew;
  auto made = command_text(next.token);
  if (auto* unfit = std::get_if<UpdateError>(&made)) {
    env_.void_token();
    co_return fail_or_reject(std::move(*unfit));
  }
  const auto committed = co_await env_.commit(next);
  if (!committed) {
    env_.void_token();
    co_return fail_or_reject(
        UpdateError::of(Finding::journal_unavailable, Phase::preparing, committed.error().message));
  }
  const auto before = std::exchange(checkpoint_, next);
  forget_what_was_heard();
  if (danger_.evidence == Evidence::fota_urc) {
    env_.void_token();
    checkpoint_ = before;
    co_return fail_or_reject(UpdateError::of(Finding::module_updating, Phase::preparing));
  }
  if (!port_.is_open() || !may_command()) co_return co_await take_back(before);
  danger_.step = checkpoint_.step;
  danger_.evidence = Evidence::nothing;
  ++commands_sent_;
  if (order_.delivery == Delivery::url || order_.delivery == Delivery::file) warn("unverified_delivery");
  openings_ = port_.openings();
  report(downloads() ? Phase::downloading : Phase::rebooting);
  begin_deadlines();
  const std::string text = std::get<std::string>(std::move(made));
  log::info(port_.subject(), ": attempt ", checkpoint_.attempt, ": AT+QFOTADL sent (", to_word(order_.delivery), ")");
  const auto reply = co_await port_.command(text, kCommandLimit);
  co_return take_reply(reply);
}

/// The port, or the permission, went while the journal was written: the command was not, and the attempt is none.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::take_back(Checkpoint before) {
  env_.void_token();
  checkpoint_ = before;
  const auto committed = co_await env_.commit(before);
  if (!committed) {
    co_return fail_or_reject(
        UpdateError::of(Finding::journal_unavailable, Phase::preparing, committed.error().message));
  }
  co_return Fate::anew;
}

/// AT+QFOTADL in the family's spelling; or why this family cannot be told so.
std::variant<std::string, UpdateError> UpdateProcedure::command_text(const std::string& token) {
  std::variant<std::string, Unfit> made;
  switch (order_.delivery) {
    case Delivery::http: {
      const auto offered = env_.offer(token);
      if (!offered) return UpdateError::of(Finding::artifact_unavailable, Phase::preparing, offered.error().message);
      made = command_for_url(*profile_, order_.delivery, offered.value());
      break;
    }
    case Delivery::ftp:
    case Delivery::url:
      made = command_for_url(*profile_, order_.delivery, order_.url);
      break;
    case Delivery::upload: {
      std::error_code error;
      const auto size = std::filesystem::file_size(order_.package, error);
      if (error) return UpdateError::of(Finding::artifact_unavailable, Phase::preparing, error.message());
      if (profile_->local_form == LocalForm::stream) return command_for_stream(*profile_, size);
      made = command_for_file(*profile_, upload_name());
      break;
    }
    case Delivery::file:
      made = command_for_file(*profile_, order_.file);
      break;
  }
  if (const auto* unfit = std::get_if<Unfit>(&made)) {
    return UpdateError::of(unfit->finding, Phase::preparing, unfit->message);
  }
  return std::get<std::string>(made);
}

UpdateProcedure::Fate UpdateProcedure::take_reply(const Result<AtReply>& reply) {
  if (!reply) {
    warn("command_not_acknowledged");  // it was written all the same: from here on the module is listened to
    return Fate::go_on;
  }
  if (reply->ok()) return Fate::go_on;
  danger_.evidence = Evidence::refused;
  env_.void_token();
  if (reply->final == AtEvent::Kind::cme_error && reply->code) {
    return over(UpdateError::of(CodeSource::command, *reply->code, Phase::downloading, profile_));
  }
  return over(UpdateError::of(Finding::at_error, Phase::downloading, "AT+QFOTADL was answered by " + reply->text));
}

/// From the command to the last byte of our file server. Until that is released, a void token ends the attempt with
/// certainty. Of the other deliveries there is no such part: nothing ends them but the module's word.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::follow_download() {
  if (!is_http()) co_return Fate::go_on;
  for (;;) {
    hear();
    const auto transfer = env_.transfer();
    if (const auto fate = download_verdict()) co_return *fate;
    if (const auto fate = recovery_verdict()) co_return *fate;
    if (is_stopped() && !downloaded_ && !flashing_) co_return cut_by_order();
    // Its own word that it has all, or that it flashes, without our last byte: believe the worst, and go on listening.
    if (downloaded_ || flashing_) co_return co_await release();
    if (booted_at_) co_return cut_off(Finding::module_reset, {});
    if (powered_down_at_) co_return cut_off(Finding::powered_down, last_heard_);
    if (transfer.last_byte_wanted) {
      if (env_.take_reboot_slot()) co_return co_await release();
      stand_by(Clock::now());
    }
    if (transfer.requests > 0) report_download();
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
  if (!committed) write_again_at_ = Clock::now() + kWriteAgain;
  checkpoint_ = next;
  danger_.step = Step::released;
  begin_deadlines();
  if (downloaded_ || flashing_) {
    env_.adopt_slot(true);
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
    if (file_wanted_ && !streamed_) co_await stream_package();
    if (write_again_at_ && Clock::now() >= *write_again_at_) co_await write_again();
    const auto now = Clock::now();
    if (const auto fate = flash_verdict(now)) co_return *fate;
    if (const auto fate = recovery_verdict()) co_return *fate;
    if (fetching()) {
      report_download();
    } else {
      env_.download_over();
    }
    if (now >= may_ask_at() && port_.is_open()) {
      danger_.evidence = ended_at_ ? Evidence::ended : Evidence::booted;
      const auto fate = co_await verify();
      if (fate != Fate::go_on) co_return fate;
    } else if (now >= next_gap_ && port_.is_open()) {
      const auto fate = co_await end_silence();
      if (fate != Fate::go_on) co_return fate;
    }
    auto wake = std::min({update_deadline_, next_gap_, may_ask_at()});
    if (write_again_at_) wake = std::min(wake, *write_again_at_);
    if (powered_down_at_) wake = std::min(wake, *powered_down_at_ + seconds(timeouts_.listen));
    if (is_http() && fetching()) wake = std::min(wake, now + kProgressTick);
    co_await reopen_or_wait(wake);
  }
}

/// The module flashes whatever the journal says: a restart must know it, too.
Awaitable<> UpdateProcedure::write_again() {
  write_again_at_ = Clock::now() + kWriteAgain;
  const auto committed = co_await env_.commit(checkpoint_);
  if (committed) write_again_at_.reset();
}

/// Nothing at all was heard for progress_gap: one bare AT, whose answer ends the silence (law 3).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::end_silence() {
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
  danger_.evidence = Evidence::silence;
  log::notice(port_.subject(), ": nothing was heard for ", timeouts_.progress_gap, " s; asking with one bare AT");
  const auto reply = co_await dialogue_.say("AT");
  if (danger_.evidence != Evidence::silence) co_return Fate::go_on;  // FOTA was heard meanwhile
  answers_ = reply && reply->ok();
  danger_.evidence = answers_ ? Evidence::answered : Evidence::nothing;
  if (!answers_) co_return Fate::go_on;
  co_return co_await verify();
}

/// The version decides, read by the same command as before (law 5).
Awaitable<UpdateProcedure::Fate> UpdateProcedure::verify() {
  if (!may_still_begin()) report(Phase::verifying);
  quiet_until_ = Clock::now() + seconds(timeouts_.listen);
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) co_return Fate::go_on;
  const auto identity = co_await dialogue_.identify(profiles_, order_.profile);
  if (!identity || danger_.evidence == Evidence::fota_urc) co_return Fate::go_on;
  version_ = identity->version;
  model_ = identity->model;
  imei_ = identity->imei;
  answers_ = true;
  if (order_.starts_from(version_) && may_still_begin()) {
    // It answers while it downloads, too: its own word is waited for.
    danger_.evidence = Evidence::nothing;
    co_return Fate::go_on;
  }
  const bool pending = order_.starts_from(version_) && !flashing_ && !ended_at_ && !old_version_seen_;
  if (pending) {
    // It may have booted once more before it flashes: listen for another settle time before the old version is
    // believed.
    old_version_seen_ = true;
    quiet_until_ = Clock::now() + seconds(timeouts_.listen);
    co_return Fate::go_on;
  }
  co_await remove_upload();
  co_return judge(identity.value());
}

/// A module whose download was cut off says so in a moment (HTTPEND). Before that it takes no command, and after the
/// next one its word would be taken for the next attempt's.
Awaitable<> UpdateProcedure::hear_of_the_cut() {
  if (danger_.evidence != Evidence::token_void) co_return;
  const auto until = Clock::now() + seconds(timeouts_.listen);
  while (Clock::now() < until && !transfer_error_ && port_.is_open()) {
    co_await port_.changed().wait_until(until);
    hear();
  }
}

/// In its place there is a module in recovery mode, and it does not go away: the firmware is damaged.
std::optional<UpdateProcedure::Fate> UpdateProcedure::recovery_verdict() {
  const auto since = port_.forbidden_since();
  if (!since || Clock::now() < *since + seconds(timeouts_.reboot)) return std::nullopt;
  env_.void_token();
  return finish(Outcome::lost, UpdateError::of(Finding::recovery_needed, progress_.phase, last_heard_text()));
}

/// Between two attempts.
Awaitable<> UpdateProcedure::pause(Clock::duration time) {
  const auto until = Clock::now() + time;
  co_await listen_until(until);
  checkpoint_.pause = {};
}

Awaitable<> UpdateProcedure::listen_until(Clock::time_point until) {
  while (Clock::now() < until && !is_stopped()) {
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
    if (std::exchange(unheard_, false)) leave_time_to_ask();
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
