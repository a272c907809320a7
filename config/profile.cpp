#include "config/profile.hpp"

#include <algorithm>

#include "config/config.hpp"

namespace dfota {
namespace {

/// EC25-E is an EC25; but EC200U is no EC20, and EG915U no EG91: a digit more is another module.
bool is_of(std::string_view model, std::string_view beginning) {
  if (!model.starts_with(beginning)) return false;
  return model.size() == beginning.size() || model[beginning.size()] < '0' || model[beginning.size()] > '9';
}

const Profile* longest_beginning(const std::vector<Profile>& profiles, std::string_view model) {
  const Profile* best = nullptr;
  std::size_t length = 0;
  for (const auto& profile : profiles) {
    for (const auto& beginning : profile.models) {
      if (beginning.size() < length || !is_of(model, beginning)) continue;
      best = &profile;
      length = beginning.size();
    }
  }
  return best;
}

const Profile* named(const std::vector<Profile>& profiles, std::string_view name) {
  const auto found = std::ranges::find(profiles, name, &Profile::name);
  return found == profiles.end() ? nullptr : &*found;
}

}  // namespace

const EndCode* Profile::end_code(int code) const {
  const auto found = std::ranges::find_if(
      end_codes, [code](const EndCode& entry) { return entry.first <= code && code <= entry.last; });
  return found == end_codes.end() ? nullptr : &*found;
}

bool Profile::needs_minifota(std::string_view model, std::string_view version) const {
  const auto begins = [&](const std::string& beginning) { return is_of(model, beginning); };
  if (std::ranges::any_of(minifota_except, begins)) return false;
  const auto main = version.substr(0, version.find('_'));
  return std::ranges::any_of(minifota_versions, [&](const std::string& end) { return main.ends_with(end); });
}

TimeoutsConfig TimeoutsConfig::with(const ProfileDeadlines& deadlines) const {
  TimeoutsConfig out = *this;
  const auto take = [&](const char* key, double& field, const std::optional<double>& own) {
    if (own && !given.contains(key)) field = *own;
  };
  take("start", out.start, deadlines.start);
  take("download", out.download, deadlines.download);
  take("reboot", out.reboot, deadlines.reboot);
  take("progress_gap", out.progress_gap, deadlines.progress_gap);
  take("update", out.update, deadlines.update);
  return out;
}

const Profile* Profiles::by_name(std::string_view name) const {
  const auto* own = named(own_, name);
  return own != nullptr ? own : named(builtin_, name);
}

const Profile* Profiles::by_model(std::string_view model) const {
  const auto* own = longest_beginning(own_, model);
  return own != nullptr ? own : longest_beginning(builtin_, model);
}

const EndCode* Profiles::any_end_code(int code) const {
  for (const auto* profiles : {&own_, &builtin_}) {
    for (const auto& profile : *profiles) {
      if (const auto* entry = profile.end_code(code)) return entry;
    }
  }
  return nullptr;
}

std::vector<Profile> Profiles::all() const {
  std::vector<Profile> profiles = own_;
  profiles.insert(profiles.end(), builtin_.begin(), builtin_.end());
  return profiles;
}

std::string Profiles::names() const {
  std::string list;
  for (const auto& profile : all()) list += (list.empty() ? "" : ", ") + profile.name;
  return list;
}

}  // namespace dfota
