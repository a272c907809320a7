// The gateway's replies to dfota's requests, and what stands in `data` for each verb. Pure. As with messages.hpp:
// bounded, wrong fields left out, and the text is not yet fit for a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/json_fields.hpp"
#include "transport/base/result.hpp"

namespace dfota::ctl {

struct Reply {
  bool ok = false;
  std::vector<std::string> warnings;
  std::string code, message, pointer;  // when not ok
  Json data = Json::object();          ///< when ok; always an object
};
Result<Reply> parse_reply(const std::string& payload);

/// Of update and retry.
struct AcceptedJob {
  std::string job, state;
  std::int64_t run = 0;  ///< 0: it does not say
  std::size_t modules = 0;
  bool forgotten = false;  ///< it has ended and is known by its id alone: nothing more will be heard of it
};
AcceptedJob accepted_job(const Json& data);

/// What would be done with one module (update with dry_run).
struct PlannedModule {
  std::string module, version, target;
  std::vector<std::string> way;  ///< "delta.bin: A11 -> A12"
  std::int64_t bytes = 0;
  std::optional<double> expected_duration_s;
  std::string reason;  ///< why there is no way; empty: there is
};
std::vector<PlannedModule> planned_modules(const Json& data);

/// Of cancel: ids of modules, or of jobs when it was about a module.
struct Cancellation {
  std::vector<std::string> stopped, stopping, will_end;
};
Cancellation cancellation(const Json& data);

/// One job of `list`, as far as the page goes: its modules may continue on the next one.
struct JobRow {
  std::string job, state, from, to;
  std::int64_t run = 0;
  std::map<std::string, std::int64_t> counts;
  Json document;  ///< as the gateway wrote it
};

struct ModuleRow {
  std::string module, status, phase, version, job, last_result, problem;
  Json document;
};

struct ListPage {
  std::vector<JobRow> jobs;
  std::vector<ModuleRow> modules;  ///< behind the last job
};
ListPage list_page(const Json& data);

/// The same job on the next page.
void append(JobRow& job, const JobRow& continued);

}  // namespace dfota::ctl
