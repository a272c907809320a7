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

Easy prepared(const std::string& url, std::chrono::milliseconds limit) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Easy easy(curl_easy_init());
  if (!easy) return easy;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, "dfota");
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

ConnectionProbe probe_connection(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit) {
  const std::string in_url = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const Easy easy = prepared("http://" + in_url + ":" + std::to_string(port), limit);
  ConnectionProbe probe;
  if (!easy) {
    probe.fault = ProbeFault{ProbeStage::name, "libcurl has no memory"};
    return probe;
  }
  curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  const CURLcode code = curl_easy_perform(easy.get());
  probe.address = address_of(easy.get());
  probe.fault = fault_of(easy.get(), code);
  return probe;
}

HttpProbe probe_http(const std::string& url, std::chrono::milliseconds limit) {
  const Easy easy = prepared(url, limit);
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
