#include "transport/base/masked.hpp"

#include <algorithm>

namespace dfota {
namespace {

constexpr std::string_view kStars = "***";

/// Where the URL that begins at its "://" ends: an AT command sets it in quotes.
std::size_t end_of_url(std::string_view text, std::size_t from) {
  return std::min(text.find_first_of("\" ", from), text.size());
}

/// `"apn","user","password",1` behind QICSGP: the second and the third string are masked.
std::string mask_context(std::string_view line, std::size_t from) {
  std::string out(line.substr(0, from));
  int quotes = 0;
  for (std::size_t i = from; i < line.size(); ++i) {
    const bool quote = line[i] == '"';
    const bool secret = quotes == 3 || quotes == 5;
    if (quote && secret && line[i - 1] != '"') out += kStars;
    if (quote) ++quotes;
    if (quote || !secret) out += line[i];
  }
  return out;
}

}  // namespace

std::string masked_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto host = scheme + 3;
  const auto path = std::min(url.find('/', host), url.size());
  const auto at = url.substr(host, path - host).rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, host)) + std::string(url.substr(host + at + 1));
}

std::string masked_line(std::string_view line) {
  if (const auto context = line.find("QICSGP"); context != std::string_view::npos) return mask_context(line, context);
  std::string out;
  for (;;) {
    const auto scheme = line.find("://");
    if (scheme == std::string_view::npos) return out + std::string(line);
    const auto host = scheme + 3;
    const auto end = end_of_url(line, host);
    auto url = line.substr(host, end - host);
    const auto path = std::min(url.find('/'), url.size());
    const auto at = url.substr(0, path).rfind('@');
    out += line.substr(0, host);
    if (at != std::string_view::npos) {
      out += kStars;
      url.remove_prefix(at);
    }
    const auto query = url.find('?');
    out += url.substr(0, query);
    if (query != std::string_view::npos) out += "?" + std::string(kStars);
    line.remove_prefix(end);
  }
}

}  // namespace dfota
