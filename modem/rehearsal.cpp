#include "modem/rehearsal.hpp"

#include <charconv>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

constexpr std::string_view kGot = "+QHTTPGET:";
constexpr int kHttpOk = 200;
constexpr int kFirstHttpCode = 700, kLastHttpCode = 799;

/// Gives one piece, or none: the module is the one that talks.
class OnePiece : public DataSource {
 public:
  explicit OnePiece(std::string piece) : piece_(std::move(piece)) {}

  void acknowledged(std::uint64_t) override {}
  Result<std::string_view> next() override { return std::exchange(given_, true) ? std::string_view() : piece_; }

 private:
  const std::string piece_;
  bool given_ = false;
};

/// The first numbers of "0,200,32768".
std::vector<int> numbers_of(std::string_view text) {
  std::vector<int> numbers;
  while (!text.empty()) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,"), text.size()));
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return numbers;
}

}  // namespace

Awaitable<Rehearsed> Rehearsal::run(int cid, std::string url) {
  log::info(port_.subject(), ": rehearsal: it fetches a file over PDP context ", cid);
  const std::string id = std::to_string(cid);
  const std::string context = "AT+QHTTPCFG=\"contextid\"," + id, body_only = "AT+QHTTPCFG=\"responseheader\",0";
  bool activated = false;
  bool ready = co_await ask(context, kAskLimit);
  if (ready) ready = co_await ask(body_only, kAskLimit);
  if (ready) ready = co_await activate(cid, activated);
  if (ready) co_await fetch(std::move(url));
  if (activated) {
    // As it was found. What the module says to that changes nothing of what was learnt.
    const std::string deactivate = "AT+QIDEACT=" + id;
    co_await dialogue_.say(deactivate, kDeactivateLimit);
  }
  co_return result_;
}

Awaitable<bool> Rehearsal::activate(int cid, bool& activated) {
  const std::string id = std::to_string(cid), question = "AT+QIACT?";
  const auto active = co_await dialogue_.say(question, kAskLimit);
  if (!passed(question, active)) co_return false;
  for (const auto& line : active->lines) {
    if (line.starts_with("+QIACT: " + id + ",1")) co_return true;
  }
  const std::string activate = "AT+QIACT=" + id;
  activated = co_await ask(activate, kActivateLimit);
  co_return activated;
}

Awaitable<> Rehearsal::fetch(std::string url) {
  const bool addressed = co_await give_address(url);
  if (!addressed) co_return;
  const auto get_s = std::chrono::duration_cast<std::chrono::seconds>(kGetLimit).count();
  const std::string get = "AT+QHTTPGET=" + std::to_string(get_s);
  const Clock::duration limit = kGetLimit + kGrace;
  const auto begun = co_await dialogue_.say(get, limit);
  if (!passed(get, begun)) co_return;
  for (const auto& line : begun->lines) hear(line);
  co_await wait_for_get();
  if (result_.error) co_return;
  const std::string read = "AT+QHTTPREAD=" + std::to_string(kPacketSeconds);
  OnePiece nothing("");
  const DataLimits limits{std::chrono::seconds(kPacketSeconds) + kGrace, kReadLimit};
  const auto body = co_await dialogue_.send_file(read, nothing, limits);
  passed(read, body);
}

Awaitable<bool> Rehearsal::give_address(const std::string& url) {
  constexpr auto kInput = std::chrono::seconds(30);
  const std::string command = "AT+QHTTPURL=" + std::to_string(url.size()) + "," + std::to_string(kInput.count());
  OnePiece address(url);
  const DataLimits limits{kAskLimit, kInput + kGrace};
  const auto taken = co_await dialogue_.send_file(command, address, limits);
  co_return passed(command, taken);
}

/// Behind its OK, or before it.
Awaitable<> Rehearsal::wait_for_get() {
  const auto deadline = Clock::now() + kGetLimit + kGrace;
  for (hear_(); !get_error_; hear_()) {
    if (!port_.is_open()) co_return fail(Finding::port_lost, "the port hung up before +QHTTPGET");
    if (Clock::now() >= deadline) co_return fail(Finding::no_answer, "+QHTTPGET did not come");
    co_await port_.changed().wait_until(deadline);
  }
  if (*get_error_ != 0) {
    result_.error = UpdateError::of(CodeSource::http, *get_error_, Phase::downloading, nullptr);
  } else if (result_.http_status.value_or(kHttpOk) != kHttpOk) {
    fail(Finding::not_reachable,
         "HTTP " + std::to_string(*result_.http_status) + " was answered, and not by this gateway's file server");
  }
}

void Rehearsal::hear(const std::string& line) {
  const auto at = line.find(kGot);
  if (at == std::string::npos || get_error_) return;
  const auto numbers = numbers_of(std::string_view(line).substr(at + kGot.size()));
  if (numbers.empty()) return;
  get_error_ = numbers[0];
  if (numbers.size() > 1) result_.http_status = numbers[1];
}

Awaitable<bool> Rehearsal::ask(std::string command, Clock::duration limit) {
  const auto reply = co_await dialogue_.say(command, limit);
  co_return passed(command, reply);
}

bool Rehearsal::passed(const std::string& command, const Result<AtReply>& reply) {
  if (!reply) {
    const auto code = reply.error().code;
    const auto finding = code == Errc::link_lost ? Finding::port_lost
                         : code == Errc::refused ? Finding::module_updating
                                                 : Finding::no_answer;
    fail(finding, command + ": " + reply.error().message);
    return false;
  }
  if (reply->ok()) return true;
  if (reply->code && *reply->code >= kFirstHttpCode && *reply->code <= kLastHttpCode) {
    result_.error = UpdateError::of(CodeSource::http, *reply->code, Phase::downloading, nullptr);
    result_.error->message = command + " was answered by " + reply->text;
  } else {
    fail(Finding::at_error, command + " was answered by " + reply->text);
  }
  return false;
}

void Rehearsal::fail(Finding finding, std::string message) {
  result_.error = UpdateError::of(finding, Phase::downloading, std::move(message));
}

}  // namespace dfota
