// What the journal keeps of a module beside its jobs: the fact "module/<id>". Plain values; any thread.
#pragma once

#include <map>
#include <string>

namespace dfota {

struct ModuleFact {
  std::string imei;         ///< configured, or the first one seen
  bool lost = false;        ///< in an update; nothing is written to it
  bool released = false;    ///< to somebody's own terminal
  bool discovered = false;  ///< [discovery] has found it; no [[module]] names it
  std::string port;         ///< where it stood last, if that is not what the configuration says
  bool operator==(const ModuleFact&) const = default;

  static std::string key(const std::string& module);
  [[nodiscard]] std::string document() const;
};

/// Of all modules, out of the journal's facts; one that cannot be read is none.
std::map<std::string, ModuleFact> read_module_facts(const std::map<std::string, std::string>& facts);

}  // namespace dfota
