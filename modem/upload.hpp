// A file on its way into a module's file system, and what else the procedure asks of that file system. All of it goes
// through the Dialogue, and so past the table of danger.hpp. Coroutines on the loop; the references must outlive them.
//
//   > AT+QFDEL="UFS:d.bin"            < +CME ERROR: 405      (a leftover; there was none)
//   > AT+QFLDS="UFS"                  < +QFLDS: 2097152,4194304   < OK
//   > AT+QFUPL="UFS:d.bin",1208,5,1   < CONNECT  > 1,208 bytes  < A  < +QFUPL: 1208,5769  < OK
//   > AT+QFLST="UFS:d.bin"            < +QFLST: "UFS:d.bin",1208  < OK
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "modem/dialogue.hpp"
#include "modem/upload_source.hpp"

namespace dfota {

/// The module's own time-out: after a broken upload it takes what comes as data for so long.
inline constexpr auto kUploadIdle = std::chrono::seconds(5);
/// For each acknowledgement: so long that the module's own word on its time-out comes first.
inline constexpr auto kUploadAckLimit = kUploadIdle + std::chrono::seconds(5);
/// For each command about a file; deleting a large one takes a while.
inline constexpr auto kFileLimit = std::chrono::seconds(10);
inline constexpr std::size_t kMaxFileName = 80;

struct UploadOrder {
  std::filesystem::path file;
  std::string name;     ///< as the module writes it: "UFS:dfota.bin"
  std::string storage;  ///< "UFS", for AT+QFLDS
};

/// Deletes a leftover of this name, checks for room, sends the file, compares the 16-bit XOR and the size. `progress`
/// is told the bytes that the module has acknowledged; it may be empty. Errors: no_space; mismatch, size or checksum
/// differ; io, the module refused (with its word) or the file cannot be read; invalid, not a name for a module;
/// link_lost, timeout, refused as Dialogue. One in the middle of the data says how much was acknowledged; nothing is
/// written after it, and nothing should be for kUploadIdle.
Awaitable<Result<void>> upload_file(Dialogue& dialogue, UploadOrder order, UploadSource::Progress progress);

/// AT+QFDEL; a file that is not there is a success. Errors: io with the module's word, and as Dialogue.
Awaitable<Result<void>> remove_file(Dialogue& dialogue, std::string name);

/// AT+QFLST; nothing: it is not there. Errors: io with the module's word, and as Dialogue.
Awaitable<Result<std::optional<std::uint64_t>>> file_size(Dialogue& dialogue, std::string name);

}  // namespace dfota
