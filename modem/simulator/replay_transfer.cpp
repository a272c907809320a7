// How the package comes into a replayed module: downloaded for real, or taken from the port, as far as the recording
// says before it says more.
#include "modem/simulator/replay_module.hpp"

namespace dfota::sim {
namespace {

constexpr std::string_view kUploaded = "+QFUPL:";
constexpr std::string_view kListed = "+QFLST:";
/// Between two recorded amounts the bytes come in steps of this time.
constexpr auto kStep = std::chrono::milliseconds(500);

/// The same share of another size, never all of it.
std::uint64_t share(std::uint64_t part, std::uint64_t of, std::uint64_t whole) {
  if (of == whole || of == 0) return std::min(part, whole);
  const auto scaled = static_cast<long double>(part) / static_cast<long double>(of) * static_cast<long double>(whole);
  return std::min(static_cast<std::uint64_t>(scaled), whole - 1);
}

std::string hex(std::uint16_t value) {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%x", value);
  return digits;
}

}  // namespace

void ReplayModule::begin_transfer(TransferRules rules) {
  checksum_ = QfuplChecksum();
  digest_ = DeltaCheck();
  const DataTransfer::Sink sink = [this](std::string_view bytes) {
    checksum_.feed(bytes);
    digest_.feed(bytes);
  };
  transfer_ = std::make_shared<DataTransfer>(rules, sink, Clock::now());
}

void ReplayModule::end_transfer() {
  if (!transfer_) return;
  record("uploaded", {{"name", split_arguments(order_.substr(order_.find('=') + 1)).address},
                      {"bytes", digest_.bytes()},
                      {"sha256", digest_.sha256()},
                      {"xor", hex(checksum_.value())}});
  transfer_.reset();
}

/// The bytes that are commands again.
std::string_view ReplayModule::take_data(std::string_view bytes) {
  if (!transfer_) return bytes;
  const auto now = Clock::now();
  transfer_->expire(now);
  bytes.remove_prefix(transfer_->feed(bytes, now));
  const auto acks = transfer_->take_acks();
  if (acks > 0) port_->write(std::string(acks, 'A'));
  changed_.notify();
  return bytes;
}

/// As much of this package as the recorded module had of its own.
Awaitable<> ReplayModule::wait_for_data() {
  const auto& event = script_.events[next_];
  data_seen_ += event.bytes;
  const auto size = declared_size(order_), recorded = declared_size(recorded_order_);
  const auto goal = data_seen_ >= recorded ? size : share(data_seen_, recorded, size);
  while (!moved() && transfer_ && transfer_->state() == DataTransfer::State::open && transfer_->bytes() < goal) {
    const auto until = transfer_->deadline();
    co_await changed_.wait_until(until);
    if (transfer_) transfer_->expire(Clock::now());
  }
}

/// A module that had all says so when this one has.
Awaitable<> ReplayModule::wait_for_upload() {
  if (!script_.events[next_].text.starts_with(kUploaded)) co_return;
  while (!moved() && transfer_ && transfer_->state() == DataTransfer::State::open) {
    const auto until = transfer_->deadline();
    co_await changed_.wait_until(until);
    if (transfer_) transfer_->expire(Clock::now());
  }
}

/// A recorded line with the sizes of this package, where it told those of its own. A checksum that the recorded gateway
/// did not believe (it did not go on by AT+QFLST) is wrong again.
std::string ReplayModule::with_sizes(const std::string& line) {
  if (line.starts_with(kUploaded) && is_upload(recorded_order_)) {
    const auto recorded = declared_size(recorded_order_);
    const auto comma = line.find(',');
    const auto told = std::strtoull(line.c_str() + kUploaded.size(), nullptr, 10);
    if (comma == std::string::npos || told != recorded) return line;
    recorded_upload_ = recorded;
    uploaded_ = digest_.bytes();
    bool believed = false;
    for (auto i = next_; i < script_.events.size(); ++i) {
      if (script_.events[i].kind != Kind::command) continue;
      believed = at_upper(script_.events[i].text).starts_with("AT+QFLST");
      break;
    }
    const auto sum = static_cast<std::uint16_t>(checksum_.value() ^ (believed ? 0U : 1U));
    return std::string(kUploaded) + " " + std::to_string(uploaded_) + "," + hex(sum);
  }
  const auto comma = line.rfind(',');
  if (!line.starts_with(kListed) || comma == std::string::npos || recorded_upload_ == 0) return line;
  if (line.substr(comma + 1) != std::to_string(recorded_upload_)) return line;
  return line.substr(0, comma + 1) + std::to_string(uploaded_);
}

void ReplayModule::begin_download() {
  if (download_ || download_over_) return;
  const auto url = parse_url(split_arguments(qfotadl_arguments(order_).value_or("")).address);
  if (!url) {
    depart_from_download(0);
    return;
  }
  const ReplayDownload::Log log = [this](std::string_view event, const Json& fields) { record(event, fields); };
  download_ = std::make_shared<ReplayDownload>(loop_, *url, log, [this] { changed_.notify(); });
  download_->begin();
  download_->allow(1);
}

/// One for each AT+QFOTADL: a server that knew late that all was there does not begin another.
void ReplayModule::end_download() {
  download_over_ = true;
  if (!download_) return;
  download_->stop();
  download_.reset();
}

std::uint64_t ReplayModule::download_goal(const ReplayEvent& file) const {
  const auto total = download_->total();
  // Once it was let go its last byte was asked for, however much of the rest had been acknowledged.
  if (file.released || file.bytes == file.size) return total;
  return std::min(share(file.bytes, file.size, total), total - 1);
}

/// So much as the recorded module had, no sooner than it had it.
Awaitable<> ReplayModule::wait_for_download() {
  const auto event = script_.events[next_];
  if (event.bytes == 0 && !event.released) co_return;  // nothing was asked for yet
  const auto began = last_at_, time = std::max(due(), began + std::chrono::milliseconds(1));
  if (!download_) co_await wait_until(time);
  if (moved()) co_return;
  begin_download();
  if (!download_) co_return;
  while (!moved() && download_ && !download_->ended() && download_->bytes() == 0) co_await wait_for_change();
  if (moved() || !download_) co_return;
  const auto had = download_->bytes();
  const auto goal = download_->total() == 0 ? 0 : std::max(had, download_goal(event));
  while (!moved() && download_ && !download_->ended() && (download_->bytes() < goal || Clock::now() < time)) {
    const auto now = std::min(Clock::now(), time);
    const auto part = std::chrono::duration<double>(now - began) / std::chrono::duration<double>(time - began);
    const auto step = static_cast<std::uint64_t>(static_cast<double>(goal - had) * std::max(0.0, part));
    download_->allow(now == time ? goal : had + step);
    const auto until = now == time ? now + std::chrono::hours(24) : std::min(time, now + kStep);
    co_await changed_.wait_until(until);
  }
  if (moved() || !download_) co_return;
  const int code = download_->ended().value_or(0);
  if (code != 0 || download_->bytes() < goal) depart_from_download(code);
}

/// This download does not go as the recorded one went. Where that one failed, too, the recording goes on; else the
/// module tells how this one ended, and waits for the next AT+QFOTADL.
void ReplayModule::depart_from_download(int code) {
  constexpr int kNoUrl = 711;
  end_download();
  miss(order_, "its download ended by itself: " + std::to_string(code == 0 ? kNoUrl : code));
  if (dialogue_.transfer_end(next_) == ReplayStage::transfer_failed) return;
  say_urc(qind("HTTPEND", code == 0 ? kNoUrl : code));
  departed_at_ = next_;
  const auto next = dialogue_.next_update(next_);
  jump(next, next < script_.events.size() ? script_.events[next].t : last_t_);
}

}  // namespace dfota::sim
