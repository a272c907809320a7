// Answers as bytes. cpp-httplib writes them, into memory: no thread of its own, no socket, and nothing that a peer sent
// reaches it. Only the head of a stream of events is written here, since httplib would want a thread for as long as the
// stream lasts. Part of transport/web_server; any thread.
#pragma once

#include <string>

#include "transport/web_message.hpp"

namespace dfota {

/// A whole response. `headers` stand on it too, unless the answer has one of the same name.
std::string render(const WebAnswer& answer, const WebHeaders& headers, bool head_only);
/// Of an answer with events, whose body never ends.
std::string render_stream_head(const WebAnswer& answer, const WebHeaders& headers);

}  // namespace dfota
