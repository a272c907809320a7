#include "transport/probe.hpp"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace dfota {
namespace {
constexpr std::size_t kMaxBody = 65536;
constexpr std::size_t kMaxVia = 256;

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyFree>;

Easy prepared(const std::string& url, const ProbeOptions& options) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Easy easy(curl_easy_init());
  if (!easy) return easy;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(options.limit.count()));
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, "dfota");
  if (!options.ca_file.empty()) curl_easy_setopt(easy.get(), CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.cert_file.empty()) curl_easy_setopt(easy.get(), CURLOPT_SSLCERT, options.cert_file.c_str());
  if (!options.key_file.empty()) curl_easy_setopt(easy.get(), CURLOPT_SSLKEY, options.key_file.c_str());
  return easy;
}

std::string address_of(CURL* easy) {
  const char* address = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
  return address != nullptr ? address : "";
}

/// How far it came says curl by the times that it has taken.
bool has_come_to(CURL* easy, CURLINFO what) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, what, &microseconds);
  return microseconds > 0;
}

std::optional<ProbeFault> fault_of(CURL* easy, CURLcode code) {
  if (code == CURLE_OK) return std::nullopt;
  const std::string why = curl_easy_strerror(code);
  if (code == CURLE_COULDNT_RESOLVE_HOST || !has_come_to(easy, CURLINFO_NAMELOOKUP_TIME_T)) {
    return ProbeFault{ProbeStage::name, why};
  }
  if (code == CURLE_COULDNT_CONNECT || !has_come_to(easy, CURLINFO_CONNECT_TIME_T)) {
    long number = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    return ProbeFault{ProbeStage::tcp, number != 0 ? std::string(std::strerror(static_cast<int>(number))) : why};
  }
  return ProbeFault{ProbeStage::http, why};
}

std::size_t on_body(char*, std::size_t, std::size_t size, void* self) {
  auto& probe = *static_cast<HttpProbe*>(self);
  probe.body_bytes += size;
  return probe.body_bytes > kMaxBody ? 0 : size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
  constexpr std::string_view kVia = "via:";
  const std::string_view line(data, size);
  if (line.size() > kVia.size() && strncasecmp(line.data(), kVia.data(), kVia.size()) == 0) {
    const auto first = line.find_first_not_of(" \t\r\n", kVia.size()), last = line.find_last_not_of("\r\n");
    if (first != std::string_view::npos) {
      static_cast<HttpProbe*>(self)->via = std::string(line.substr(first, std::min(last + 1 - first, kMaxVia)));
    }
  }
  return size;
}
}  // namespace

/// curl tells no times of a TCP connection on which TLS has failed: each is tried by itself.
ConnectionProbe probe_connection(const std::string& host, std::uint16_t port, bool tls, const ProbeOptions& options) {
  const std::string in_url = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const std::string behind = "://" + in_url + ":" + std::to_string(port);
  ConnectionProbe probe;
  for (const bool with_tls : {false, true}) {
    if (with_tls && !tls) break;
    const Easy easy = prepared((with_tls ? "https" : "http") + behind, options);
    if (!easy) {
      probe.fault = ProbeFault{ProbeStage::name, "libcurl has no memory"};
      break;
    }
    curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_SSL_ENABLE_ALPN, 0L);  // it is MQTT that follows
    const CURLcode code = curl_easy_perform(easy.get());
    if (!with_tls) {
      probe.address = address_of(easy.get());
      probe.fault = fault_of(easy.get(), code);
    } else if (code != CURLE_OK) {
      probe.fault = ProbeFault{ProbeStage::tls, curl_easy_strerror(code)};
    }
    if (probe.fault) break;
  }
  return probe;
}

HttpProbe probe_http(const std::string& url, const ProbeOptions& options) {
  const Easy easy = prepared(url, options);
  HttpProbe probe;
  if (!easy) {
    probe.fault = ProbeFault{ProbeStage::name, "libcurl has no memory"};
    return probe;
  }
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &probe);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &probe);
  const CURLcode code = curl_easy_perform(easy.get());
  probe.address = address_of(easy.get());
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &probe.status);
  if (code != CURLE_WRITE_ERROR) probe.fault = fault_of(easy.get(), code);
  return probe;
}

}  // namespace dfota
