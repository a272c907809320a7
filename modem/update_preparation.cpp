// What happens before AT+QFOTADL: the module is reached, asked who it is and whether it could download, and, where the
// delivery says so, given the delta over its port (behind the command where the family wants that). The rest of
// UpdateProcedure; the story is in update_procedure.cpp.
#include <fstream>

#include "modem/fota_command.hpp"
#include "modem/network_check.hpp"
#include "modem/update_procedure.hpp"
#include "modem/upload.hpp"
#include "transport/base/log.hpp"
#include "transport/port_holder.hpp"

namespace dfota {

/// The port is there, was listened to for timeouts.listen since it was opened (law 4), and nobody flashes the module.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::reach() {
  const auto deadline = Clock::now() + seconds(timeouts_.absent);
  for (;;) {
    hear();
    if (is_stopped()) co_return co_await stopped();
    const auto opened = co_await port_.open();
    if (opened) {
      const auto openings = port_.openings();
      const auto listened =
          std::max(port_.opened_at() + seconds(timeouts_.listen), file_data_until_.value_or(Clock::time_point()));
      co_await listen_until(listened);
      if (is_stopped()) co_return co_await stopped();
      if (danger_.evidence == Evidence::fota_urc) {
        co_return fail_or_reject(UpdateError::of(Finding::module_updating, Phase::preparing));
      }
      if (port_.is_open() && port_.openings() == openings) co_return Fate::go_on;
    }
    if (Clock::now() >= deadline) {
      const bool held = !opened && opened.error().code != Errc::absent;
      const auto finding = port_.forbidden_since() ? Finding::recovery_needed
                           : held                  ? Finding::port_busy
                                                   : Finding::absent;
      const auto message = opened ? port_.name() + " hung up" : with_holder(opened.error(), port_.name()).message;
      co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, message));
    }
    co_await sleep_for(loop_, ModulePort::kAskForName);
  }
}

/// Before the command the job was canceled, or has given the module up: nothing of ours is left in it.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::stopped() {
  const bool may_speak =
      port_.is_open() && !file_data_until_ && Clock::now() >= port_.opened_at() + seconds(timeouts_.listen);
  if (checkpoint_.uploading && may_speak) {
    co_await remove_upload();
  } else if (checkpoint_.uploading) {
    warn("file_left_behind");
  }
  co_return finish(Outcome::canceled, {});
}

/// Synchronise, identify, check the base, the network and the PDP context; bring the package.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::prepare() {
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) {
    const auto finding = synchronised.error().code == Errc::link_lost ? Finding::port_lost
                         : synchronised.error().code == Errc::refused ? Finding::module_updating
                                                                      : Finding::no_answer;
    co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, synchronised.error().message));
  }
  file_data_until_.reset();
  auto fate = co_await check_identity();
  if (fate != Fate::go_on) co_return fate;
  if (downloads()) {
    fate = co_await check_network();
    if (fate != Fate::go_on) co_return fate;
  }
  co_return co_await bring_package();
}

