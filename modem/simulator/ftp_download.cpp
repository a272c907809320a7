#include "modem/simulator/ftp_download.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cctype>
#include <condition_variable>
#include <mutex>

#include "transport/base/signal.hpp"

namespace dfota::sim {
namespace {

constexpr int kUnknown = 601;
constexpr int kDns = 604;
constexpr int kNetwork = 605;
constexpr int kControlClosed = 606;
constexpr int kDataClosed = 607;
constexpr int kTimeout = 609;
constexpr int kInvalidParameter = 610;
constexpr int kLogin = 625;
constexpr int kNotTaken = 627;

constexpr int kPollMs = 200;
constexpr long kBufferBytes = 16384;
// A module's window is small; the kernel's default would take a small delta whole before the module has read a byte.
constexpr int kReceiveBuffer = 16384;
constexpr auto kSleepBound = std::chrono::hours(24);

constexpr long kDismissed = 421;

struct ReplyCode {
  long reply;
  int code;
};
constexpr ReplyCode kReplies[] = {{kDismissed, 614}, {425, 615}, {426, 616}, {450, 617}, {451, 618}, {452, 619},
                                  {500, 620},        {501, 621}, {502, 622}, {503, 623}, {504, 624}, {530, kLogin},
                                  {532, 626},        {550, 627}, {551, 628}, {552, 629}, {553, 630}};

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiFree {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

bool curl_is_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

/// curl decodes what it is given, and a module does not: so it is given what decodes to the literal bytes.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || std::string_view("-._~/").find(static_cast<char>(c)) != std::string_view::npos) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kDigits[c >> 4U];
      out += kDigits[c & 15U];
    }
  }
  return out;
}

std::string url_of(const FtpUrl& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return "ftp://" + (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port) + "/" + escaped(url.path);
}

int small_window(void*, curl_socket_t socket, curlsocktype) {
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  return CURL_SOCKOPT_OK;
}

}  // namespace

/// Shared by the loop and the worker. `package` is the worker's until `finished`.
struct FtpDownload::Transfer {
  Transfer(asio::io_context& loop, std::optional<int> at_percent) : loop(loop), changed(loop), at_percent(at_percent) {}

  void work(const FtpUrl& url, const FtpLimits& limits);
  void configure(const FtpUrl& url, const FtpLimits& limits);
  int perform();
  bool take(std::string_view bytes);
  bool ask_loop();
  void answer(Step step);
  void stop();
  void wake_loop(const std::shared_ptr<Transfer>& self) {
    asio::post(loop, [self] { self->changed.notify(); });
  }
  static size_t on_bytes(char* data, size_t, size_t size, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  asio::io_context& loop;
  Signal changed;
  const std::optional<int> at_percent;
  std::weak_ptr<Transfer> self;
  DeltaCheck package;
  CURL* easy = nullptr;
  bool asked = false;

  std::mutex mutex;
  std::condition_variable answered;
  CURLM* multi = nullptr;
  bool reached = false;
  uint64_t taken = 0;
  uint64_t of = 0;  ///< 0: not known
  std::optional<Step> step;
  bool stopping = false;
  bool finished = false;
  int code = 0;
};

size_t FtpDownload::Transfer::on_bytes(char* data, size_t, size_t size, void* self) {
  return static_cast<Transfer*>(self)->take(std::string_view(data, size)) ? size : 0;
}

/// Where curl itself waits for a reply, this is the only way out.
int FtpDownload::Transfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::lock_guard lock(transfer.mutex);
  return transfer.stopping ? 1 : 0;
}

/// False ends the transfer.
bool FtpDownload::Transfer::take(std::string_view bytes) {
  curl_off_t total = -1;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
  if (at_percent && !asked && total >= 0) {
    const auto threshold = static_cast<uint64_t>(total) * static_cast<uint64_t>(*at_percent) / 100;
    if (package.bytes() + bytes.size() >= threshold) {
      const auto before = static_cast<size_t>(threshold - package.bytes());
      package.feed(bytes.substr(0, before));
      bytes.remove_prefix(before);
      asked = true;
      if (!ask_loop()) return false;
    }
  }
  package.feed(bytes);
  const std::lock_guard lock(mutex);
  taken = package.bytes();
  of = static_cast<uint64_t>(std::max<curl_off_t>(total, 0));
  if (const auto alive = self.lock()) wake_loop(alive);
  return !stopping;
}

/// The connection stays open and unread while the loop makes up its mind.
bool FtpDownload::Transfer::ask_loop() {
  std::unique_lock lock(mutex);
  reached = true;
  if (const auto alive = self.lock()) wake_loop(alive);
  answered.wait(lock, [this] { return step || stopping; });
  return !stopping && *step == Step::go_on;
}

void FtpDownload::Transfer::answer(Step given) {
  const std::lock_guard lock(mutex);
  reached = false;
  step = given;
  answered.notify_all();
}

void FtpDownload::Transfer::stop() {
  const std::lock_guard lock(mutex);
  stopping = true;
  answered.notify_all();
  if (multi != nullptr) curl_multi_wakeup(multi);
}

