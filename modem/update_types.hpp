// The words of an update, as they stand in topics and in the journal. Plain values; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "modem/danger.hpp"
#include "modem/finding.hpp"
#include "modem/fota_codes.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

enum class Phase { idle, queued, preparing, uploading, downloading, rebooting, updating, verifying };
std::string_view to_word(Phase phase);
std::optional<Phase> phase_from_word(std::string_view word);

/// What the module is told, and who brings the delta to it (contract, cmd/update).
enum class Delivery {
  http,    ///< our own file server
  ftp,     ///< the operator's FTP server, over whose directory we have put it
  url,     ///< the job's own URL: the module fetches it by itself
  upload,  ///< over the port: into its file system, or behind the command itself
  file,    ///< it is in the module already
};
std::string_view to_word(Delivery delivery);
std::optional<Delivery> delivery_from_word(std::string_view word);

enum class Outcome { succeeded, skipped, rejected, failed, canceled, lost };
std::string_view to_word(Outcome outcome);
std::optional<Outcome> outcome_from_word(std::string_view word);

/// What is to be done with one module. Fixed when the job was accepted.
struct UpdateOrder {
  std::string from, to;  ///< versions, compared exactly with what the module answers
  std::set<std::string> from_aliases = {}, to_aliases = {};  ///< what it may answer instead
  std::string model = {};                                    ///< that the delta is for; empty: nobody said
  unsigned attempts = 3;
  std::string imei;  ///< the module's; empty: whichever it has
  std::string profile = "auto";
  Delivery delivery = Delivery::http;
  std::string url;                ///< of ftp and url
  std::string file;               ///< of file, as the module names it: "UFS:delta.bin"
  std::filesystem::path package;  ///< of upload: the delta on the gateway's disk
  std::string package_extension = ".bin";
  std::optional<PdpConfig> pdp;

  [[nodiscard]] bool starts_from(const std::string& version) const {
    return version == from || from_aliases.contains(version);
  }
  [[nodiscard]] bool leads_to(const std::string& version) const {
    return version == to || to_aliases.contains(version);
  }
};

/// How far it has got, as journalled.
struct Checkpoint {
  Step step = Step::preparing;
  unsigned attempt = 0;     ///< the attempt under way, or the number of those that are over; from 1
  std::string token;        ///< of the attempt under way, when it is the file server's
  bool uploading = false;   ///< of preparing: what is written may be file data for the module (AT+QFUPL)
  std::string profile;      ///< the family that the module was found to be of
  Clock::duration pause{};  ///< of preparing: what is left of the pause before the next attempt
  Clock::duration age{};    ///< on entry: how long ago it was journalled, at least
};

/// Why an attempt, or the whole update, did not succeed: the module's own number, or a finding of the gateway.
struct UpdateError {
  std::optional<int> number;  ///< the module's
  std::string source;         ///< ftp, http, file, update, command or gateway
  std::string name, meaning, hint;
  std::string message;  ///< what happened here, beside the general meaning; may be empty
  Phase phase = Phase::preparing;
  bool retryable = false;

  /// `profile` has the family's own END codes; it may be null.
  static UpdateError of(CodeSource source, int number, Phase phase, const Profile* profile);
  static UpdateError of(Finding finding, Phase phase, std::string message = {});
};

struct UpdateResult {
  Outcome outcome = Outcome::failed;
  std::string version;      ///< the last one that the module reported; empty: never
  std::string model, imei;  ///< likewise
  unsigned attempts = 0;    ///< commands that were sent
  std::vector<std::string> warnings;
  std::optional<UpdateError> error;
};

struct UpdateProgress {
  Phase phase = Phase::preparing;
  unsigned attempt = 0;
  std::optional<int> percent;                     ///< of the phase, where known
  int overall_percent = 0;                        ///< never falls within an attempt
  std::uint64_t sent_bytes = 0, total_bytes = 0;  ///< of an upload; 0 elsewhere
};

}  // namespace dfota
