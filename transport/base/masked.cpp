#include "transport/base/masked.hpp"

#include <algorithm>
#include <cctype>

namespace dfota {
namespace {

constexpr std::string_view kStars = "***";

/// Commands, and their answers, of which all is secret behind so many commas.
struct SecretTail {
  std::string_view name;
  int commas;
};
constexpr SecretTail kSecretTails[] = {
    {"+cpin=", 0},
    {"+cpwd=", 1},
    {"+clck=", 2},
    {"+cgauth=", 2},
    {"+cgauth:", 2},
    {"+qftpuser=", 0},
    {"+qftppass=", 0},
    {"+qftpcfg=\"account\"", 1},
    {"+qftpcfg: \"account\"", 1},
    {"+qhttpcfg=\"auth\"", 1},
    {"+qmtconn=", 2},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// The tokens of our own file server: /a/<hex digits>/name.
std::string mask_token(std::string_view path) {
  constexpr std::string_view kBefore = "/a/";
  constexpr std::size_t kFewest = 8;  // one that was cut off tells as much as it has
  const auto before = path.find(kBefore);
  if (before == std::string_view::npos) return std::string(path);
  const auto from = before + kBefore.size();
  const auto to = std::min(path.find('/', from), path.size());
  const auto token = path.substr(from, to - from);
  const bool is_one = token.size() >= kFewest && token.find_first_not_of("0123456789abcdefABCDEF") == token.npos;
  if (!is_one) return std::string(path);
  return std::string(path.substr(0, from)) + std::string(kStars) + std::string(path.substr(to));
}

/// What may be told of a URL behind its scheme. One that ends without its '@' and without a path was cut off: what
/// stands behind its colon may be half a password.
std::string mask_authority(std::string_view url, bool ftp, bool may_be_cut) {
  const auto path = std::min(url.find('/'), url.size());
  const auto at = url.substr(0, ftp ? url.size() : path).rfind('@');
  std::string out;
  if (at != std::string_view::npos) {
    out = kStars;
    url.remove_prefix(at);
  } else if (const auto colon = url.find(':'); may_be_cut && path == url.size() && colon != std::string_view::npos) {
    return std::string(url.substr(0, colon + 1)) + std::string(kStars);
  }
  const auto query = url.find('?');
  out += mask_token(url.substr(0, query));
  if (query != std::string_view::npos) out += "?" + std::string(kStars);
  return out;
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

/// Where the secret tail of a line begins; its size when there is none.
std::size_t tail_of(std::string_view folded) {
  for (const auto& [name, commas] : kSecretTails) {
    const auto found = folded.find(name);
    if (found == std::string_view::npos) continue;
    auto at = found + name.size();
    bool quoted = false;
    for (int left = commas; left > 0 && at < folded.size(); ++at) {
      if (folded[at] == '"') quoted = !quoted;
      if (folded[at] == ',' && !quoted) --left;
    }
    if (folded.substr(at) == "?") continue;  // AT+CPIN=?
    return at;
  }
  return folded.size();
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
  const auto folded = lower(line);
  if (const auto context = folded.find("qicsgp"); context != std::string::npos) return mask_context(line, context);
  std::string out;
  const auto tail = tail_of(folded);
  if (tail < line.size()) return masked_line(line.substr(0, tail)) + std::string(kStars);
  std::size_t told = 0;
  for (auto scheme = line.find("://"); scheme != std::string_view::npos; scheme = line.find("://", told)) {
    const auto host = scheme + 3;
    const auto end = std::min(line.find_first_of("\" ", host), line.size());  // an AT command sets it in quotes
    const bool ftp = std::string_view(folded).substr(0, scheme).ends_with("ftp");
    out += line.substr(told, host - told);
    out += mask_authority(line.substr(host, end - host), ftp, end == line.size());
    told = end;
  }
  return out + std::string(line.substr(told));
}

}  // namespace dfota
