// What an update hears of its module, and how it ends (the rest of UpdateProcedure; the story is in
// update_procedure.cpp).
#include <algorithm>

#include "modem/update_procedure.hpp"
#include "transport/base/log.hpp"

namespace dfota {

void UpdateProcedure::hear() {
  while (const auto line = port_.take_unsolicited()) hear(*line);
}

void UpdateProcedure::hear(const std::string& line) {
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
  if (const auto urc = parse_qind(line)) {
    hear(*urc);
    return;
  }
  if (is_boot_urc(line)) {
    booted_at_ = Clock::now();
    if (checkpoint_.step == Step::released) report(Phase::rebooting);
  }
  log::info(port_.subject(), ": heard ", line);
}

void UpdateProcedure::hear(const FotaUrc& urc) {
  const auto failed = [&](CodeSource source) {
    // A result without a number names no success.
    if (urc.value && *urc.value == 0) {
      downloaded_ = true;
      if (checkpoint_.step == Step::released) report(Phase::rebooting);
    } else {
      transfer_error_ = UpdateError::of(source, urc.value.value_or(-1), Phase::downloading);
    }
  };
  if (urc.stage != FotaStage::updating) {
    log::info(port_.subject(), ": ", urc.name, urc.value ? "," + std::to_string(*urc.value) : "");
  }
  switch (urc.stage) {
    case FotaStage::ftp_start:
    case FotaStage::http_start:
    case FotaStage::file_start:
    case FotaStage::downloading:
      if (!started_) start_deadline_ = Clock::now() + seconds(timeouts_.start);  // now to its first request
      started_ = true;
      break;
    case FotaStage::ftp_end:
      failed(CodeSource::ftp);
      break;
    case FotaStage::http_end:
      failed(CodeSource::http);
      break;
    case FotaStage::file_end:
      failed(CodeSource::file);
      break;
    case FotaStage::start:
    case FotaStage::updating:
    case FotaStage::restore:
      flashing_ = true;
      danger_.evidence = Evidence::fota_urc;
      ended_at_.reset();
      booted_at_.reset();
      if (checkpoint_.step == Step::released) {
        const bool percent = urc.stage == FotaStage::updating && urc.value && *urc.value >= 0 && *urc.value <= 100;
        report(Phase::updating, percent ? urc.value : std::nullopt);
      }
      break;
    case FotaStage::end:
      end_code_ = urc.value;
      ended_at_ = Clock::now();
      if (checkpoint_.step == Step::released) report(Phase::rebooting);
      break;
    case FotaStage::unknown:
      break;
  }
}

void UpdateProcedure::forget_what_was_heard() {
  hear();  // what belongs to the time before is read, and then forgotten
  started_ = downloaded_ = flashing_ = false;
  transfer_error_.reset();
  end_code_.reset();
  ended_at_.reset();
  booted_at_.reset();
  quiet_until_.reset();
  port_gone_at_.reset();
  error_.reset();
  old_version_seen_ = false;
}

/// It said that it is through or has booted: when it will have had its time since, and may be asked. Never, if it said
/// neither.
Clock::time_point UpdateProcedure::may_ask_at() {
  if (!ended_at_ && !booted_at_) return Clock::time_point::max();
  // A reboot follows END, and until RDY nobody listens there: END alone is given more time.
  const auto settle = seconds(timeouts_.listen) * (booted_at_ ? 1 : Dialogue::kSettlesAfterEnd);
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
    env_.void_token();
    if (env_.transfer().requests == 0 && started_) {
      transfer_error_->message = "no request of the module reached the file server (not_reachable)";
      transfer_error_->hint = explain(Finding::not_reachable).hint;
    }
    return over(*transfer_error_);
  }
  if (ended_at_ && !downloaded_ && !flashing_) {
    danger_.evidence = Evidence::ended;
    env_.void_token();
    return over(UpdateError::of(CodeSource::update, end_code_.value_or(-1), Phase::downloading));
  }
  return std::nullopt;
}

UpdateProcedure::Fate UpdateProcedure::judge(const Identity& identity) {
  if (!order_.imei.empty() && identity.imei != order_.imei) {
    return finish(Outcome::failed, UpdateError::of(Finding::module_changed, Phase::verifying,
                                                   "expected IMEI " + order_.imei + ", found " + identity.imei));
  }
  if (version_ == order_.to) {
    if (!ended_at_) warn("end_not_seen");
    if (end_code_ && *end_code_ != 0) warn("end_code_" + std::to_string(*end_code_));
    return finish(Outcome::succeeded, {});
  }
  if (end_code_ && *end_code_ != 0) {
    return finish(Outcome::failed, UpdateError::of(CodeSource::update, *end_code_, Phase::updating));
  }
  return finish(Outcome::failed,
                UpdateError::of(Finding::target_mismatch, Phase::verifying, "the module runs " + version_));
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

UpdateProcedure::Fate UpdateProcedure::fail_or_reject(UpdateError error) {
  return finish(commands_sent_ == 0 ? Outcome::rejected : Outcome::failed, std::move(error));
}

UpdateProcedure::Fate UpdateProcedure::finish(Outcome outcome, std::optional<UpdateError> error) {
  result_.outcome = outcome;
  result_.version = version_;
  result_.attempts = commands_sent_;
  result_.error = std::move(error);
  return Fate::done;
}

void UpdateProcedure::report(Phase phase, std::optional<int> percent) {
  progress_.phase = phase;
  progress_.percent = percent;
  int overall = progress_.overall_percent;
  switch (phase) {
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
    case Phase::uploading:
      break;
  }
  progress_.overall_percent = std::max(progress_.overall_percent, overall);
  env_.progress(progress_);
}

void UpdateProcedure::report_download(const Transfer& transfer) {
  std::optional<int> percent;
  if (transfer.size > 0) percent = static_cast<int>(transfer.delivered_bytes * 100 / transfer.size);
  report(Phase::downloading, percent);
}

void UpdateProcedure::warn(std::string word) {
  if (std::find(result_.warnings.begin(), result_.warnings.end(), word) == result_.warnings.end()) {
    result_.warnings.push_back(std::move(word));
  }
}

}  // namespace dfota
