#include "modem/simulator/fota_order.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace dfota::sim {
namespace {

constexpr std::string_view kMiniPackage = ".mini_1";
constexpr size_t kMostParameters = 3;
constexpr unsigned kLeastUrcs = 5;
constexpr unsigned kMostUrcs = 100;

/// In small or capital letters.
bool begins(std::string_view text, std::string_view start) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(), same);
}

bool ends(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// ",<upgrade_mode>[,<download_URC_max>[,<update_URC_max>]]"; the last one is ignored, as several models do.
bool take_parameters(std::string_view text, unsigned& downloading_urcs) {
  for (size_t index = 0; !text.empty(); ++index) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (text.front() != ',' || failure != std::errc() || index == kMostParameters) return false;
    const bool right = index == 0 ? value <= 1 : value == 0 || (value >= kLeastUrcs && value <= kMostUrcs);
    if (!right) return false;
    if (index == 1) downloading_urcs = value;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  return true;
}

bool takes(const Profile& profile, const UpdateTarget& target, std::string_view address) {
  switch (target.delivery) {
    case Delivery::http:
      return !profile.http.empty() && address.size() <= profile.url_max_bytes;
    case Delivery::ftp:
      return !profile.ftp.empty();
    case Delivery::stream:
      return profile.local_form == LocalForm::stream;
    case Delivery::ufs:
    case Delivery::efs:
      break;
  }
  return false;
}

}  // namespace

FotaArguments split_arguments(std::string_view arguments) {
  const auto close = arguments.rfind('"');
  if (arguments.empty() || arguments.front() != '"' || close == 0) return {std::string(arguments), "", false};
  return {std::string(arguments.substr(1, close - 1)), std::string(arguments.substr(close + 1)), true};
}

std::variant<FotaOrder, int> take_order(const Family& family, std::string_view model, std::string_view version,
                                        std::string_view arguments) {
  const auto& profile = family.profile();
  const auto [address, parameters, quoted] = split_arguments(arguments);
  FotaOrder order;
  order.downloading_urcs = profile.stages.downloading.empty() ? 0 : profile.stages.downloading_max;
  if (!quoted) {
    order.target.delivery = Delivery::efs;
    const bool fixed = profile.local_form == LocalForm::fixed && address == profile.local_path;
    return fixed ? std::variant<FotaOrder, int>(order) : kCmeNotAllowed;
  }
  if (!parameters.empty() && (profile.parameters.empty() || !take_parameters(parameters, order.downloading_urcs))) {
    return kCmeIncorrectParameters;
  }
  if (family.is_minifota(model, version) && !ends(address, kMiniPackage)) return kCmeIncorrectParameters;
  if (profile.local_form == LocalForm::path && begins(address, profile.local_path)) {
    order.target.delivery = Delivery::ufs;
    order.target.file = address.substr(profile.local_path.size());
    return order;
  }
  const auto target = parse_target(address);
  if (!target) return kCmeNotAllowed;
  if (!takes(profile, *target, address)) return kCmeIncorrectParameters;
  order.target = *target;
  return order;
}

std::string order_help(const Family& family) {
  return family.profile().parameters.empty() ? "" : "+QFOTADL: <url>,(0,1),(0,5-100),(0,5-100)";
}

}  // namespace dfota::sim
