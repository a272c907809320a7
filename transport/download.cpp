#include "transport/download.hpp"

#include <curl/curl.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "transport/origin_guard.hpp"

namespace dfota {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 262144;  // over all redirects
constexpr int kPollMs = 200;                       // how late a limit may be noticed
constexpr std::uint64_t kFloorBytesPerSecond = 256;

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

struct Transfer {
  Transfer(const FetchOptions& options, std::uint64_t from, Download::Sink& sink)
      : options(options), guard(options.allow_hosts), from(from), sink(sink) {}
  const FetchOptions& options;
  const OriginGuard guard;
  const std::uint64_t from;
  Download::Sink& sink;
  CURL* easy = nullptr;
  std::uint64_t header_bytes = 0;
  std::uint64_t body_bytes = 0;
  bool head_is_whole = false;
  bool begun = false;
  bool start_anew = false;
  bool html = false;
  std::optional<std::uint64_t> range_from;  ///< of the head at hand
  std::string refused;
  std::optional<Error> error;
};

/// The value, when the line is of that field.
std::optional<std::string_view> field(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  if (strncasecmp(line.data(), name.data(), name.size()) != 0) return std::nullopt;
  line.remove_prefix(name.size() + 1);
  const auto begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
}

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0;
}

/// The first byte of `bytes 100-299/300`, RFC 9110 14.4.
std::optional<std::uint64_t> first_byte(std::string_view range) {
  constexpr std::string_view kUnit = "bytes ";
  if (!begins_with(range, kUnit)) return std::nullopt;
  std::uint64_t first = 0;
  const auto* end = range.data() + range.size();
  const auto [stop, fault] = std::from_chars(range.data() + kUnit.size(), end, first);
  if (fault != std::errc() || stop == end || *stop != '-') return std::nullopt;
  return first;
}

void read_head(Transfer& transfer, std::string_view line) {
  if (line.starts_with("HTTP/")) {
    transfer.range_from.reset();
    transfer.html = false;
  } else if (const auto range = field(line, "Content-Range")) {
    transfer.range_from = first_byte(*range);
  } else if (const auto type = field(line, "Content-Type")) {
    transfer.html = begins_with(*type, "text/html") || begins_with(*type, "application/xhtml");
  }
}

Error answered(long status) {
  const char* who = status == 407 ? "the proxy answered " : "the server answered ";
  return Error(Errc::absent, who + std::to_string(status));
}

/// At the first byte, or at the end of an answer without any.
std::optional<Error> begin(Transfer& transfer) {
  transfer.begun = true;
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  Download::Answer answer;
  if (status == 206 && transfer.from > 0) {
    if (transfer.range_from != transfer.from) {
      transfer.start_anew = true;
      return Error(Errc::absent, "the server sent another part than it was asked for");
    }
    answer.from = transfer.from;
  } else if (status != 200) {
    return answered(status);
  }
  curl_off_t length = -1;
  curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length >= 0) answer.length = static_cast<std::uint64_t>(length);
  answer.html = transfer.html;
  return transfer.sink.begin(answer);
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.begun) transfer.error = begin(transfer);
  transfer.body_bytes += size;
  if (!transfer.error) transfer.error = transfer.sink.take(std::string_view(data, size));
  return transfer.error ? 0 : size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size);
  if (transfer.body_bytes == 0) {  // else a trailer
    transfer.head_is_whole = line == "\r\n" || line == "\n";
    read_head(transfer, line);
  }
  transfer.header_bytes += size;
  if (transfer.header_bytes <= kMaxHeaderBytes) return size;
  transfer.error = Error(Errc::refused, "the answer's head is too long");
  return 0;
}

/// Asked for each address that is really connected to, at each redirect too: what a name resolved to earlier, or says
/// it is, does not matter.
curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* to) {
  auto& transfer = *static_cast<Transfer*>(self);
  const char* url = nullptr;
  curl_easy_getinfo(transfer.easy, CURLINFO_EFFECTIVE_URL, &url);
  if (const auto refused = transfer.guard.refusal(&to->addr, url != nullptr ? url : "")) {
    transfer.refused = *refused;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void prepare(Transfer& transfer, const std::string& url) {
  CURL* easy = transfer.easy;
  const FetchOptions& options = transfer.options;
  const auto connect_ms = std::chrono::milliseconds(options.connect_limit).count();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, std::max(0L, options.max_redirects));
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "dfota-gateway");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_ms));
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.max_bytes));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name look-up that hangs does not hold up the end
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  // The heads are those of the origin's answers.
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // Not CURLOPT_RESUME_FROM: it makes errors of answers that only mean "from the start".
  if (transfer.from > 0) curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(transfer.from) + "-").c_str());
  // Each hop opens its own connection, so that each one is asked about.
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
}

std::optional<Error> finished(Transfer& transfer) {
  // curl takes a connection that ends within the head for an empty file.
  if (!transfer.head_is_whole) return Error(Errc::absent, "the answer was cut off");
  return transfer.begun ? std::nullopt : begin(transfer);
}

