// The module in data mode: the port's bytes are a file's (AT+QFUPL), or a package's (AT+QFOTADL="FILE:<length>").
#include "modem/simulator/at_files.hpp"
#include "modem/simulator/data_transfer.hpp"
#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

/// What a host sends beyond the declared size is no command until this silence, or until it says AT.
constexpr auto kExcess = std::chrono::milliseconds(100);
constexpr auto kStreamIdle = std::chrono::seconds(10);
constexpr uint64_t kUncontrolledBytesPerSecond = 15000;

std::string_view name_of(DataTransfer::State state) {
  switch (state) {
    case DataTransfer::State::open:
      return "open";
    case DataTransfer::State::whole:
      return "whole";
    case DataTransfer::State::idle:
      return "idle";
    case DataTransfer::State::escaped:
      return "escaped";
    case DataTransfer::State::overrun:
      return "overrun";
  }
  return "";
}

std::string hex(uint16_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned rest = value; rest > 0 || out.empty(); rest >>= 4U) out.insert(out.begin(), kDigits[rest & 15U]);
  return out;
}

struct Upload {
  void take(std::string_view bytes) {
    content += bytes;
    checksum.feed(bytes);
    digest.feed(bytes);
  }
  void spoil() {
    auto wrong = content;
    wrong.back() = static_cast<char>(wrong.back() ^ 1);
    *this = Upload();
    take(wrong);
  }
  std::string content;
  QfuplChecksum checksum;
  DeltaCheck digest;
};

}  // namespace

/// The bytes that are commands again.
std::string_view VirtualModule::take_data(std::string_view bytes) {
  const auto now = Clock::now();
  if (transfer_ && transfer_->state() == DataTransfer::State::open) {
    const auto deadline = transfer_->deadline();
    bytes.remove_prefix(transfer_->feed(bytes, now));
    const auto acks = transfer_->take_acks();
    if (acks > 0) send(std::string(acks, 'A'));
    if (transfer_->deadline() < deadline) data_came_.notify();
    if (transfer_->state() == DataTransfer::State::open) return {};
    excess_until_ = now + kExcess;
    data_came_.notify();
  }
  if (now >= excess_until_) return bytes;
  size_t excess = 0;
  for (; excess < bytes.size(); ++excess) {
    const auto start = at_upper(bytes.substr(excess, 2));
    if (start == "AT" || start == "A") break;
  }
  if (excess > 0) record("excess", {{"count", excess}});
  excess_until_ = excess < bytes.size() ? now : now + kExcess;
  return bytes.substr(excess);
}

/// Waits for the end of the transfer that is under way; a reboot is one, too.
Awaitable<> VirtualModule::transfer_end() {
  const auto transfer = transfer_;
  while (transfer_ == transfer && transfer->state() == DataTransfer::State::open) {
    co_await data_came_.wait_until(transfer->deadline());
    transfer->expire(Clock::now());
  }
}

Awaitable<> VirtualModule::upload(UploadOrder order) {
  record("upload_begin", {{"name", order.name}, {"size", order.size_bytes}});
  const auto file = std::make_shared<Upload>();
  TransferRules rules;
  rules.size_bytes = order.size_bytes;
  rules.idle = std::chrono::seconds(order.timeout_s);
  rules.acknowledged = order.acknowledged;
  rules.escapable = true;
  const DataTransfer::Sink sink = [file](std::string_view bytes) { file->take(bytes); };
  const auto transfer = std::make_shared<DataTransfer>(rules, sink, Clock::now());
  transfer_ = transfer;
  const auto generation = generation_;
  co_await transfer_end();
  if (generation != generation_) co_return;
  transfer_.reset();
  if (behaviour_.corrupt_upload && !file->content.empty()) file->spoil();
  const auto stored = files_.write(order.name, file->content);
  if (!stored) record("fault", {{"text", stored.error().message}});
  record("uploaded", {{"name", order.name},
                      {"bytes", transfer->bytes()},
                      {"sha256", file->digest.sha256()},
                      {"xor", hex(file->checksum.value())},
                      {"end", name_of(transfer->state())}});
  if (mode_ != Mode::ready) co_return;
  send(stored
           ? framed("+QFUPL: " + std::to_string(transfer->bytes()) + "," + hex(file->checksum.value())) + framed("OK")
           : at_error(kCmeNoSpace, settings_).text);
}

/// The code for FILEEND.
Awaitable<int> VirtualModule::take_stream(uint64_t length, Result<DeltaHeader>& package) {
  constexpr int kStreamFailed = 500;
  const auto check = std::make_shared<DeltaCheck>();
  TransferRules rules;
  rules.size_bytes = length;
  rules.idle = kStreamIdle;
  if (behaviour_.no_flow_control) rules.max_bytes_per_s = kUncontrolledBytesPerSecond;
  const DataTransfer::Sink sink = [check](std::string_view bytes) { check->feed(bytes); };
  const auto transfer = std::make_shared<DataTransfer>(rules, sink, Clock::now());
  transfer_ = transfer;
  co_await transfer_end();
  transfer_.reset();
  const int code = transfer->state() == DataTransfer::State::whole ? 0 : kStreamFailed;
  if (transfer->state() == DataTransfer::State::overrun) record("overrun", {{"bytes", check->bytes()}});
  record("download_done", {{"code", code}, {"bytes", check->bytes()}, {"sha256", check->sha256()}});
  package = check->finish();
  co_return code;
}

}  // namespace dfota::sim