Awaitable<UpdateProcedure::Fate> UpdateProcedure::check_identity() {
  const auto identity = co_await dialogue_.identify(profiles_, order_.profile);
  if (!identity) {
    const auto code = identity.error().code;
    const auto finding = code == Errc::invalid   ? Finding::identity_invalid
                         : code == Errc::timeout ? Finding::no_answer
                                                 : Finding::port_lost;
    co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, identity.error().message));
  }
  version_ = identity->version;
  model_ = identity->model;
  imei_ = identity->imei;
  if (!order_.imei.empty() && identity->imei != order_.imei) {
    co_return fail_or_reject(UpdateError::of(Finding::module_changed, Phase::preparing,
                                             "expected IMEI " + order_.imei + ", found " + identity->imei));
  }
  if (!env_.claim_imei(identity->imei)) {
    co_return fail_or_reject(UpdateError::of(Finding::duplicate_imei, Phase::preparing, "IMEI " + identity->imei));
  }
  follow(profiles_.choose(order_.profile, identity->model));
  if (profile_ == nullptr) {
    co_return fail_or_reject(
        UpdateError::of(Finding::model_mismatch, Phase::preparing, "the module is a " + identity->model));
  }
  if (!order_.model.empty() && identity->model != order_.model) {
    co_return fail_or_reject(
        UpdateError::of(Finding::model_mismatch, Phase::preparing,
                        "the module is a " + identity->model + ", the delta is for " + order_.model));
  }
  if (order_.leads_to(version_)) {
    if (commands_sent_ > 0) co_await remove_upload();
    co_return finish(commands_sent_ == 0 ? Outcome::skipped : Outcome::succeeded, {});
  }
  if (!order_.starts_from(version_)) {
    co_return fail_or_reject(UpdateError::of(Finding::base_mismatch, Phase::preparing,
                                             "the module runs " + version_ + ", the delta starts from " + order_.from));
  }
  if (profile_->needs_minifota(identity->model, version_)) {
    co_return fail_or_reject(
        UpdateError::of(Finding::unsupported_package, Phase::preparing, "the module runs " + version_));
  }
  co_return Fate::go_on;
}

/// What would end the download minutes later is found before the command is sent.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::check_network() {
  if (order_.pdp) {
    const auto set = co_await dialogue_.set_pdp_context(*order_.pdp, profile_->pdp_command);
    if (!set) {
      const auto finding = set.error().code == Errc::timeout ? Finding::no_answer : Finding::at_error;
      co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, set.error().message));
    }
  }
  const auto deadline = Clock::now() + seconds(timeouts_.absent);
  const auto state = co_await dfota::check_network(loop_, dialogue_, *profile_, deadline);
  const auto& problem = state.problem;
  if (problem) co_return fail_or_reject(UpdateError::of(problem->finding, Phase::preparing, problem->message));
  co_return Fate::go_on;
}

Awaitable<UpdateProcedure::Fate> UpdateProcedure::bring_package() {
  if (downloads() || profile_->local_form == LocalForm::stream) {
    // A stream follows the command; `file` has nothing to start from there, which command_text() tells.
    co_return Fate::go_on;
  }
  if (order_.delivery == Delivery::file) co_return co_await find_file();
  if (profile_->local_form != LocalForm::path) {
    co_return fail_or_reject(
        UpdateError::of(Finding::unsupported_delivery, Phase::preparing,
                        "modules of the family " + profile_->name + " are not given files over AT"));
  }
  co_return co_await upload();
}

/// The file that the job names lies where it says.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::find_file() {
  if (profile_->local_form == LocalForm::fixed) {
    warn("file_not_checked");  // it lies beside the file system that AT+QFLST shows
    co_return Fate::go_on;
  }
  const std::string name = profile_->storage + ":" + name_in_storage(order_.file);
  const auto size = co_await file_size(dialogue_, name);
  if (!size) {
    const auto finding = size.error().code == Errc::link_lost ? Finding::port_lost
                         : size.error().code == Errc::timeout ? Finding::no_answer
                                                              : Finding::at_error;
    co_return fail_or_reject(UpdateError::of(finding, Phase::preparing, size.error().message));
  }
  if (!size.value()) co_return fail_or_reject(UpdateError::of(Finding::file_missing, Phase::preparing, name));
  co_return Fate::go_on;
}

std::string UpdateProcedure::upload_name() const {
  // The DOS 8.3 form that the module's manual asks for; one name, so that a leftover is found again.
  return profile_->storage + ":dfota" + order_.package_extension;
}

