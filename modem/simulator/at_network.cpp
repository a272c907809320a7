#include "modem/simulator/at_network.hpp"

#include <charconv>

namespace dfota::sim {
namespace {

constexpr int kMaxContext = 16;

constexpr int kSimNotInserted = 10;
constexpr int kSimFailure = 13;
constexpr int kSimBusy = 14;
constexpr int kNoNetwork = 30;

std::optional<int> number(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

AtAnswer tell_sim(const Behaviour& behaviour, const AtSettings& settings, AtSubject& subject) {
  switch (behaviour.sim) {
    case Sim::ready:
      break;
    case Sim::pin:
      return at_ok("+CPIN: SIM PIN");
    case Sim::absent:
      return at_error(kSimNotInserted, settings);
    case Sim::failure:
      return at_error(kSimFailure, settings);
    case Sim::busy:
      ++subject.sim_questions;
      if (behaviour.sim_busy_times == 0 || subject.sim_questions <= behaviour.sim_busy_times) {
        return at_error(kSimBusy, settings);
      }
      break;
  }
  return at_ok("+CPIN: READY");
}

AtAnswer tell_registration(const std::string& name, const Behaviour& behaviour, AtSubject& subject) {
  bool home = true;
  if (behaviour.unregistered) {
    ++subject.registration_questions;
    home = *behaviour.unregistered != 0 && subject.registration_questions > *behaviour.unregistered;
  }
  return at_ok(name + (home ? ": 0,1" : ": 0,2"));
}

PdpContext context_of(int cid, const Behaviour& behaviour, const AtSubject& subject) {
  const auto known = subject.contexts.find(cid);
  if (known != subject.contexts.end()) return known->second;
  return behaviour.no_pdp ? PdpContext() : PdpContext{1, "internet", "", "", 1};
}

/// AT+QICSGP=<cid> asks, AT+QICSGP=<cid>,<type>,"<apn>"[,"<user>","<password>",<auth>] sets.
std::optional<AtAnswer> answer_context(std::string_view text, const Behaviour& behaviour, AtSubject& subject) {
  const auto values = at_values(text);
  const auto cid = values.empty() ? std::nullopt : number(values[0], 1, kMaxContext);
  if (!cid) return std::nullopt;
  if (values.size() == 1) {
    const auto context = context_of(*cid, behaviour, subject);
    return at_ok("+QICSGP: " + std::to_string(context.type) + ",\"" + context.apn + "\",\"" + context.user + "\",\"" +
                 context.password + "\"," + std::to_string(context.authentication));
  }
  const auto type = number(values[1], 1, 3);
  if (!type || values.size() < 3 || values.size() > 6) return std::nullopt;
  PdpContext context;
  context.type = *type;
  context.apn = values[2];
  if (values.size() > 3) context.user = values[3];
  if (values.size() > 4) context.password = values[4];
  if (values.size() > 5) context.authentication = number(values[5], 0, 3).value_or(0);
  subject.contexts[*cid] = context;
  return at_ok();
}

AtAnswer tell_active(const Behaviour& behaviour, const AtSubject& subject) {
  std::string lines;
  for (const int cid : subject.active_contexts) {
    if (context_of(cid, behaviour, subject).type == 0) continue;
    lines += framed("+QIACT: " + std::to_string(cid) + ",1,1,\"10.64.0.7\"");
  }
  return {lines + framed("OK"), {}, {}};
}

std::optional<AtAnswer> set_active(std::string_view text, bool active, const Behaviour& behaviour,
                                   const AtSettings& settings, AtSubject& subject) {
  const auto cid = number(text, 1, kMaxContext);
  if (!cid) return std::nullopt;
  if (!active) {
    subject.active_contexts.erase(*cid);
    return at_ok();
  }
  const bool registered = !behaviour.unregistered || *behaviour.unregistered != 0;
  if (!registered || context_of(*cid, behaviour, subject).type == 0) return at_error(kNoNetwork, settings);
  subject.active_contexts.insert(*cid);
  return at_ok();
}

std::optional<AtAnswer> answer_fota_pid(std::string_view command, AtSubject& subject) {
  if (command == "AT+QFOTAPID?") return at_ok("+QFOTAPID: " + std::to_string(subject.fota_pid));
  const auto pid = number(command.substr(std::string_view("AT+QFOTAPID=").size()), 1, kMaxContext);
  if (!pid) return std::nullopt;
  subject.fota_pid = *pid;
  return at_ok();
}

}  // namespace

std::optional<AtAnswer> answer_network(std::string_view command, const Behaviour& behaviour, const AtSettings& settings,
                                       AtSubject& subject) {
  const auto folded = at_upper(command);
  constexpr std::string_view kContext = "AT+QICSGP=", kActivate = "AT+QIACT=", kDeactivate = "AT+QIDEACT=";
  if (folded == "AT+CPIN?") return tell_sim(behaviour, settings, subject);
  if (folded == "AT+CREG?") return tell_registration("+CREG", behaviour, subject);
  if (folded == "AT+CGREG?") return tell_registration("+CGREG", behaviour, subject);
  if (folded == "AT+CEREG?") return tell_registration("+CEREG", behaviour, subject);
  if (folded == "AT+QIACT?") return tell_active(behaviour, subject);
  if (folded.rfind(kActivate, 0) == 0) {
    return set_active(folded.substr(kActivate.size()), true, behaviour, settings, subject);
  }
  if (folded.rfind(kDeactivate, 0) == 0) {
    return set_active(folded.substr(kDeactivate.size()), false, behaviour, settings, subject);
  }
  if (folded.rfind("AT+QFOTAPID=", 0) == 0 || folded == "AT+QFOTAPID?") return answer_fota_pid(folded, subject);
  if (folded.rfind(kContext, 0) == 0) return answer_context(command.substr(kContext.size()), behaviour, subject);
  return std::nullopt;
}

}  // namespace dfota::sim
