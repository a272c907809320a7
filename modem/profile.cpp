#include "modem/profile.hpp"

#include <algorithm>

namespace dfota {

const Profile* find_profile(std::string_view model) {
  static const std::vector<Profile> families = {
      {"uc20", {"UC20"}, "HTTP://", 255},
      {"uc15", {"UC15"}, "HTTP://", 255},
  };
  for (const auto& family : families) {
    if (std::find(family.models.begin(), family.models.end(), model) != family.models.end()) return &family;
  }
  return nullptr;
}

std::string spell_url(const Profile& profile, const std::string& url) {
  const auto end_of_scheme = url.find("://");
  return end_of_scheme == std::string::npos ? url : profile.url_scheme + url.substr(end_of_scheme + 3);
}

}  // namespace dfota
