// Answers one request of a live token, blocking, on a thread of its own: cpp-httplib makes the response, our stream
// sends it. Nothing that cpp-httplib 0.11.4 gets wrong reaches it: it sees a head written by us, with a range that was
// resolved before.
#pragma once

#include "transport/file_server_offer.hpp"

namespace dfota {

/// Sends the answer and waits until the peer's TCP has acknowledged all of it; Connection::clean says whether it did.
/// The last byte of the file leaves only through the gate of the offer. Returns soon after the gate was revoked and the
/// socket shut down.
void answer(Connection& connection) noexcept;

}  // namespace dfota
