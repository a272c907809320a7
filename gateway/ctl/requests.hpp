// What dfota asks of the gateway, as JSON (gateway/README.md, "cmd/update" and "Other verbs"). Pure. The transaction is
// added by whoever sends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/ctl/json_fields.hpp"

namespace dfota::ctl {

struct UpdateRequest {
  std::vector<std::string> modules;  ///< one that is "all": every module
  std::optional<std::string> tag, model, version;
  std::string delivery = "http";  ///< http, ftp, url, upload or file
  std::string url, sha256;        ///< of the artifact; of delivery url the module's own
  std::string file;               ///< of delivery file
  std::string artifact;           ///< one in the cache, by its name
  std::string from, to;
  std::string target;  ///< the gateway plans the way to this version
  bool rollback = false, allow_downgrade = false, dry_run = false;
  std::optional<std::uint64_t> size;
  std::optional<std::string> job;
  std::optional<std::int64_t> attempts, max_parallel, canary, abort_after_failures;
  std::optional<std::string> absent;                          ///< fail, wait
  std::optional<std::string> not_before, expires;             ///< RFC 3339
  std::optional<std::pair<std::string, std::string>> window;  ///< "01:00" to "05:00", local time of the gateway
};
Json update_body(const UpdateRequest& request);

/// What cancel, pause, resume, forget, release and claim are about: a job, a module, or neither.
struct Subject {
  std::optional<std::string> job, module;
};
Json subject_body(const Subject& subject);

/// nullopt: to the newest version that can be reached.
Json install_body(const std::string& module, const std::optional<std::string>& target);

/// nullopt: all modules. `force`: one that is lost is spoken to again; `accept`: the one at its port is taken for it.
Json scan_body(const std::optional<std::string>& module, bool force, bool accept);

/// `size`: of a delta, in bytes; nullopt: no forecast.
Json rehearse_body(const std::string& module, std::optional<std::uint64_t> size);

Json retry_body(const std::string& job, std::int64_t run);

/// nullopt: the newest update of the module.
Json transcript_body(const std::string& module, const std::optional<std::string>& job);

/// The page of `list`, `replay` or `transcript` behind `after`; null: the first one. `body`: what else is asked.
Json page_body(const Json& after, Json body = Json::object());

}  // namespace dfota::ctl
