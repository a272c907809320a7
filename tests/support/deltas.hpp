// Deltas of the rack's kind at the rig's origin, and in the gateway's catalog. The test's thread.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/rig.hpp"

namespace dfota::test {

/// UC20GQBR03A11E1G for "A11".
inline std::string uc20(const std::string& release) {
  return "UC20GQBR03" + release + "E1G";
}

struct DeltaOffer {
  std::string name, from, to;
  nlohmann::json released = nullptr;  ///< as the manifest has it; null: it does not say
  std::size_t bytes = 40000;
};

/// Stands at the origin under /<name>; its manifest, with `url`.
inline nlohmann::json offer(Rig& rig, const DeltaOffer& delta, const std::string& model = "UC20") {
  const auto file = rig.dir() / delta.name;
  const auto sha256 = make_delta(file, model, delta.from, delta.to, delta.bytes);
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  rig.origin.serve("/" + delta.name, content.str());
  nlohmann::json manifest = {{"name", delta.name},
                             {"model", model},
                             {"from", delta.from},
                             {"to", delta.to},
                             {"size", delta.bytes},
                             {"sha256", sha256},
                             {"url", rig.origin.url("/" + delta.name)}};
  if (!delta.released.is_null()) manifest["released"] = delta.released;
  return manifest;
}

/// offer(), and it is in the gateway's catalog.
inline nlohmann::json add(Rig& rig, const DeltaOffer& delta) {
  const auto manifest = offer(rig, delta);
  const auto reply = rig.request("artifact_add", manifest);
  if (reply.value("status", "") != "ok") throw std::runtime_error("artifact_add: " + reply.dump());
  return manifest;
}

}  // namespace dfota::test
