// What an update hears of its module, and how it ends (the rest of UpdateProcedure; the story is in
// update_procedure.cpp).
#include <algorithm>

#include "modem/stage_names.hpp"
#include "modem/update_procedure.hpp"
#include "transport/base/log.hpp"
#include "transport/base/masked.hpp"

namespace dfota {
namespace {

/// A percentage, or an ordinal out of `most`; nothing when it can be neither.
std::optional<int> percent_of(int value, unsigned most) {
  if (value < 0 || value > static_cast<int>(most)) return std::nullopt;
  return static_cast<int>(static_cast<unsigned>(value) * 100U / most);
}

/// What our own server saw makes the module's number say more.
void sharpen(UpdateError& error, const Transfer& transfer, bool started) {
  if (transfer.requests == 0) {
    if (!started) return;
    error.message = "no request of the module reached the file server (not_reachable)";
    error.hint = std::string(explain(Finding::not_reachable).hint) + " " + error.hint;
    return;
  }
  const auto percent = transfer.size == 0 ? 0 : transfer.delivered_bytes * 100 / transfer.size;
  error.message = "the file server had delivered " + std::to_string(transfer.delivered_bytes) + " of " +
                  std::to_string(transfer.size) + " bytes (" + std::to_string(percent) + " %) in " +
                  std::to_string(transfer.requests) + (transfer.requests == 1 ? " request" : " requests");
  if (transfer.delivered_bytes < transfer.size) {
    error.hint =
        "The module reached the file server, so that address and PDP context are right: look at signal, at time-outs "
        "of NAT on the way, and at the module's load. " +
        error.hint;
  } else {
    error.hint =
        "Every byte was delivered, so that the network did its part: look at the module's free space (AT+QFLDS). " +
        error.hint;
  }
}

}  // namespace

void UpdateProcedure::hear() {
  while (const auto line = port_.take_unsolicited()) hear(*line);
}

void UpdateProcedure::hear(const std::string& line) {
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
  last_heard_ = line;
  last_heard_at_ = Clock::now();
  const auto urc = parse_qind(line);
  const bool counts = urc && urc->stage == FotaStage::updating;
  if (!counts) log::info(port_.subject(), ": heard ", masked_line(line));
  if (urc) {
    hear(*urc);
    return;
  }
  switch (parse_power_urc(line)) {
    case PowerUrc::none:
      break;
    case PowerUrc::low_voltage:
      warn("low_voltage");
      return;
    case PowerUrc::down:
      powered_down_at_ = Clock::now();
      return;
  }
  if (!is_boot_urc(line)) return;
  if (line == "RDY") ++boots_;
  booted_at_ = Clock::now();
  powered_down_at_.reset();
  if (checkpoint_.step == Step::released) report(Phase::rebooting);
}

void UpdateProcedure::hear(const FotaUrc& urc) {
  powered_down_at_.reset();
  const auto stage = stage_of(urc, profiles_);
  switch (stage) {
    case FotaStage::ftp_start:
    case FotaStage::http_start:
      if (!started_) start_deadline_ = Clock::now() + seconds(timeouts_.start);  // now to its first request
      started_ = true;
      break;
    case FotaStage::downloading:
      started_ = true;
      // Of a stream we know ourselves how much was written: one count, that never falls.
      if (urc.value && profile_ != nullptr && downloads()) {
        downloading_percent_ = percent_of(*urc.value, profile_->stages.downloading_max);
      }
      break;
    case FotaStage::file_start:
      started_ = true;
      file_wanted_ = order_.delivery == Delivery::upload && checkpoint_.step == Step::released;
      if (file_wanted_) danger_.evidence = Evidence::file_wanted;
      break;
    case FotaStage::ftp_end:
      hear_transfer_end(CodeSource::ftp, urc);
      break;
    case FotaStage::http_end:
      hear_transfer_end(CodeSource::http, urc);
      break;
    case FotaStage::file_end:
      hear_transfer_end(CodeSource::file, urc);
      break;
    case FotaStage::start:
    case FotaStage::updating:
    case FotaStage::restore:
      hear_flashing(urc, stage);
      break;
    case FotaStage::end:
      file_wanted_ = false;
      end_code_ = urc.value;
      ended_at_ = Clock::now();
      if (checkpoint_.step == Step::released) report(Phase::rebooting);
      break;
    case FotaStage::unknown:
      break;
  }
}

void UpdateProcedure::hear_transfer_end(CodeSource source, const FotaUrc& urc) {
  file_wanted_ = false;
  if (danger_.evidence == Evidence::file_wanted) danger_.evidence = Evidence::nothing;
  // A result without a number names no success.
  if (urc.value && *urc.value == 0) {
    downloaded_ = true;
    if (checkpoint_.step == Step::released) report(Phase::rebooting);
  } else {
    transfer_error_ = UpdateError::of(source, urc.value.value_or(-1), Phase::downloading, profile_);
  }
}

void UpdateProcedure::hear_flashing(const FotaUrc& urc, FotaStage stage) {
  flashing_ = true;
  file_wanted_ = false;
  danger_.evidence = Evidence::fota_urc;
  ended_at_.reset();
  booted_at_.reset();
  if (checkpoint_.step != Step::released) return;
  const unsigned most = profile_ != nullptr && stage == FotaStage::updating ? profile_->stages.updating_max : 100;
  auto percent = stage == FotaStage::start || !urc.value ? std::nullopt : percent_of(*urc.value, most);
  if (percent && profile_ != nullptr && !profile_->stages.restore.empty()) {
    // RESTORE follows UPDATING, and both count to their own end.
    percent = *percent / 2 + (stage == FotaStage::restore ? 50 : 0);
  }
  report(Phase::updating, percent);
}

void UpdateProcedure::forget_what_was_heard() {
  hear();  // what belongs to the time before is read, and then forgotten
  started_ = downloaded_ = flashing_ = file_wanted_ = streamed_ = answers_ = stands_by_ = false;
  boots_ = 0;
  last_heard_.clear();
  downloading_percent_.reset();
  powered_down_at_.reset();
  transfer_error_.reset();
  end_code_.reset();
  ended_at_.reset();
  booted_at_.reset();
  quiet_until_.reset();
  port_gone_at_.reset();
  error_.reset();
  old_version_seen_ = false;
}

/// The family is known: its deadlines stand where the operator is silent.
void UpdateProcedure::follow(const Profile* profile) {
  profile_ = profile;
  if (profile_ != nullptr) timeouts_ = operator_timeouts_.with(profile_->deadlines);
}

void UpdateProcedure::begin_deadlines() {
  start_deadline_ = Clock::now() + seconds(timeouts_.start);
  download_deadline_ = Clock::now() + seconds(timeouts_.download);
  update_deadline_ = Clock::now() + seconds(timeouts_.update);
}

/// As far as is known the package is still on its way.
bool UpdateProcedure::fetching() {
  return order_.delivery != Delivery::file && !downloaded_ && !flashing_ && !ended_at_ && !booted_at_ &&
         !port_gone_at_ && openings_ == port_.openings() && (downloads() || file_wanted_);
}

/// It said so, and nothing came after it.
bool UpdateProcedure::powered_down(Clock::time_point now) const {
  return powered_down_at_ && now >= *powered_down_at_ + seconds(timeouts_.listen);
}

/// It fetches, and has said nothing that ends that: an answer does not mean that it will not flash. What left our file
/// server may still wait in a proxy of the operator's network; for that it has the time of a download.
bool UpdateProcedure::may_still_begin() const {
  if (checkpoint_.step != Step::released || flashing_ || ended_at_ || booted_at_) return false;
  if (!is_http()) return true;
  return !downloaded_ && openings_ == port_.openings() && Clock::now() < download_deadline_;
}

/// It said that it is through or has booted: when it will have had its time since, and may be asked. Never, if it said
/// neither.
Clock::time_point UpdateProcedure::may_ask_at() {
  if (!ended_at_ && !booted_at_) return Clock::time_point::max();
  // A reboot follows END, and until RDY nobody listens there: END alone is given more time; so is RDY when the family
  // boots more often before it is through.
  const auto reboots = std::max(boots_, port_.openings() - openings_);
  const bool through = booted_at_ && (ended_at_ || profile_ == nullptr || reboots >= profile_->reboots);
  const auto settle = seconds(timeouts_.listen) * (through ? 1 : Dialogue::kSettlesAfterEnd);
  const auto said = booted_at_ ? *booted_at_ : *ended_at_;
  const auto settled = std::max(said, port_.opened_at()) + settle;
  return std::max(settled, quiet_until_.value_or(settled));
}

/// The port went in mid-download, and either it stays away or the module, back again, does not go on with its file.
bool UpdateProcedure::port_did_not_bring_it_back(Clock::time_point now) {
  if (port_gone_at_) return now >= *port_gone_at_ + seconds(timeouts_.reboot);
  return port_.openings() != openings_ && now >= port_.opened_at() + seconds(timeouts_.start);
}

/// What the module itself has said of its download, if that ends it before the last byte was released.
std::optional<UpdateProcedure::Fate> UpdateProcedure::download_verdict() {
  if (transfer_error_) {
    danger_.evidence = Evidence::transfer_failed;
    if (stands_by_) {
      log::notice(port_.subject(), ": it did not wait for its last byte (", transfer_error_->name,
                  "); it downloads again when it may reboot at once");
      return anew_at_no_cost();
    }
    if (transfer_error_->source == to_word(CodeSource::http)) sharpen(*transfer_error_, env_.transfer(), started_);
    env_.void_token();
    return over(*transfer_error_);
  }
  if (ended_at_ && !downloaded_ && !flashing_) {
    danger_.evidence = Evidence::ended;
    env_.void_token();
    return over(UpdateError::of(CodeSource::update, end_code_.value_or(-1), Phase::downloading, profile_));
  }
  return std::nullopt;
}

/// What ends the wait after the border: the module's own word, or its long silence.
std::optional<UpdateProcedure::Fate> UpdateProcedure::flash_verdict(Clock::time_point now) {
  if (transfer_error_) {
    danger_.evidence = Evidence::transfer_failed;
    if (is_http()) sharpen(*transfer_error_, env_.transfer(), started_);
    env_.void_token();
    return over(*transfer_error_);
  }
  if (powered_down(now)) {
    return finish(Outcome::lost, UpdateError::of(Finding::powered_down, progress_.phase, last_heard_text()));
  }
  if (now < update_deadline_) return std::nullopt;
  if (answers_) {
    return finish(Outcome::failed, UpdateError::of(Finding::update_timeout, progress_.phase,
                                                   "it answers and runs " + version_ + "; " + last_heard_text()));
  }
  return finish(Outcome::lost, UpdateError::of(Finding::update_timeout, progress_.phase, last_heard_text()));
}

std::string UpdateProcedure::last_heard_text() const {
  if (last_heard_.empty()) return "nothing was heard since the command";
  const auto ago = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - last_heard_at_).count();
  return "the last that was heard, " + std::to_string(ago) + " s ago: " + masked_line(last_heard_);
}

