#include "transport/http_url.hpp"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace dfota {
namespace {

constexpr std::size_t kMaxUrl = 8192;

struct UrlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct TextFree {
  void operator()(char* text) const { curl_free(text); }
};
using Url = std::unique_ptr<CURLU, UrlFree>;

Url parse(const std::string& text, unsigned flags = 0) {
  Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) != CURLUE_OK) url.reset();
  return url;
}

std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  return std::unique_ptr<char, TextFree>(text).get();
}

std::string without_brackets(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

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

std::string host_of(const std::string& text) {
  const Url url = parse(text);
  return url ? without_brackets(part(url, CURLUPART_HOST)) : "";
}

std::string server_of(const std::string& text) {
  const Url url = parse(text);
  if (!url) return {};
  std::string server = part(url, CURLUPART_SCHEME) + "://" + part(url, CURLUPART_HOST) + ":" +
                       part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::transform(server.begin(), server.end(), server.begin(), [](unsigned char c) { return std::tolower(c); });
  return server;
}

std::optional<HostPort> proxy_in(const std::string& text) {
  const Url url = parse(text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
  if (!url) return std::nullopt;
  HostPort proxy{without_brackets(part(url, CURLUPART_HOST)), part(url, CURLUPART_PORT)};
  if (proxy.port.empty()) proxy.port = part(url, CURLUPART_SCHEME) == "https" ? "443" : "1080";  // CURLOPT_PROXY(3)
  return proxy;
}

}  // namespace dfota
