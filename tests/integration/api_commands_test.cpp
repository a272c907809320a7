// The schemas of the commands (gateway/api/schemas/cmd_*.json) and the gateway say the same: every example is taken as
// a command, and of each what is made of it by a wrong type or one key more is refused, with the place. Whether ajv
// says the same of each of these is looked at with all other recorded messages (tests/api/messages_test.mjs).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

/// Refused for their form, which is what a schema speaks of.
const std::set<std::string> kForm = {"invalid", "unknown_key"};

/// The examples of each verb. cmd_pause.json is the schema of two.
std::map<std::string, Json> examples() {
  std::map<std::string, Json> found;
  for (const auto& entry : std::filesystem::directory_iterator(DFOTA_SOURCE_DIR "/gateway/api/schemas")) {
    const auto name = entry.path().stem().string();
    if (!name.starts_with("cmd_")) continue;
    found[name.substr(4)] = Json::parse(std::ifstream(entry.path()))["examples"];
  }
  found["resume"] = found.at("pause");
  return found;
}

std::string code_of(const Json& reply) {
  return reply["status"] == "ok" ? "ok" : reply["error"]["code"].get<std::string>();
}

/// Values of every type, of which some member cannot take most: those that are of its own type are left out.
std::vector<Json> wrong_for(const Json& good) {
  const std::vector<Json> values = {Json{{"x", 1}}, Json::array({Json::array()}), "\t", -1.5, true, nullptr};
  std::vector<Json> wrong;
  for (const auto& value : values) {
    const bool same = value.type_name() == std::string(good.type_name());
    if (!same || value == "\t") wrong.push_back(value);
  }
  return wrong;
}

/// Words of theirs, which take any text.
bool takes_any_text(const std::string& key) {
  return key == "transaction" || key == "notes" || key == "signature";
}

void check_refused(Rig& rig, const std::string& verb, const Json& body, const std::string& pointer) {
  const auto reply = rig.request(verb, body);
  CAPTURE(verb);
  CAPTURE(body.dump());
  CAPTURE(reply.dump());
  CHECK(kForm.contains(code_of(reply)));
  CHECK(reply["error"]["pointer"].get<std::string>().starts_with(pointer));
}

}  // namespace

TEST_CASE("the examples of the API document are commands that the gateway understands") {
  Rig rig(rack_of(1));
  for (const auto& [verb, bodies] : examples()) {
    for (const auto& body : bodies) {
      if (verb == "artifact_add" && body.contains("url")) continue;  // would be fetched from somewhere
      CAPTURE(verb);
      const auto reply = rig.request(verb, body);
      CAPTURE(reply.dump());
      CHECK_FALSE(kForm.contains(code_of(reply)));
    }
  }
}

TEST_CASE("a wrong type or one key more in an example is refused, with the place") {
  Rig rig(rack_of(1));
  for (const auto& [verb, bodies] : examples()) {
    for (const auto& body : bodies) {
      auto more = body;
      more["colour"] = "red";
      check_refused(rig, verb, more, "/colour");
      for (const auto& [key, good] : body.items()) {
        for (const auto& wrong : wrong_for(good)) {
          if (wrong == "\t" && takes_any_text(key)) continue;
          auto bad = body;
          bad[key] = wrong;
          check_refused(rig, verb, bad, "");
        }
      }
    }
  }
}
