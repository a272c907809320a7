// A recorded update ("dfota transcript", version 1, docs/transcript.md) as dfota-rack --replay reads it: the head, and
// what happened in the order in which it happened. Read by code of the rack's own, as all that goes over the port.
//   {"transcript":1,"gateway":"rack-1","module":"uc20-3","imei":"861...","model":"UC20","from":"UC20...","to":...}
//   {"t":0.104,"cmd":"AT+GSN"}   {"t":0.110,"line":"861..."}   {"t":0.110,"final":"OK"}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota::sim {

struct ReplayEvent {
  enum class Kind {
    open,     ///< the host opened the port that had gone
    closed,   ///< it hung up, and not because the gateway wanted so
    command,  ///< the host wrote it
    data,     ///< the host wrote so many bytes of a file
    line,     ///< of an answer
    final,    ///< OK, ERROR, CONNECT and the like
    urc,
    noise,
    file,    ///< what the module had taken from the gateway's file server
    step,    ///< what the gateway did: attempt, hop, step; it closed the port, and opened it again
    error,   ///< as on the error topics; the text is its code
    dropped  ///< so many events are missing here
  };
  double t = 0;  ///< seconds since the recording began
  Kind kind = Kind::step;
  std::string text{};
  std::uint64_t bytes = 0;  ///< data; dropped; of a file: delivered
  std::uint64_t size = 0;   ///< of a file
  bool released = false;    ///< of a file: its last byte was let go
};

struct ReplayScript {
  std::string file;
  std::string module, job, delivery, to;
  std::string imei, model, from;  ///< where the head does not know them, as the module told them, else a UC20's
  std::string outcome;            ///< empty: the recording ends without one
  std::vector<ReplayEvent> events;
  std::vector<std::string> notes;  ///< what is not whole about it
};

/// Errc::absent: there is no such file; Errc::invalid, with FILE:LINE: it is no transcript, one of another version, or
/// has an event that is not understood. A half last line and dropped events are noted.
Result<ReplayScript> load_replay(const std::string& path);
/// The same from a text; `name` is what the errors call it.
Result<ReplayScript> parse_replay(std::string_view text, const std::string& name);

}  // namespace dfota::sim
