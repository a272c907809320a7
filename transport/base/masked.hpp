// What must never be logged or published: passwords and the queries of signed URLs. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace dfota {

/// A URL without user info, query and fragment: what may be logged and published of it.
std::string masked_url(std::string_view url);

/// A line of an AT dialogue: "***" for the user info and the query of each URL in it, and for user and password of
/// AT+QICSGP and of its answer.
std::string masked_line(std::string_view line);

}  // namespace dfota