UpdateProcedure::Fate UpdateProcedure::judge(const Identity& identity) {
  if (!order_.imei.empty() && identity.imei != order_.imei) {
    return finish(Outcome::failed, UpdateError::of(Finding::module_changed, Phase::verifying,
                                                   "expected IMEI " + order_.imei + ", found " + identity.imei));
  }
  if (order_.leads_to(version_)) {
    if (!ended_at_) warn("end_not_seen");
    if (end_code_ && *end_code_ != 0) warn("end_code_" + std::to_string(*end_code_));
    return finish(Outcome::succeeded, {});
  }
  if (end_code_ && *end_code_ != 0) {
    return finish(Outcome::failed, UpdateError::of(CodeSource::update, *end_code_, Phase::updating, profile_));
  }
  if (order_.starts_from(version_) && booted_at_ && !is_http() && !flashing_ && !ended_at_ && !downloaded_) {
    auto error = UpdateError::of(Finding::module_reset, Phase::downloading, "it runs " + version_ + " still");
    error.retryable = false;  // RDY is not a word that ends an attempt (law 1)
    return finish(Outcome::failed, std::move(error));
  }
  return finish(Outcome::failed,
                UpdateError::of(Finding::target_mismatch, Phase::verifying, "the module runs " + version_));
}

/// It has all but its last byte, and others of its tag reboot. What it waits for is no fault of its own: no time-out of
/// ours ends it, but the time it has to say something once it does not ask for that byte any more.
void UpdateProcedure::stand_by(Clock::time_point now) {
  if (!stands_by_) {
    log::info(port_.subject(), ": it has all but its last byte, and waits until fewer of its tag reboot");
    env_.download_over();
  }
  stands_by_ = stood_by_ = true;
  download_deadline_ = std::max(download_deadline_, now + seconds(timeouts_.start));
}

