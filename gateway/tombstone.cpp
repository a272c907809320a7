#include "gateway/tombstone.hpp"

#include "gateway/json_guard.hpp"
#include "gateway/payloads.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

using nlohmann::json;

/// The body may be long, and may hold a password.
std::string fingerprint(const UpdateCommand& command) {
  Sha256 hash;
  hash.update(command.body);
  return hash.hex();
}

}  // namespace

JournalContents::Tombstone tombstone_of(const Job& job, std::optional<WallTime> now) {
  json document = {{"body_sha256", fingerprint(job.command)},
                   {"run", job.run},
                   {"state", to_word(job.state())},
                   {"counts", counts_of(job)}};
  return {job.id(), now ? to_ms(*now) : 0, dump(document)};
}

std::optional<json> state_of(const std::string& tombstone, const UpdateCommand& command) {
  auto document = json::parse(tombstone, nullptr, false);
  if (!document.is_object() || document.value("body_sha256", "") != fingerprint(command)) return std::nullopt;
  document.erase("body_sha256");
  document["job"] = command.job;
  document["forgotten"] = true;
  document["modules"] = json::array();
  return document;
}

}  // namespace dfota
