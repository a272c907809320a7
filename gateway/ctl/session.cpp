#include "gateway/ctl/session.hpp"

#include <memory>

#include "gateway/ctl/artifact.hpp"
#include "gateway/ctl/connection.hpp"
#include "gateway/ctl/control.hpp"
#include "gateway/ctl/doctor.hpp"
#include "gateway/ctl/explain.hpp"
#include "gateway/ctl/job_watch.hpp"
#include "gateway/ctl/module_check.hpp"
#include "gateway/ctl/output.hpp"
#include "gateway/ctl/rehearsal.hpp"
#include "gateway/ctl/transcript.hpp"

namespace dfota::ctl {
namespace {
bool follows_jobs(const Options& options) {
  if (const auto* update = std::get_if<UpdateCall>(&options.call)) return !update->request.dry_run;
  return std::holds_alternative<RetryCall>(options.call) || std::holds_alternative<WatchCall>(options.call) ||
         std::holds_alternative<InstallCall>(options.call);
}
}  // namespace

int run(const Options& options) {
  if (const auto* call = std::get_if<ExplainCall>(&options.call)) return explain(call->code, options.json);
  Output output(options.json);
  if (std::holds_alternative<DoctorCall>(options.call)) return doctor(options, output);
  Connection connection(options, output);
  std::unique_ptr<Call> call = make_artifact(options, connection, output);
  if (!call && follows_jobs(options)) call = std::make_unique<JobWatch>(options, connection, output);
  if (const auto* rehearse = std::get_if<RehearseCall>(&options.call)) {
    call = make_rehearsal(*rehearse, connection, output);
  }
  if (const auto* transcript = std::get_if<TranscriptCall>(&options.call)) {
    call = make_transcript(*transcript, connection, output);
  }
  if (!call) call = make_module_check(options, connection, output);
  if (!call) call = make_control(options, connection, output);
  return connection.run(*call);
}

}  // namespace dfota::ctl
