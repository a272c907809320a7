#include "gateway/module_fact.hpp"

#include <nlohmann/json.hpp>

namespace dfota {
namespace {
constexpr std::string_view kPrefix = "module/";
}  // namespace

std::string ModuleFact::key(const std::string& module) {
  return std::string(kPrefix) + module;
}

std::string ModuleFact::document() const {
  nlohmann::json out = {{"imei", imei}, {"lost", lost}};
  if (released) out["released"] = true;
  if (discovered) out["discovered"] = true;
  if (!port.empty()) out["port"] = port;
  return out.dump();
}

std::map<std::string, ModuleFact> read_module_facts(const std::map<std::string, std::string>& facts) {
  std::map<std::string, ModuleFact> read;
  for (auto at = facts.lower_bound(std::string(kPrefix)); at != facts.end() && at->first.starts_with(kPrefix); ++at) {
    const auto fact = nlohmann::json::parse(at->second, nullptr, false);
    if (!fact.is_object()) continue;
    read[at->first.substr(kPrefix.size())] = {fact.value("imei", ""), fact.value("lost", false),
                                              fact.value("released", false), fact.value("discovered", false),
                                              fact.value("port", "")};
  }
  return read;
}

}  // namespace dfota
