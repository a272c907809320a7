// The text of AT+QFOTADL, in the spelling of the module's family (guide, chapter 3; config/profiles). Pure functions;
// any thread.
//
//   AT+QFOTADL="HTTP://192.168.1.10:8480/a/<token>/delta.bin"     AT+QFOTADL="ftp://u:p@10.0.0.2:21/delta.bin",1,50
//   AT+QFOTADL="UFS:delta.bin"      AT+QFOTADL="/data/ufs/delta.bin"      AT+QFOTADL=1 AT+QFOTADL="FILE:262144",1,50
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "modem/update_types.hpp"

namespace dfota {

/// Why a family cannot be told of a package so.
struct Unfit {
  Finding finding;  ///< unsupported_delivery, unsupported_package, url_too_long; artifact_unavailable: no URL
  std::string message;
};

/// For a URL: the scheme as the family spells it; for Delivery::url as it stands.
std::variant<std::string, Unfit> command_for_url(const Profile& profile, Delivery delivery, const std::string& url);

/// For a file of its file system, named "UFS:delta.bin" (the storage and a colon may be left out).
std::variant<std::string, Unfit> command_for_file(const Profile& profile, const std::string& file);

/// For `size` bytes that follow on the port after FILESTART.
std::string command_for_stream(const Profile& profile, std::uint64_t size);

/// .mini_1 and its .mini_2, whatever stands behind as a query: they want a second command while the module is in the
/// middle of its flash (LTE Standard(A) guide).
bool is_minifota(std::string_view address);

/// The file's name within the storage, without "UFS:" or a path.
std::string name_in_storage(std::string_view file);

}  // namespace dfota
