#include "modem/upload.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace dfota {
namespace {

// Quectel's FILE AT commands manuals, "Summary of Error Codes".
constexpr int kDriveFull = 403;
constexpr int kFileNotFound = 405;
constexpr int kNoSpace = 420;
constexpr std::string_view kUfs = "UFS:";

Error answered(const std::string& command, const AtReply& reply) {
  const bool full = reply.code == kDriveFull || reply.code == kNoSpace;
  return Error(full ? Errc::no_space : Errc::io, command + " was answered by " + reply.text);
}

template <class Number>
std::optional<Number> to_number(std::string_view text, int base = 10) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What stands behind `prefix` in the first line that begins with it.
std::optional<std::string_view> find_answer(const AtReply& reply, std::string_view prefix) {
  for (const std::string_view line : reply.lines) {
    if (line.starts_with(prefix)) return line.substr(prefix.size());
  }
  return std::nullopt;
}

std::string_view without_storage(std::string_view name) {
  return name.starts_with(kUfs) ? name.substr(kUfs.size()) : name;
}

/// ` "UFS:name",size`, of any order of files: the size of this one.
std::optional<std::uint64_t> listed_size(std::string_view rest, std::string_view name) {
  const auto open = rest.find('"');
  const auto close = rest.rfind('"');
  if (open == close) return std::nullopt;
  if (without_storage(rest.substr(open + 1, close - open - 1)) != without_storage(name)) return std::nullopt;
  rest.remove_prefix(close + 1);
  if (!rest.starts_with(',')) return std::nullopt;
  return to_number<std::uint64_t>(rest.substr(1));
}

bool is_name(std::string_view text) {
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '"'; };
  return !text.empty() && text.size() <= kMaxFileName && std::ranges::all_of(text, plain);
}

Awaitable<Result<void>> check_room(Dialogue& dialogue, std::string storage, std::uint64_t size) {
  const std::string command = "AT+QFLDS=\"" + storage + "\"";
  const auto reply = co_await dialogue.say(command, kFileLimit);
  if (!reply) co_return reply.error();
  if (!reply->ok()) co_return answered(command, reply.value());
  const auto rest = find_answer(reply.value(), "+QFLDS:");
  const auto free = rest ? to_number<std::uint64_t>(rest->substr(0, rest->find(','))) : std::nullopt;
  if (!free) co_return Error(Errc::io, command + " was answered without a number");
  if (*free < size) {
    co_return Error(Errc::no_space, "the file has " + std::to_string(size) + " bytes, " + storage + " has room for " +
                                        std::to_string(*free));
  }
  co_return Result<void>();
}

/// `+QFUPL: 1208,5769`: the bytes that it has, and their XOR in hexadecimal of any width.
Result<void> check_received(const AtReply& reply, std::uint64_t size, std::uint16_t checksum) {
  const auto rest = find_answer(reply, "+QFUPL:");
  const auto comma = rest ? rest->find(',') : std::string_view::npos;
  if (comma == std::string_view::npos) return Error(Errc::io, "the upload ended without +QFUPL");
  const auto has = to_number<std::uint64_t>(rest->substr(0, comma));
  const auto digits = rest->substr(comma + 1);
  const auto told = to_number<std::uint32_t>(digits.substr(0, digits.find(',')), 16);
  if (!has || !told) return Error(Errc::io, "the upload ended with +QFUPL:" + std::string(*rest));
  if (*has != size) {
    return Error(Errc::mismatch,
                 "the module has " + std::to_string(*has) + " bytes of " + std::to_string(size) + " that were sent");
  }
  if (*told != checksum) return Error(Errc::mismatch, "the module's checksum is another than that of the file");
  return {};
}

Awaitable<Result<void>> send(Dialogue& dialogue, std::string name, UploadSource& source, std::uint64_t size) {
  const std::string command =
      "AT+QFUPL=\"" + name + "\"," + std::to_string(size) + "," + std::to_string(kUploadIdle.count()) + ",1";
  DataLimits limits;
  limits.connect = kFileLimit;
  limits.idle = kUploadAckLimit;
  const auto reply = co_await dialogue.send_file(command, source, limits);
  const auto so_far =
      "; " + std::to_string(source.acknowledged_bytes()) + " of " + std::to_string(size) + " bytes were acknowledged";
  if (!reply) co_return Error(reply.error().code, reply.error().message + so_far);
  if (!reply->ok()) {
    const auto refused = answered(command, reply.value());
    co_return Error(refused.code, refused.message + so_far);
  }
  const auto received = check_received(reply.value(), size, source.checksum());
  if (!received) co_return Error(received.error().code, received.error().message + so_far);
  co_return Result<void>();
}

}  // namespace

Awaitable<Result<void>> upload_file(Dialogue& dialogue, UploadOrder order, UploadSource::Progress progress) {
  if (!is_name(order.name) || !is_name(order.storage)) {
    co_return Error(Errc::invalid, order.name + " is not a name for a module's file");
  }
  std::ifstream file(order.file, std::ios::binary);
  std::error_code unknown;
  const std::uint64_t size = std::filesystem::file_size(order.file, unknown);
  if (!file || unknown || size == 0) co_return Error(Errc::io, order.file.string() + " cannot be read, or is empty");
  // Before the question for room: a leftover may be what takes it.
  const auto removed = co_await remove_file(dialogue, order.name);
  if (!removed) co_return removed.error();
  const auto room = co_await check_room(dialogue, order.storage, size);
  if (!room) co_return room.error();
  UploadSource source(file, size, progress);
  const auto sent = co_await send(dialogue, order.name, source, size);
  if (!sent) co_return sent.error();
  const auto listed = co_await file_size(dialogue, order.name);
  if (!listed) co_return listed.error();
  if (listed.value() != size) {
    co_return Error(Errc::mismatch, order.name + " was sent whole, but AT+QFLST tells another size");
  }
  if (progress && source.acknowledged_bytes() != size) progress(size, size);
  co_return Result<void>();
}

Awaitable<Result<void>> remove_file(Dialogue& dialogue, std::string name) {
  const std::string command = "AT+QFDEL=\"" + name + "\"";
  const auto reply = co_await dialogue.say(command, kFileLimit);
  if (!reply) co_return reply.error();
  if (reply->ok() || reply->code == kFileNotFound) co_return Result<void>();
  // A refusal without that number may mean the same.
  const auto size = co_await file_size(dialogue, name);
  if (!size) co_return size.error();
  if (!size.value()) co_return Result<void>();
  co_return answered(command, reply.value());
}

Awaitable<Result<std::optional<std::uint64_t>>> file_size(Dialogue& dialogue, std::string name) {
  const std::string command = "AT+QFLST=\"" + name + "\"";
  const auto reply = co_await dialogue.say(command, kFileLimit);
  if (!reply) co_return reply.error();
  // Without its numbers (AT+CMEE=0) a module has only ERROR for a file that is not there.
  if (reply->code == kFileNotFound || reply->final == AtEvent::Kind::error) co_return std::optional<std::uint64_t>();
  if (!reply->ok()) co_return answered(command, reply.value());
  for (const std::string_view line : reply->lines) {
    if (!line.starts_with("+QFLST:")) continue;
    if (const auto size = listed_size(line, name)) co_return std::optional<std::uint64_t>(size);
  }
  co_return std::optional<std::uint64_t>();
}

}  // namespace dfota
