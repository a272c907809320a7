#include "gateway/ctl/json_fields.hpp"

#include <cmath>

namespace dfota::ctl {
namespace {
constexpr int kMaxDepth = 16;
}  // namespace

Json parse_json(const std::string& payload) {
  if (payload.size() > kMaxPayload) return Json(Json::value_t::discarded);
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  Json document = Json::parse(payload, shallow, false);
  return too_deep ? Json(Json::value_t::discarded) : document;
}

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return {};
  if (it->is_string()) return it->get_ref<const std::string&>().substr(0, kMaxText);
  return it->is_number() ? dumped(*it) : "";
}

std::optional<double> number(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  const auto value = it->get<double>();
  return std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> integer(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? std::optional(it->get<std::int64_t>()) : std::nullopt;
}

std::string words(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().substr(0, kMaxText);
  if (!value.is_object()) return {};
  std::string result = text(value, "code");
  for (const char* key : {"message", "meaning"}) {
    const std::string more = text(value, key);
    if (!more.empty()) result += (result.empty() ? "" : ": ") + more;
  }
  return result;
}

std::vector<std::string> list_of_words(const Json& object, const char* key) {
  std::vector<std::string> result;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return result;
  for (const auto& one : *it) {
    if (result.size() == kMaxList) break;
    result.push_back(words(one));
  }
  return result;
}

std::map<std::string, std::int64_t> counts_of(const Json& object, const char* key) {
  std::map<std::string, std::int64_t> result;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object()) return result;
  for (const auto& [name, count] : it->items()) {
    if (count.is_number_integer() && result.size() < kMaxList) result[name] = count.get<std::int64_t>();
  }
  return result;
}

}  // namespace dfota::ctl
