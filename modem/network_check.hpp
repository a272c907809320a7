// Could the module download at all? SIM, registration and PDP context are asked for before AT+QFOTADL is sent, so that
// what is missing is told by its name and not by a 7xx code minutes later. Loop thread only.
//
//   > AT+CPIN?                < +CPIN: READY
//   > AT+CREG?                < +CREG: 0,1                     (else AT+CGREG?, AT+CEREG?)
//   > AT+QCFG="fota/cid"      < +QCFG: "fota/cid",1            (or AT+QFOTAPID?)
//   > AT+QICSGP=1             < +QICSGP: 1,"internet","","",1  (a first 0: no context of this number)
#pragma once

#include <optional>
#include <string>

#include "modem/dialogue.hpp"
#include "modem/finding.hpp"

namespace dfota {

struct NetworkProblem {
  Finding finding;
  std::string message;
};

struct NetworkState {
  std::string sim;                        ///< READY, or what AT+CPIN? was answered by; empty: it was not
  std::optional<NetworkProblem> problem;  ///< nothing: it can
  int cid = 1;                            ///< the PDP context of AT+QFOTADL, where it was asked for
};

/// sim_not_ready, not_registered, no_pdp_context; the others say that the module could not be asked.
bool is_of_network(Finding finding);

/// A SIM that is still starting, and a registration that is still sought, are asked for again until `deadline`. A
/// module that does not answer is no_answer, a port that went is port_lost.
Awaitable<NetworkState> check_network(asio::io_context& loop, Dialogue& dialogue, const Profile& profile,
                                      Clock::time_point deadline);

}  // namespace dfota
