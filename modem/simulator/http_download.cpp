#include "modem/simulator/http_download.hpp"

#include <algorithm>
#include <array>
#include <asio/connect.hpp>
#include <asio/write.hpp>
#include <charconv>
#include <vector>

#include "transport/base/signal.hpp"

namespace dfota::sim {
namespace {

using Tcp = asio::ip::tcp;

constexpr int kTimeout = 702;
constexpr int kNoGet = 705;
constexpr int kDns = 714;
constexpr int kConnect = 716;
constexpr int kRead = 717;
constexpr int kWrite = 718;
constexpr int kClosed = 719;
constexpr int kDecode = 721;
constexpr int kReadTimeout = 722;
constexpr int kResponse = 723;

constexpr int kDefaultIdleSeconds = 60;
constexpr int kCarelessIdleSeconds = 10;
constexpr size_t kCarelessFirstRead = 512;
constexpr int kDefaultChunkBytes = 16384;
constexpr int kDefaultSlowBytes = 20000;
constexpr int kSlowStepsPerSecond = 10;
// A module's window is small; the kernel's default would take a small delta whole before the module has read a byte.
constexpr int kReceiveBuffer = 16384;
constexpr int kSlowReceiveBuffer = 4096;

struct HabitName {
  std::string_view name;
  Client client;
  int bytes;
};
constexpr HabitName kHabits[] = {
    {"get", Client::get, 0},
    {"range0", Client::range0, 0},
    {"chunks", Client::chunks, kDefaultChunkBytes},
    {"head", Client::head, 0},
    {"barelf", Client::barelf, 0},
    {"chunks-keep", Client::chunks_keep, kDefaultChunkBytes},
    {"http10", Client::http10, 0},
    {"resume", Client::resume, 0},
    {"slow", Client::slow, kDefaultSlowBytes},
};

}  // namespace

bool take_habit(std::string_view text, Habits& habits) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto* habit = std::find_if(std::begin(kHabits), std::end(kHabits), [name](auto& h) { return h.name == name; });
  if (habit == std::end(kHabits)) return false;
  habits.client = habit->client;
  habits.bytes = habit->bytes;
  if (colon == std::string_view::npos) return true;
  const auto value = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), habits.bytes);
  return habit->bytes > 0 && failure == std::errc() && end == value.data() + value.size() && habits.bytes > 0;
}

HttpDownload::HttpDownload(asio::io_context& loop, Url url, Habits habits, DownloadHooks& hooks)
    : loop_(loop),
      url_(std::move(url)),
      habits_(habits),
      hooks_(hooks),
      socket_(loop),
      timer_(loop),
      package_(std::make_unique<DeltaCheck>()) {
  if (habits_.idle_s == 0) {
    habits_.idle_s = habits_.client == Client::barelf ? kCarelessIdleSeconds : kDefaultIdleSeconds;
  }
  total_deadline_ = Clock::now() + std::chrono::seconds(habits_.total_s);
  extend_deadline(kTimeout);
}

Awaitable<int> HttpDownload::run() {
  const auto self = shared_from_this();
  watch_deadline();
  int code = co_await fetch();
  if (code > 0 && expired_code_ > 0) code = expired_code_;
  done_ = true;
  timer_.cancel();
  close();
  co_return code;
}

Awaitable<int> HttpDownload::fetch() {
  switch (habits_.client) {
    case Client::chunks:
    case Client::chunks_keep:
      return fetch_chunks();
    case Client::resume:
      return fetch_resumed();
    case Client::barelf:
      return fetch_careless();
    case Client::get:
    case Client::range0:
    case Client::head:
    case Client::slow:
    case Client::http10:
      break;
  }
  return fetch_whole();
}

Awaitable<int> HttpDownload::fetch_whole() {
  int code = co_await connect();
  if (code != 0) co_return code;
  if (habits_.client == Client::head) {
    code = co_await ask("HEAD", "");
    uint64_t ignored = 0;
    if (code == 0) code = accept_body(ignored);
    if (code != 0) co_return code;
    if (!head_.keep_alive) {
      code = co_await connect();
      if (code != 0) co_return code;
    }
  }
  const std::string range = habits_.client == Client::range0 ? "bytes=0-" : "";
  code = co_await ask("GET", range);
  uint64_t until = 0;
  if (code == 0) code = accept_body(until);
  if (code != 0) co_return code;
  co_return co_await read_body(until);
}

Awaitable<int> HttpDownload::fetch_chunks() {
  do {
    const auto begin = package_->bytes();
    const auto end = co_await chunk_end();
    if (end <= begin) co_return kDownloadStopped;
    int code = 0;
    if (!socket_.is_open() || habits_.client == Client::chunks || !head_.keep_alive) code = co_await connect();
    if (code != 0) co_return code;
    const auto range = "bytes=" + std::to_string(begin) + "-" + std::to_string(end - 1);
    code = co_await ask("GET", range);
    uint64_t until = 0;
    if (code == 0) code = accept_body(until);
    if (code == 0) code = co_await read_body(until);
    if (code != 0) co_return code;
    if (package_->bytes() == begin) co_return kResponse;
  } while (package_->bytes() < total_);
  co_return 0;
}