/// The attempt is over before its last byte, and not by a fault of the module: it is not counted.
UpdateProcedure::Fate UpdateProcedure::anew_at_no_cost() {
  env_.void_token();
  --checkpoint_.attempt;
  checkpoint_.token.clear();
  checkpoint_.step = Step::preparing;
  return Fate::anew;
}

/// Voids the token. When the last byte had not been released, the attempt is over with certainty; else it goes on in
/// danger.
UpdateProcedure::Fate UpdateProcedure::cut_off(Finding finding, std::string message) {
  if (!env_.void_token()) return Fate::go_on;
  danger_.evidence = Evidence::token_void;
  return over(UpdateError::of(finding, Phase::downloading, std::move(message)));
}

UpdateProcedure::Fate UpdateProcedure::over(UpdateError error) {
  checkpoint_.step = Step::preparing;
  checkpoint_.token.clear();
  error_ = std::move(error);
  log::notice(port_.subject(), ": attempt ", checkpoint_.attempt, " is over: ", error_->name,
              error_->number ? " " + std::to_string(*error_->number) : "", " ", error_->message);
  return Fate::attempt_over;
}

/// The job was canceled or stopped, and the last byte has not left.
UpdateProcedure::Fate UpdateProcedure::cut_by_order() {
  if (!env_.void_token()) return Fate::go_on;
  danger_.evidence = Evidence::token_void;
  return finish(Outcome::canceled, {});
}