/// AT+QFUPL, tried again when the link failed: nothing was commanded yet.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::upload() {
  Checkpoint next = checkpoint_;
  next.uploading = true;
  const auto committed = co_await env_.commit(next);
  if (!committed) {
    co_return fail_or_reject(
        UpdateError::of(Finding::journal_unavailable, Phase::preparing, committed.error().message));
  }
  checkpoint_ = next;
  UploadOrder order;
  order.file = order_.package;
  order.name = upload_name();
  order.storage = profile_->storage;
  for (int tries = 1;; ++tries) {
    std::error_code unknown;  // upload_file() tells what is wrong with the file
    const auto size = std::filesystem::file_size(order_.package, unknown);
    report_upload(0, unknown ? 0 : size);
    const UploadSource::Progress progress = [this](std::uint64_t sent, std::uint64_t size) {
      report_upload(sent, size);
    };
    const auto uploaded = co_await upload_file(dialogue_, order, progress);
    if (uploaded) co_return Fate::go_on;
    const auto fate = co_await upload_again_after(uploaded.error(), tries);
    if (fate != Fate::go_on) co_return fate;
  }
}

/// The module may still take what is written for file data: it is left alone until that is over, and synchronised.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::upload_again_after(Error error, int tries) {
  log::notice(port_.subject(), ": upload, try ", tries, " of ", kUploadTries, ": ", error.message);
  const bool pointless = error.code == Errc::no_space || error.code == Errc::refused;
  if (pointless || tries == kUploadTries) {
    const auto finding = error.code == Errc::no_space  ? Finding::no_space
                         : error.code == Errc::refused ? Finding::module_updating
                                                       : Finding::upload_failed;
    co_return fail_or_reject(UpdateError::of(finding, Phase::uploading, error.message));
  }
  file_data_until_ = Clock::now() + kUploadIdle + kUploadSettle;
  const auto fate = co_await reach();
  if (fate != Fate::go_on) co_return fate;
  const auto synchronised = co_await dialogue_.synchronise();
  if (!synchronised) {
    co_return fail_or_reject(UpdateError::of(Finding::no_answer, Phase::uploading, synchronised.error().message));
  }
  file_data_until_.reset();
  co_return Fate::go_on;
}

/// FILESTART came: the bytes that the command announced, and nothing else, no faster than a module without flow control
/// takes them (LTE Standard(A) guide: 32 bytes a write, 15 KB/s).
Awaitable<> UpdateProcedure::stream_package() {
  streamed_ = true;
  std::ifstream file(order_.package, std::ios::binary);
  std::string block(profile_->stream_block_bytes, '\0');
  std::error_code unreadable;
  const auto size = std::filesystem::file_size(order_.package, unreadable);
  if (unreadable || !file) {
    // The module gives up by itself, and says so (FILEEND).
    log::error(port_.subject(), ": the package cannot be read: ", order_.package.string());
    co_return;
  }
  const auto began = Clock::now();
  std::uint64_t sent = 0;
  while (sent < size && file_wanted_) {
    file.read(block.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(block.size(), size - sent)));
    const std::string_view bytes(block.data(), static_cast<std::size_t>(file.gcount()));
    if (bytes.empty()) break;
    const auto written = co_await dialogue_.stream(bytes);
    if (!written) {
      log::warning(port_.subject(), ": the package stopped after ", sent, " bytes: ", written.error().message);
      break;
    }
    sent += bytes.size();
    downloading_percent_ = static_cast<int>(sent * 100 / size);
    report_upload(sent, size);
    const auto due = began + seconds(static_cast<double>(sent) / profile_->stream_bytes_per_second);
    while (file_wanted_ && Clock::now() < due) {
      co_await port_.changed().wait_until(due);
      hear();
    }
  }
  log::info(port_.subject(), ": ", sent, " of ", size, " bytes sent behind AT+QFOTADL");
  // While we spoke there was no silence of the module's, and it could not flash yet.
  begin_deadlines();
  next_gap_ = Clock::now() + seconds(timeouts_.progress_gap);
}

/// What was uploaded is of no use any more; the next update wants the room.
Awaitable<> UpdateProcedure::remove_upload() {
  if (order_.delivery != Delivery::upload || profile_ == nullptr || profile_->local_form != LocalForm::path) co_return;
  const std::string name = upload_name();
  const auto removed = co_await remove_file(dialogue_, name);
  if (removed) co_return;
  warn("file_left_behind");
  log::warning(port_.subject(), ": ", name, " could not be removed: ", removed.error().message);
}

}  // namespace dfota
