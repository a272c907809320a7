#include "transport/download.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "transport/base/clock.hpp"

namespace dfota {
namespace {

constexpr std::size_t kMaxUrl = 8192;
constexpr std::uint64_t kMaxHeaderBytes = 262144;  // over all redirects
constexpr int kPollMs = 200;                       // how late a limit may be noticed

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct UrlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct TextFree {
  void operator()(char* text) const { curl_free(text); }
};
using Url = std::unique_ptr<CURLU, UrlFree>;

Url parse(const std::string& text) {
  Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) url.reset();
  return url;
}

std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return {};
  return std::unique_ptr<char, TextFree>(text).get();
}

std::string_view bare(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool is_allowed(const FetchOptions& options, std::string_view host) {
  host = bare(host);
  return std::any_of(options.allow_hosts.begin(), options.allow_hosts.end(), [host](std::string_view allowed) {
    allowed = bare(allowed);
    return allowed.size() == host.size() && strncasecmp(allowed.data(), host.data(), host.size()) == 0;
  });
}

bool is_local_v4(std::uint32_t address) {
  const auto first = address >> 24U;
  return first == 127 || first == 0 || (address >> 16U) == 0xa9feU;
}

/// Loopback, link-local or unspecified: an origin on this very machine or on its cable.
bool is_local(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return is_local_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return true;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::uint32_t v4 = 0;
    std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
    return is_local_v4(ntohl(v4));
  }
  return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6);
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return inet_ntop(address->sa_family, bytes, text, sizeof text) != nullptr ? text : "";
}

struct Transfer {
  Transfer(const FetchOptions& options, const Download::Sink& sink) : options(options), sink(sink) {}
  const FetchOptions& options;
  const Download::Sink& sink;
  CURL* easy = nullptr;
  std::uint64_t header_bytes = 0;
  std::uint64_t body_bytes = 0;
  bool head_is_whole = false;
  std::string refused_address;
  std::optional<Error> error;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.body_bytes += size;
  transfer.error = transfer.sink(std::string_view(data, size));
  return transfer.error ? 0 : size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size);
  if (transfer.body_bytes == 0) transfer.head_is_whole = line == "\r\n" || line == "\n";  // else a trailer
  transfer.header_bytes += size;
  if (transfer.header_bytes <= kMaxHeaderBytes) return size;
  transfer.error = Error(Errc::refused, "the answer's head is too long");
  return 0;
}

/// Asked for each address that is really connected to, at each redirect too: what a name resolved to earlier, or says
/// it is, does not matter.
curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* to) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (is_local(&to->addr)) {
    const char* url_now = nullptr;
    curl_easy_getinfo(transfer.easy, CURLINFO_EFFECTIVE_URL, &url_now);
    const Url url = parse(url_now != nullptr ? url_now : "");
    const bool allowed = is_allowed(transfer.options, text_of(&to->addr)) ||
                         (url && is_allowed(transfer.options, part(url, CURLUPART_HOST)));
    if (!allowed) {
      transfer.refused_address = text_of(&to->addr);
      return CURL_SOCKET_BAD;
    }
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
  // No proxy, from the environment neither: behind one the address that is connected to says nothing about the origin.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
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

/// curl's own message could hold parts of the URL; these texts cannot.
Result<void> outcome(const Transfer& transfer, CURLcode code) {
  if (transfer.error) return *transfer.error;
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_OK:
      // curl takes a connection that ends within the head for an empty file.
      if (!transfer.head_is_whole) return Error(Errc::absent, "the answer was cut off");
      if (status == 200) return {};
      return Error(Errc::absent, "the server answered " + std::to_string(status));
    case CURLE_HTTP_RETURNED_ERROR:
      return Error(Errc::absent, "the server answered " + std::to_string(status));
    case CURLE_OPERATION_TIMEDOUT:
      return Error(Errc::timeout, "no connection in time");
    case CURLE_FILESIZE_EXCEEDED:
      return Error(Errc::refused, "longer than artifacts.max_bytes");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
      return Error(Errc::refused, std::string("redirected to where we do not go: ") + curl_easy_strerror(code));
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error(Errc::refused, "its certificate is not trusted (artifacts.ca_file names the authority)");
    case CURLE_SSL_CACERT_BADFILE:
      return Error(Errc::io, "artifacts.ca_file cannot be used");
    default:
      if (!transfer.refused_address.empty()) {
        return Error(Errc::refused, "its address " + transfer.refused_address +
                                        " is this machine's or link-local: name the host in artifacts.allow_hosts");
      }
      return Error(Errc::absent, curl_easy_strerror(code));
  }
}

/// Fewer bytes than seconds in a whole window of stall_limit, or no end at total_limit.
class Limits {
 public:
  explicit Limits(const FetchOptions& options)
      : options_(options), end_(Clock::now() + options.total_limit), window_(Clock::now()) {}

  std::optional<Error> exceeded(std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now >= end_) return Error(Errc::timeout, "not done within the total limit");
    if (now - window_ < options_.stall_limit) return std::nullopt;
    if (bytes - bytes_ < static_cast<std::uint64_t>(options_.stall_limit.count())) {
      return Error(Errc::timeout, "the transfer has stalled");
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

Result<std::string> origin_of(const std::string& text) {
  if (text.size() > kMaxUrl) return Error(Errc::invalid, "the artifact's URL is too long");
  const auto colon = text.find("://");
  if (colon == std::string::npos) return Error(Errc::invalid, "the artifact's address is not a URL");
  const std::string scheme = text.substr(0, colon);
  if (strcasecmp(scheme.c_str(), "http") != 0 && strcasecmp(scheme.c_str(), "https") != 0) {
    return Error(Errc::refused, "the artifact's URL is neither http nor https");
  }
  const Url url = parse(text);
  if (!url) return Error(Errc::invalid, "the artifact's URL is malformed");
  const std::string port = part(url, CURLUPART_PORT);
  return part(url, CURLUPART_SCHEME) + "://" + part(url, CURLUPART_HOST) + (port.empty() ? "" : ":" + port) +
         part(url, CURLUPART_PATH);
}

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

Result<void> Download::get(const std::string& url, const Sink& sink) {
  Transfer transfer(options_, sink);
  const std::unique_ptr<CURL, EasyFree> easy(curl_easy_init());
  if (!easy || multi_->handle == nullptr) return Error(Errc::io, "libcurl has no memory");
  transfer.easy = easy.get();
  prepare(transfer, url);
  curl_multi_add_handle(multi_->handle, easy.get());

  Limits limits(options_);
  std::optional<Error> broken_off;
  std::optional<CURLcode> ended;
  while (!ended && !broken_off) {
    int running = 0;
    int left = 0;
    curl_multi_perform(multi_->handle, &running);
    if (const CURLMsg* message = curl_multi_info_read(multi_->handle, &left)) {
      ended = message->data.result;
      break;
    }
    if (stopped_) broken_off = Error(Errc::canceled, "the program ends");
    if (!broken_off) broken_off = limits.exceeded(transfer.header_bytes + transfer.body_bytes);
    if (!broken_off) curl_multi_poll(multi_->handle, nullptr, 0, kPollMs, nullptr);
  }
  curl_multi_remove_handle(multi_->handle, easy.get());
  if (broken_off) return *broken_off;
  return outcome(transfer, *ended);
}

}  // namespace dfota
