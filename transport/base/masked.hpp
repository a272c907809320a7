// What must never be logged, recorded or published: passwords, PINs, tokens and the queries of signed URLs. Pure
// functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace dfota {

/// A URL without user info, query and fragment: what may be logged and published of it.
std::string masked_url(std::string_view url);

/// A line of an AT dialogue: "***" for the user info and the query of each URL in it, for the token of one of our own
/// file server (/a/<token>/), for user and password of AT+QICSGP and of its answer, and for the PINs, users and
/// passwords of the other commands that have some (AT+CPIN, AT+CPWD, AT+CLCK, AT+CGAUTH, AT+QFTPCFG="account" ...).
std::string masked_line(std::string_view line);

}  // namespace dfota
