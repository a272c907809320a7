#include "modem/network_check.hpp"

#include <cstdlib>

#include "modem/identity.hpp"

namespace dfota {
namespace {

constexpr auto kAskAgain = std::chrono::seconds(2);
constexpr int kSimBusy = 14;  // +CME ERROR, 3GPP TS 27.007, 9.2

NetworkProblem problem_of(const Error& error) {
  const auto finding = error.code == Errc::link_lost ? Finding::port_lost
                       : error.code == Errc::refused ? Finding::module_updating
                                                     : Finding::no_answer;
  return {finding, error.message};
}

Awaitable<NetworkState> check_sim(asio::io_context& loop, Dialogue& dialogue, Clock::time_point deadline) {
  NetworkState state;
  for (;;) {
    const auto reply = co_await dialogue.say("AT+CPIN?");
    if (!reply) {
      state.problem = problem_of(reply.error());
      co_return state;
    }
    state.sim = parse_cpin(reply.value().lines).value_or(reply->text);
    if (state.sim == "READY") co_return state;
    const bool busy = reply.value().code == kSimBusy;
    if (!busy || Clock::now() >= deadline) {
      state.problem = {Finding::sim_not_ready, "AT+CPIN? was answered by " + state.sim};
      co_return state;
    }
    co_await sleep_for(loop, kAskAgain);
  }
}

Awaitable<std::optional<NetworkProblem>> find_registration_problem(asio::io_context& loop, Dialogue& dialogue,
                                                                   Clock::time_point deadline) {
  for (;;) {
    std::string answers;
    for (const char* command : {"AT+CREG?", "AT+CGREG?", "AT+CEREG?"}) {
      const std::string text = command;
      const auto reply = co_await dialogue.say(text);
      if (!reply) co_return problem_of(reply.error());
      if (parse_creg(reply.value().lines).value_or(false)) co_return std::nullopt;
      const auto& lines = reply.value().lines;
      answers += (answers.empty() ? "" : ", ") + (lines.empty() ? reply.value().text : lines.front());
    }
    if (Clock::now() >= deadline) co_return NetworkProblem{Finding::not_registered, answers};
    co_await sleep_for(loop, kAskAgain);
  }
}

/// The number at the end of `+QCFG: "fota/cid",1` or `+QFOTAPID: 1`; 1, the guide's default, when it is not told.
int context_of(const std::vector<std::string>& lines) {
  if (lines.empty()) return 1;
  const auto digits = lines.front().find_last_not_of("0123456789");
  const int cid = std::atoi(lines.front().c_str() + (digits == std::string::npos ? 0 : digits + 1));
  return cid > 0 ? cid : 1;
}

Awaitable<std::optional<NetworkProblem>> find_context_problem(Dialogue& dialogue, const Profile& profile, int& cid) {
  if (profile.pdp_command != PdpCommand::none) {
    const std::string ask = profile.pdp_command == PdpCommand::fota_cid ? "AT+QCFG=\"fota/cid\"" : "AT+QFOTAPID?";
    const auto reply = co_await dialogue.say(ask);
    if (!reply) co_return problem_of(reply.error());
    cid = context_of(reply.value().lines);
  }
  const std::string ask = "AT+QICSGP=" + std::to_string(cid);
  const auto reply = co_await dialogue.say(ask);
  if (!reply) co_return problem_of(reply.error());
  for (const auto& line : reply.value().lines) {
    if (line.starts_with("+QICSGP: 0,")) {
      co_return NetworkProblem{Finding::no_pdp_context, "context " + std::to_string(cid) + " has no type and no APN"};
    }
  }
  co_return std::nullopt;
}

}  // namespace

bool is_of_network(Finding finding) {
  return finding == Finding::sim_not_ready || finding == Finding::not_registered || finding == Finding::no_pdp_context;
}

Awaitable<NetworkState> check_network(asio::io_context& loop, Dialogue& dialogue, const Profile& profile,
                                      Clock::time_point deadline) {
  auto state = co_await check_sim(loop, dialogue, deadline);
  if (!state.problem) state.problem = co_await find_registration_problem(loop, dialogue, deadline);
  if (!state.problem) state.problem = co_await find_context_problem(dialogue, profile, state.cid);
  co_return state;
}

}  // namespace dfota