UpdateProcedure::Fate UpdateProcedure::fail_or_reject(UpdateError error) {
  return finish(commands_sent_ == 0 ? Outcome::rejected : Outcome::failed, std::move(error));
}

UpdateProcedure::Fate UpdateProcedure::finish(Outcome outcome, std::optional<UpdateError> error) {
  result_.outcome = outcome;
  result_.version = version_;
  result_.model = model_;
  result_.imei = imei_;
  result_.attempts = commands_sent_;
  result_.error = std::move(error);
  return Fate::done;
}

void UpdateProcedure::report(Phase phase, std::optional<int> percent) {
  progress_.phase = phase;
  progress_.percent = percent;
  int overall = progress_.overall_percent;
  switch (phase) {
    case Phase::uploading:
    case Phase::downloading:
      overall = percent.value_or(0) / 2;
      break;
    case Phase::rebooting:
      overall = 50;
      break;
    case Phase::updating:
      overall = 50 + percent.value_or(0) * 49 / 100;
      break;
    case Phase::verifying:
      overall = 99;
      break;
    case Phase::idle:
    case Phase::queued:
    case Phase::preparing:
      break;
  }
  progress_.overall_percent = std::max(progress_.overall_percent, overall);
  env_.progress(progress_);
}

/// Our own server knows the bytes that were delivered; of the other downloads the module may tell.
void UpdateProcedure::report_download() {
  auto percent = downloading_percent_;
  if (is_http()) {
    const auto transfer = env_.transfer();
    percent.reset();
    if (transfer.size > 0) percent = static_cast<int>(transfer.delivered_bytes * 100 / transfer.size);
  }
  report(downloads() ? Phase::downloading : Phase::uploading, percent);
}

void UpdateProcedure::report_upload(std::uint64_t sent, std::uint64_t size) {
  progress_.sent_bytes = sent;
  progress_.total_bytes = size;
  report(Phase::uploading, size == 0 ? 0 : static_cast<int>(sent * 100 / size));
}

void UpdateProcedure::warn(std::string word) {
  if (std::find(result_.warnings.begin(), result_.warnings.end(), word) == result_.warnings.end()) {
    result_.warnings.push_back(std::move(word));
  }
}

}  // namespace dfota