Error broken(const Transfer& transfer, CURLcode code) {
  if (!transfer.refused.empty()) {
    return Error(Errc::refused, "its address " + transfer.refused +
                                    " is this machine's or link-local: name the host in artifacts.allow_hosts");
  }
  long connect_status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  if (connect_status >= 300) return Error(Errc::absent, "the proxy answered " + std::to_string(connect_status));
  const std::string cut =
      transfer.body_bytes > 0 ? "cut off after " + std::to_string(transfer.body_bytes) + " bytes: " : "";
  return Error(Errc::absent, cut + curl_easy_strerror(code));
}

/// curl's own message could hold parts of the URL; these texts cannot.
Download::End outcome(Transfer& transfer, CURLcode code) {
  Download::End end;
  if (!transfer.error && code == CURLE_OK) transfer.error = finished(transfer);
  end.start_anew = transfer.start_anew;
  end.error = transfer.error;
  if (end.error || code == CURLE_OK) return end;
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
      end.start_anew = status == 416 && transfer.from > 0;
      end.error = status == 0 ? broken(transfer, code) : answered(status);  // 0: the proxy's answer to CONNECT
      break;
    case CURLE_OPERATION_TIMEDOUT:
      end.error = Error(Errc::timeout, "no connection in time");
      break;
    case CURLE_FILESIZE_EXCEEDED:
      end.error = Error(Errc::refused, "longer than artifacts.max_bytes");
      break;
    case CURLE_TOO_MANY_REDIRECTS:
      end.error =
          Error(Errc::refused, "redirected more than " + std::to_string(transfer.options.max_redirects) + " times");
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      end.error = Error(Errc::refused, std::string("redirected to where we do not go: ") + curl_easy_strerror(code));
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      end.error = Error(Errc::refused, "its certificate is not trusted (artifacts.ca_file names the authority)");
      break;
    case CURLE_SSL_CACERT_BADFILE:
      end.error = Error(Errc::io, "artifacts.ca_file cannot be used");
      break;
    default:
      end.error = broken(transfer, code);
      end.cut = transfer.body_bytes > 0;
  }
  return end;
}

/// Too few bytes in a whole window of stall_limit, or no end at the deadline. A transfer that has ended is not asked
/// about, so the last bytes of a file may be as few as they are.
class Limits {
 public:
  Limits(const FetchOptions& options, Clock::time_point end) : options_(options), end_(end), window_(Clock::now()) {}

  std::optional<Error> exceeded(std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now >= end_) return Error(Errc::timeout, "not done within the total limit");
    if (now - window_ < options_.stall_limit) return std::nullopt;
    const auto seconds = static_cast<std::uint64_t>(options_.stall_limit.count());
    if (bytes - bytes_ < kFloorBytesPerSecond * seconds) {
      return Error(Errc::timeout,
                   "too slow: " + std::to_string(bytes - bytes_) + " bytes in " + std::to_string(seconds) + " s");
    }
    window_ = now;
    bytes_ = bytes;
    return std::nullopt;
  }

 private:
  const FetchOptions& options_;
  Clock::time_point end_;
  Clock::time_point window_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

struct Download::Multi {
  Multi() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~Multi() {
    curl_multi_cleanup(handle);
    curl_global_cleanup();
  }
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  CURLM* handle = curl_multi_init();
};

Download::Download(const FetchOptions& options) : options_(options), multi_(std::make_unique<Multi>()) {}

Download::~Download() = default;

void Download::stop() {
  stopped_ = true;
  curl_multi_wakeup(multi_->handle);
}

void Download::pause(std::chrono::milliseconds time) {
  if (!stopped_) curl_multi_poll(multi_->handle, nullptr, 0, static_cast<int>(time.count()), nullptr);
}

Download::End Download::get(const std::string& url, std::uint64_t from, Clock::time_point deadline, Sink& sink) {
  Transfer transfer(options_, from, sink);
  const std::unique_ptr<CURL, EasyFree> easy(curl_easy_init());
  End end;
  if (!easy || multi_->handle == nullptr) {
    end.error = Error(Errc::io, "libcurl has no memory");
    return end;
  }
  transfer.easy = easy.get();
  prepare(transfer, url);
  curl_multi_add_handle(multi_->handle, easy.get());

  Limits limits(options_, deadline);
  std::optional<CURLcode> ended;
  while (!ended && !end.error) {
    int running = 0;
    int left = 0;
    curl_multi_perform(multi_->handle, &running);
    if (const CURLMsg* message = curl_multi_info_read(multi_->handle, &left)) {
      ended = message->data.result;
      break;
    }
    if (stopped_) end.error = Error(Errc::canceled, "the program ends");
    if (!end.error) end.error = limits.exceeded(transfer.header_bytes + transfer.body_bytes);
    if (!end.error) curl_multi_poll(multi_->handle, nullptr, 0, kPollMs, nullptr);
  }
  curl_multi_remove_handle(multi_->handle, easy.get());
  if (ended) return outcome(transfer, *ended);
  return end;
}

}  // namespace dfota
