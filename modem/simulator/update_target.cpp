#include "modem/simulator/update_target.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "modem/simulator/delta.hpp"

namespace dfota::sim {
namespace {

constexpr size_t kMaxFtpPartBytes = 50;
constexpr std::string_view kFileForms[] = {"ufs:", "/data/ufs/", "/cache/ufs/"};

bool starts_with(std::string_view text, std::string_view lower_start) {
  return text.size() >= lower_start.size() && std::equal(lower_start.begin(), lower_start.end(), text.begin(),
                                                         [](char l, unsigned char t) { return l == std::tolower(t); });
}

template <class Number>
bool whole_number(std::string_view text, Number& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && failure == std::errc() && end == text.data() + text.size();
}

Error invalid(const std::string& message) {
  return {Errc::invalid, message};
}

/// "host", "host:port", "[v6]:port"
bool take_server(std::string_view text, FtpUrl& ftp) {
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!whole_number(text.substr(colon + 1), ftp.port) || ftp.port == 0) return false;
    text = text.substr(0, colon);
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  ftp.host = text;
  return !text.empty();
}

Result<FtpUrl> parse_ftp(std::string_view url) {
  const auto forbidden = [](unsigned char c) { return c <= ' ' || c == '"' || c >= 0x7f; };
  if (std::any_of(url.begin(), url.end(), forbidden)) return invalid("the URL has a blank or a control character");
  FtpUrl ftp;
  ftp.over_limit = url.size() > kMaxUrlBytes;
  url.remove_prefix(std::string_view("ftp://").size());
  const auto slash = url.find('/');
  if (slash == std::string_view::npos || slash + 1 == url.size()) return invalid("the URL has no path");
  ftp.path = url.substr(slash + 1);
  auto server = url.substr(0, slash);
  const auto at = server.rfind('@');
  if (at != std::string_view::npos) {
    const auto login = server.substr(0, at);
    const auto colon = login.find(':');
    ftp.user = login.substr(0, colon);
    if (colon != std::string_view::npos) ftp.password = login.substr(colon + 1);
    server.remove_prefix(at + 1);
  }
  if (!take_server(server, ftp)) return invalid("the URL has no host, or no port from 1 to 65535");
  for (const auto* part : {&ftp.user, &ftp.password, &ftp.host, &ftp.path}) {
    ftp.over_limit = ftp.over_limit || part->size() > kMaxFtpPartBytes;
  }
  return ftp;
}

}  // namespace

Result<UpdateTarget> parse_target(std::string_view text) {
  UpdateTarget target;
  if (starts_with(text, "ftp://")) {
    auto ftp = parse_ftp(text);
    if (!ftp) return ftp.error();
    target.delivery = Delivery::ftp;
    target.ftp = *ftp;
    return target;
  }
  if (starts_with(text, "file:")) {
    target.delivery = Delivery::stream;
    const bool known = whole_number(text.substr(5), target.length);
    if (!known || target.length == 0 || target.length > kMaxDeltaBytes) return invalid("no length behind FILE:");
    return target;
  }
  for (const auto form : kFileForms) {
    if (!starts_with(text, form)) continue;
    target.delivery = Delivery::ufs;
    target.file = text.substr(form.size());
    return target;
  }
  auto url = parse_url(text);
  if (!url) return url.error();
  target.url = *url;
  return target;
}

}  // namespace dfota::sim