Awaitable<uint64_t> HttpDownload::chunk_end() {
  if (!hooks_.allowance) co_return package_->bytes() + static_cast<uint64_t>(habits_.bytes);
  paused_ = true;
  const auto end = co_await hooks_.allowance(total_);
  paused_ = false;
  extend_deadline(idle_code_);
  co_return end;
}

Awaitable<int> HttpDownload::fetch_resumed() {
  int code = co_await connect();
  if (code == 0) code = co_await ask("GET", "");
  uint64_t until = 0;
  if (code == 0) code = accept_body(until);
  if (code == 0) code = co_await read_body(until / 2);
  if (code == 0) code = co_await connect();
  if (code != 0) co_return code;
  const auto range = "bytes=" + std::to_string(package_->bytes()) + "-";
  code = co_await ask("GET", range);
  if (code == 0) code = accept_body(until);
  if (code != 0) co_return code;
  co_return co_await read_body(until);
}

/// It reads once, takes the length where it finds it, and never looks at the status line.
Awaitable<int> HttpDownload::fetch_careless() {
  int code = co_await connect();
  if (code != 0) co_return code;
  const auto text = "GET " + url_.path + " HTTP/1.1\nHost: " + url_.host +
                    "\nRange: bytes=0-\nContent-Type: application/x-www-form-urlencoded\n\n\n";
  hooks_.log("http_request", {{"method", "GET"}, {"range", "bytes=0-"}});
  code = co_await send(text);
  if (code == 0) code = co_await fill(kCarelessFirstRead);
  if (code != 0) co_return code;
  const auto length = literal_content_length(buffer_);
  const auto head_bytes = response_head_size(buffer_);
  if (!length || !head_bytes) co_return kResponse;
  buffer_.erase(0, *head_bytes);
  total_ = *length;
  co_return co_await read_body(total_);
}

