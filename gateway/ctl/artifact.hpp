// The verbs artifact add, list and remove. On the loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call. Null when options.call is another verb.
std::unique_ptr<Call> make_artifact(const Options& options, Connection& connection, Output& output);

/// One artifact of a page of `artifact_list`, as far as people want to know it.
struct ArtifactRow {
  std::string name, model, from, to;
  std::int64_t size = 0;
  bool present = false, is_signed = false;
  std::string used_at;
};
std::vector<ArtifactRow> artifact_rows(const Json& data);

/// name  model  from -> to  bytes  signed  in the cache since
std::vector<std::string> artifacts_table(const std::vector<ArtifactRow>& rows);

}  // namespace dfota::ctl
