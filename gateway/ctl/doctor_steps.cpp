#include "gateway/ctl/doctor_steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "gateway/ctl/explain.hpp"
#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
constexpr long kNotFound = 404;
constexpr auto kClockTolerance = std::chrono::seconds(60);
constexpr const char* kMendFirst = "not asked for before that is mended";
constexpr std::int64_t kWeakSignal = -105;  // dBm

Step ok(std::string name, std::string message, std::string hint = "") {
  return {Step::Result::ok, std::move(name), std::move(message), std::move(hint)};
}

Step fail(std::string name, std::string message, std::string hint) {
  return {Step::Result::fail, std::move(name), std::move(message), std::move(hint)};
}

Step skip(std::string name, std::string message, std::string hint = "") {
  return {Step::Result::skip, std::move(name), std::move(message), std::move(hint)};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<std::chrono::system_clock::time_point> time_of(const std::string& rfc3339) {
  std::tm parts{};
  if (std::sscanf(rfc3339.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

Step problems_step(const Json& info, const Json& reply) {
  const char* const name = "gateway_problems";
  if (!info.is_object()) {
    return fail(name, "nothing is retained on its topic info", "May we read it? Look at the broker's ACL");
  }
  const Json data = reply.is_object() && reply.contains("data") ? reply.at("data") : Json::object();
  const std::string told = data.is_object() ? text(data, "version") : "";
  const std::string version = "dfota-gateway " + (told.empty() ? text(info, "version") : told);
  const auto problems = list_of_words(info, "problems");
  if (problems.empty()) return ok(name, version + " has none");
  return fail(name, version + " tells " + joined(problems),
              "See dfota explain CODE, the topics error/gateway/<code>, and its log");
}

Step hold_step(const Json& info) {
  const std::string reason = info.is_object() ? text(info, "hold") : "";
  if (reason.empty()) return ok("gateway_hold", "no hold");
  return fail("gateway_hold", "no module is commanded while it is held: " + reason,
              "When that is over, publish {\"hold\": false}, retained, on its topic hold");
}

Step clock_step(const Json& reply, std::chrono::system_clock::time_point now) {
  const auto theirs = reply.is_object() ? time_of(text(reply, "ts")) : std::nullopt;
  if (!theirs) return skip("gateway_clock", "its answer does not tell the time");
  const auto apart = std::chrono::duration_cast<std::chrono::seconds>(*theirs - now);
  if (std::chrono::abs(apart) <= kClockTolerance) return ok("gateway_clock", "goes as ours");
  return fail("gateway_clock",
              "is " + time_text(static_cast<double>(std::chrono::abs(apart).count())) +
                  (apart.count() > 0 ? " ahead of ours" : " behind ours"),
              "not_before, window and expires count on it: is NTP running there, and here?");
}

std::string problem_hint(const std::string& problem) {
  const auto known = explanations_of(problem);
  return known.empty() ? "" : known.front().hint;
}

Step network_step(const ScannedModule& module) {
  const char* const name = "network";
  if (!module.registered) return skip(name, "not known whether it is registered");
  const std::string signal =
      module.signal_dbm ? "signal " + std::to_string(*module.signal_dbm) + " dBm" : "no signal is told";
  if (!*module.registered) {
    return fail(name, "not registered in a network, " + signal,
                "Look at antenna, signal and the SIM's plan (AT+CREG?, AT+CGREG?, AT+CEREG?)");
  }
  const bool weak = module.signal_dbm && *module.signal_dbm < kWeakSignal;
  return ok(name, "registered, " + signal,
            weak ? "That is weak: downloads will be slow, or break; look at the antenna" : "");
}
}  // namespace

const std::vector<std::string>& step_names() {
  static const std::vector<std::string> kNames = {"broker_name",  "broker_tcp",    "broker_tls",    "broker_login",
                                                  "rights_read",  "rights_write",  "gateway_reply", "gateway_problems",
                                                  "gateway_hold", "gateway_clock", "file_server",   "module",
                                                  "sim",          "network",       "pdp_context"};
  return kNames;
}

std::string line_of(const Step& step) {
  static constexpr const char* kWords[] = {"ok    ", "FAIL  ", "skip  "};
  return kWords[static_cast<int>(step.result)] + step.name + ": " + step.message +
         (step.hint.empty() ? "" : "; " + step.hint);
}

Json document_of(const Step& step) {
  static constexpr const char* kWords[] = {"ok", "fail", "skip"};
  return {{"step", step.name},
          {"result", kWords[static_cast<int>(step.result)]},
          {"message", step.message},
          {"hint", step.hint.empty() ? Json(nullptr) : Json(step.hint)}};
}

std::vector<Step> broker_steps(const ConnectionProbe& probe, const std::string& where, bool tls) {
  const auto ends_at = [&](ProbeStage stage) { return probe.fault && probe.fault->stage == stage; };
  if (ends_at(ProbeStage::name)) {
    return {fail("broker_name", where + ": " + probe.fault->why,
                 "Is the name right, and does this machine's DNS know it?")};
  }
  std::vector<Step> steps = {ok("broker_name", probe.address.empty() ? where : where + " is " + probe.address)};
  if (ends_at(ProbeStage::tcp)) {
    steps.push_back(fail("broker_tcp", where + ": " + probe.fault->why,
                         "Is the broker running, does it listen on that address and port, and does no firewall stand "
                         "before it?"));
    return steps;
  }
  steps.push_back(ok("broker_tcp", where + " takes connections"));
  if (!tls) {
    steps.push_back(skip("broker_tls", "mqtt:// has none"));
  } else if (probe.fault) {
    steps.push_back(fail("broker_tls", probe.fault->why,
                         "Is that the broker's TLS port, is its certificate of the authority of --ca-file and for this "
                         "very name, and has it not run out?"));
  } else {
    steps.push_back(ok("broker_tls", "its certificate is right"));
  }
  return steps;
}

Step silence_step(const Silence& silence) {
  const std::string name = "gateway_reply", who = "gateway " + silence.gateway;
  if (!silence.online) {
    if (!silence.others.empty()) {
      return fail(name, "there is no " + who + " below " + silence.root + "; there is " + joined(silence.others),
                  "Name one of them by --gateway");
    }
    return fail(name, "no gateway has a status on " + silence.root + "/+/status",
                "Does the gateway's mqtt.uri lead to this broker, is --root its mqtt.topic_root, and may we read there "
                "(the broker's ACL)?");
  }
  if (!*silence.online) {
    return fail(name, who + " is offline, by " + silence.base + "/status",
                "Start it on its host (systemctl status dfota-gateway), and see its log for why it has no connection");
  }
  if (!silence.echo_came) {
    return fail(name, who + " is online and did not answer on " + silence.response_topic,
                "The broker's ACL must let us read " + silence.root +
                    "/client/#, and the gateway write there and read " + silence.base + "/cmd/#");
  }
  if (!*silence.echo_came) {
    return fail(name, "the broker gives us nothing of what is published on " + silence.response_topic,
                "Its ACL must let us read " + silence.root + "/client/#, where answers come");
  }
  return fail(name, who + " is online and did not answer, though we hear what is published on our response topic",
              "May the gateway read " + silence.base + "/cmd/# and write " + silence.root +
                  "/client/#? See the broker's ACL, and the gateway's log");
}

std::vector<Step> gateway_steps(const Json& info, const Json& reply, std::chrono::system_clock::time_point now) {
  return {problems_step(info, reply), hold_step(info), clock_step(reply, now)};
}

Step file_server_step(const std::string& url, const HttpProbe& probe) {
  const std::string name = "file_server";
  if (probe.fault) {
    return fail(name, url + " cannot be reached from here: " + probe.fault->why,
                "Modules need a way to it over their own network: see http.listen and http.public_url of the gateway, "
                "port forwarding and firewalls");
  }
  if (!probe.via.empty()) {
    return fail(name, "a proxy answers for " + url + " (Via: " + probe.via + ")",
                "It may keep, change or cut deltas: take it out of the way between modules and gateway");
  }
  if (probe.status != kNotFound || probe.body_bytes > 0) {
    const std::string bytes = probe.body_bytes > 0 ? " with " + std::to_string(probe.body_bytes) + " bytes" : "";
    return fail(name, url + " was answered by " + std::to_string(probe.status) + bytes + ", not by the gateway",
                "A proxy or another server stands at that address: see http.public_url of the gateway");
  }
  return ok(name, url + " answers, at " + probe.address, "That is the way from here; a module's own may be another");
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1";
}

std::vector<Step> module_steps(const ScannedModule& module) {
  std::vector<Step> steps;
  const std::string what = module.model + " " + module.version + ", IMEI " + module.imei;
  if (module.problem == "busy") {
    steps.push_back(skip("module", "is busy with an update, and was not asked", "Ask again when it has ended"));
  } else if (!module.online || !module.problem.empty()) {
    const std::string problem = module.problem.empty() ? "does not answer" : module.problem;
    steps.push_back(fail("module", (module.online ? "online, but " : "offline: ") + problem,
                         problem_hint(module.problem.empty() ? "no_answer" : module.problem)));
  } else {
    steps.push_back(ok("module", what));
  }
  if (steps.back().result != Step::Result::ok) {
    for (const char* name : {"sim", "network", "pdp_context"}) steps.push_back(skip(name, "the module was not asked"));
    return steps;
  }
  const std::string code = module.network ? module.network->code : "";
  const std::string why = module.network ? module.network->message : "",
                    hint = module.network ? module.network->hint : "";
  if (code == "sim_not_ready") {
    steps.push_back(fail("sim", why.empty() ? module.sim : why, hint));
  } else {
    steps.push_back(module.sim.empty() ? skip("sim", "not known") : ok("sim", module.sim));
  }
  if (code == "not_registered") {
    steps.push_back(fail("network", "not registered in a network: " + why, hint));
  } else {
    steps.push_back(code == "sim_not_ready" ? skip("network", kMendFirst) : network_step(module));
  }
  if (code == "no_pdp_context") {
    steps.push_back(fail("pdp_context", why, hint));
  } else if (module.network) {
    steps.push_back(skip("pdp_context", kMendFirst));
  } else {
    steps.push_back(ok("pdp_context", "nothing stands against a download"));
  }
  return steps;
}

}  // namespace dfota::ctl
