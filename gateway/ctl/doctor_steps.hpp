// What `dfota doctor` concludes from what it has seen: each step of the way from here to a module, with its result and
// what to mend. Pure; what came from outside is not yet fit for a terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/json_fields.hpp"
#include "gateway/ctl/module_check.hpp"
#include "transport/probe.hpp"

namespace dfota::ctl {

struct Step {
  enum class Result { ok, fail, skip } result = Result::ok;
  std::string name, message;
  std::string hint;  ///< what to mend, or to think of; empty: nothing
};

/// The names of all steps, in their order.
const std::vector<std::string>& step_names();

/// "FAIL  broker_tcp: message; hint"
std::string line_of(const Step& step);
/// {"step","result","message","hint"}; hint null where there is none.
Json document_of(const Step& step);

/// broker_name, broker_tcp, broker_tls, as far as it came; `where` is host:port.
std::vector<Step> broker_steps(const ConnectionProbe& probe, const std::string& where, bool tls);

/// Why no answer to a ping came, from what else was seen.
struct Silence {
  std::string gateway, base, root;
  std::string response_topic;
  std::optional<bool> online;       ///< by R/status; nullopt: nothing was on it
  std::vector<std::string> others;  ///< gateways that have a status
  std::optional<bool> echo_came;    ///< of our own message on the response topic; nullopt: we may not write there
};
Step silence_step(const Silence& silence);

/// gateway_problems, gateway_hold and gateway_clock, of R/info (null: there is none) and the reply to the ping.
std::vector<Step> gateway_steps(const Json& info, const Json& reply, std::chrono::system_clock::time_point now);

/// What GET <http>/a/doctor/doctor was answered.
Step file_server_step(const std::string& url, const HttpProbe& probe);
/// This machine by one of the names of its loopback interface.
bool is_loopback(const std::string& host);

/// module, sim, network, pdp_context.
std::vector<Step> module_steps(const ScannedModule& module);

}  // namespace dfota::ctl
