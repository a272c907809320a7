#include "gateway/last_errors.hpp"

#include <string_view>

namespace dfota {
namespace {

using nlohmann::json;

constexpr const char* kKeys[] = {"ts", "job", "code", "class", "name", "meaning", "hint", "phase"};

}  // namespace

LastErrors::LastErrors(const std::map<std::string, std::string>& facts) {
  for (auto at = facts.lower_bound(kFact); at != facts.end() && at->first.starts_with(kFact); ++at) {
    auto error = json::parse(at->second, nullptr, false);
    bool is_whole = error.is_object();
    for (const auto* key : kKeys) is_whole = is_whole && error.contains(key);
    if (is_whole) errors_[at->first.substr(std::string_view(kFact).size())] = std::move(error);
  }
}

std::string LastErrors::note(const std::string& module, const json& error) {
  auto& kept = errors_[module] = json::object();
  for (const auto* key : kKeys) kept[key] = error.at(key);
  return kept.dump();
}

json LastErrors::of(const std::string& module) const {
  const auto found = errors_.find(module);
  return found == errors_.end() ? json(nullptr) : found->second;
}

}  // namespace dfota
