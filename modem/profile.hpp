// What differs between families of modules. UC15 and UC20 are the guide's own. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dfota {

struct Profile {
  std::string name;
  std::vector<std::string> models;  ///< second line of ATI
  std::string url_scheme;           ///< as the module wants it spelt: "HTTP://"
  std::size_t url_max_bytes = 255;  ///< guide, chapter 3, <httpurl>
};

/// The family of a model, or the one named; nullptr when there is none.
const Profile* find_profile(std::string_view model);

/// The address in the profile's spelling: the scheme replaced. `url` begins with http:// in any case.
std::string spell_url(const Profile& profile, const std::string& url);

}  // namespace dfota