Awaitable<int> HttpDownload::connect() {
  close();
  extend_deadline(kConnect);
  std::vector<Tcp::endpoint> endpoints;
  asio::error_code not_numeric;
  const auto address = asio::ip::make_address(url_.host, not_numeric);
  if (!not_numeric) {
    endpoints.emplace_back(address, url_.port);
  } else {
    Tcp::resolver resolver(loop_);
    const auto [failure, found] = co_await resolver.async_resolve(url_.host, std::to_string(url_.port), kNoThrow);
    if (failure) co_return kDns;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  for (const auto& endpoint : endpoints) {
    close();
    asio::error_code refused;
    socket_.open(endpoint.protocol(), refused);
    if (refused) continue;
    const int window = habits_.client == Client::slow ? kSlowReceiveBuffer : kReceiveBuffer;
    socket_.set_option(asio::socket_base::receive_buffer_size(window), refused);
    const auto [failure] = co_await socket_.async_connect(endpoint, kNoThrow);
    if (!failure) co_return 0;
    if (expired_code_ > 0) break;
  }
  co_return kConnect;
}

Awaitable<int> HttpDownload::ask(std::string method, std::string range) {
  Json fields = {{"method", method}};
  if (!range.empty()) fields["range"] = range;
  hooks_.log("http_request", fields);
  const auto text = request_text(method, range);
  int code = co_await send(text);
  if (code == 0) code = co_await read_head();
  co_return code;
}

std::string HttpDownload::request_text(const std::string& method, const std::string& range) const {
  const bool old = habits_.client == Client::http10;
  const bool v6 = url_.host.find(':') != std::string::npos;
  auto text = method + " " + url_.path + (old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  text += "Host: " + (v6 ? "[" + url_.host + "]" : url_.host) + ":" + std::to_string(url_.port) + "\r\n";
  text += "User-Agent: QUECTEL_MODULE\r\nAccept: */*\r\n";
  if (!old) {
    const bool keep = habits_.client == Client::head || habits_.client == Client::chunks_keep;
    text += keep ? "Connection: Keep-Alive\r\n" : "Connection: close\r\n";
  }
  if (!range.empty()) text += "Range: " + range + "\r\n";
  return text + "\r\n";
}

Awaitable<int> HttpDownload::send(std::string text) {
  buffer_.clear();
  extend_deadline(kTimeout);
  const auto [failure, size] = co_await asio::async_write(socket_, asio::buffer(text), kNoThrow);
  co_return failure ? kWrite : 0;
}

Awaitable<int> HttpDownload::read_head() {
  for (;;) {
    const auto size = response_head_size(buffer_);
    if (size) {
      const auto head = parse_response_head(std::string_view(buffer_).substr(0, *size));
      if (!head) co_return kResponse;
      head_ = *head;
      buffer_.erase(0, *size);
      hooks_.log("http_response", {{"status", head_.status}});
      co_return 0;
    }
    if (buffer_.size() >= kMaxResponseHeadBytes) co_return kResponse;
    const auto room = kMaxResponseHeadBytes - buffer_.size();
    const int code = co_await fill(room);
    if (code != 0) co_return code;
  }
}

/// Checks what the head promises; `until` becomes the count of package bytes at which this body ends.
int HttpDownload::accept_body(uint64_t& until) {
  if (head_.status >= 400 && head_.status < 500) return kNoGet;
  if (head_.chunked) return kDecode;
  if (!head_.content_length) return kResponse;
  if (head_.status == 200) {
    package_ = std::make_unique<DeltaCheck>();
    total_ = *head_.content_length;
    until = total_;
    return 0;
  }
  if (head_.status != 206 || head_.range_begin != package_->bytes() || !head_.range_total) return kResponse;
  total_ = *head_.range_total;
  until = package_->bytes() + *head_.content_length;
  return until <= total_ ? 0 : kResponse;
}

bool HttpDownload::at_threshold() const {
  return hooks_.at_percent && !threshold_passed_ && total_ > 0 &&
         package_->bytes() >= total_ * static_cast<uint64_t>(*hooks_.at_percent) / 100;
}

size_t HttpDownload::wanted(uint64_t until) const {
  if (hooks_.at_percent && !threshold_passed_) {
    until = std::min(until, total_ * static_cast<uint64_t>(*hooks_.at_percent) / 100);
  }
  auto bytes = std::min<uint64_t>(until - package_->bytes(), room_.size());
  if (habits_.client == Client::slow) {
    bytes = std::min<uint64_t>(bytes, static_cast<uint64_t>(std::max(1, habits_.bytes / kSlowStepsPerSecond)));
  }
  return static_cast<size_t>(bytes);
}

Awaitable<int> HttpDownload::read_body(uint64_t until) {
  for (;;) {
    if (at_threshold()) {
      const int code = co_await pass_threshold();
      if (code != 0) co_return code;
    }
    if (package_->bytes() >= until) co_return 0;
    if (buffer_.empty()) {
      const int code = co_await fill(wanted(until));
      if (code != 0) co_return code;
    }
    const auto size = std::min(buffer_.size(), wanted(until));
    const auto piece = std::string_view(buffer_).substr(0, size);
    package_->feed(piece);
    if (hooks_.data) hooks_.data(piece);
    if (hooks_.progress) hooks_.progress(package_->bytes(), total_);
    buffer_.erase(0, size);
    if (habits_.client == Client::slow) {
      co_await sleep_for(loop_, std::chrono::milliseconds(1000 / kSlowStepsPerSecond));
    }
  }
}

Awaitable<int> HttpDownload::fill(size_t at_most) {
  extend_deadline(package_->bytes() > 0 ? kReadTimeout : kTimeout);
  const auto room = asio::buffer(room_.data(), std::min(at_most, room_.size()));
  const auto [failure, size] = co_await socket_.async_read_some(room, kNoThrow);
  if (failure) co_return code_of(failure);
  buffer_.append(room_.data(), size);
  co_return 0;
}

Awaitable<int> HttpDownload::pass_threshold() {
  threshold_passed_ = true;
  paused_ = true;
  const auto step = co_await hooks_.reached();
  paused_ = false;
  co_return step == Step::stop ? kDownloadStopped : 0;
}

int HttpDownload::code_of(asio::error_code failure) const {
  return failure == asio::error::eof ? kClosed : kRead;
}

void HttpDownload::extend_deadline(int code_when_idle) {
  idle_code_ = code_when_idle;
  idle_deadline_ = Clock::now() + std::chrono::seconds(habits_.idle_s);
}

void HttpDownload::watch_deadline() {
  timer_.expires_at(std::min(idle_deadline_, total_deadline_));
  timer_.async_wait([self = shared_from_this()](asio::error_code failure) {
    if (failure || self->done_) return;
    const auto now = Clock::now();
    if (self->paused_) self->extend_deadline(self->idle_code_);
    if (now >= self->total_deadline_ && !self->paused_)
      self->expired_code_ = kTimeout;
    else if (now >= self->idle_deadline_)
      self->expired_code_ = self->idle_code_;
    if (self->expired_code_ > 0) return self->close();
    if (now >= self->total_deadline_) self->total_deadline_ = now + std::chrono::seconds(self->habits_.idle_s);
    self->watch_deadline();
  });
}

void HttpDownload::close() {
  asio::error_code ignored;
  socket_.close(ignored);
}

}  // namespace dfota::sim
