// The texts of config/profiles/*.toml, as CMake found them. Any thread.
#pragma once

#include <string_view>
#include <vector>

namespace dfota {

struct BuiltinProfile {
  std::string_view file, text;
};

const std::vector<BuiltinProfile>& builtin_profile_texts();

}  // namespace dfota
