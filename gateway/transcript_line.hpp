// One line of a transcript as it stands in files and in what dfota writes: JSON of printable ASCII, without the end of
// the line. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dfota {

/// What is read first stands first: of the head its version, of an event its time.
inline std::string transcript_line(nlohmann::json document) {
  const auto dump = [](const nlohmann::json& value) {
    return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  };
  for (const char* key : {"transcript", "t"}) {
    const auto found = document.find(key);
    if (found == document.end() || document.size() == 1) continue;
    const auto first = "{\"" + std::string(key) + "\":" + dump(*found) + ",";
    document.erase(found);
    return first + dump(document).substr(1);
  }
  return dump(document);
}

}  // namespace dfota