int FtpDownload::Transfer::perform() {
  const std::unique_ptr<CURLM, MultiFree> own(curl_multi_init());
  if (!own || curl_multi_add_handle(own.get(), easy) != CURLM_OK) return CURLE_FAILED_INIT;
  {
    const std::lock_guard lock(mutex);
    multi = own.get();
  }
  int running = 1;
  int result = CURLE_ABORTED_BY_CALLBACK;
  for (bool stopped = false; running > 0 && !stopped;) {
    if (curl_multi_perform(own.get(), &running) != CURLM_OK) break;
    if (running > 0) curl_multi_poll(own.get(), nullptr, 0, kPollMs, nullptr);
    const std::lock_guard lock(mutex);
    stopped = stopping;
  }
  int left = 0;
  for (auto* message = curl_multi_info_read(own.get(), &left); message != nullptr;) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
    message = curl_multi_info_read(own.get(), &left);
  }
  curl_multi_remove_handle(own.get(), easy);
  const std::lock_guard lock(mutex);
  multi = nullptr;
  return result;
}

void FtpDownload::Transfer::work(const FtpUrl& url, const FtpLimits& limits) {
  const std::unique_ptr<CURL, EasyFree> own(curl_is_ready() ? curl_easy_init() : nullptr);
  int outcome = kUnknown;
  if (own) {
    easy = own.get();
    configure(url, limits);
    const int result = perform();
    long reply = 0;
    curl_off_t connect_us = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    const bool broken_off = step && *step == Step::stop;
    outcome = broken_off ? kDownloadStopped : ftp_code(result, reply, connect_us > 0);
  }
  const std::lock_guard lock(mutex);
  code = outcome;
  finished = true;
  if (const auto alive = self.lock()) wake_loop(alive);
}

void FtpDownload::Transfer::configure(const FtpUrl& url, const FtpLimits& limits) {
  const auto address = url_of(url);
  const long idle_s = limits.idle_s;
  curl_easy_setopt(easy, CURLOPT_URL, address.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "ftp");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!url.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, url.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, url.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_NOCWD));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, idle_s);
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, idle_s);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, idle_s);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, static_cast<long>(limits.total_s));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, small_window);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
}

int ftp_code(int curl_code, long reply, bool connected) {
  if (curl_code == CURLE_OK) return 0;
  if (curl_code == CURLE_COULDNT_RESOLVE_HOST) return kDns;
  // curl takes the server's farewell (421) for a time-out.
  const bool dismissed = reply == kDismissed;
  if (!dismissed && (curl_code == CURLE_OPERATION_TIMEDOUT || curl_code == CURLE_FTP_ACCEPT_TIMEOUT)) {
    return connected ? kTimeout : kNetwork;
  }
  const auto* known = std::find_if(std::begin(kReplies), std::end(kReplies), [=](auto& r) { return r.reply == reply; });
  if (known != std::end(kReplies)) return known->code;
  switch (curl_code) {
    case CURLE_COULDNT_CONNECT:
      return kNetwork;
    case CURLE_LOGIN_DENIED:
      return kLogin;
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_REMOTE_FILE_NOT_FOUND:
    case CURLE_FTP_COULDNT_RETR_FILE:
      return kNotTaken;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return reply == 0 ? kControlClosed : kDataClosed;
    case CURLE_SEND_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
      return kControlClosed;
    default:
      return kUnknown;
  }
}

FtpDownload::FtpDownload(asio::io_context& loop, FtpUrl url, FtpLimits limits, DownloadHooks& hooks)
    : loop_(loop),
      url_(std::move(url)),
      limits_(limits),
      hooks_(hooks),
      transfer_(std::make_shared<Transfer>(loop, hooks.at_percent)) {
  transfer_->self = transfer_;
}

FtpDownload::~FtpDownload() {
  transfer_->stop();
  if (worker_.joinable()) worker_.join();
}

const DeltaCheck& FtpDownload::package() const {
  return transfer_->package;
}

Awaitable<int> FtpDownload::run() {
  hooks_.log("ftp_request", {{"host", url_.host}, {"port", url_.port}, {"user", url_.user}, {"path", url_.path}});
  if (url_.over_limit) co_return kInvalidParameter;
  worker_ = std::thread([transfer = transfer_, url = url_, limits = limits_] { transfer->work(url, limits); });
  for (;;) {
    bool finished = false;
    bool reached = false;
    uint64_t taken = 0;
    uint64_t of = 0;
    {
      const std::lock_guard lock(transfer_->mutex);
      taken = transfer_->taken;
      of = transfer_->of;
      finished = transfer_->finished;
      reached = transfer_->reached;
    }
    if (hooks_.progress && of > 0) hooks_.progress(taken, of);
    if (finished) break;
    if (reached) {
      const auto step = co_await hooks_.reached();
      transfer_->answer(step);
      continue;
    }
    const auto until = Clock::now() + kSleepBound;
    co_await transfer_->changed.wait_until(until);
  }
  worker_.join();
  co_return transfer_->code;
}

}  // namespace dfota::sim
