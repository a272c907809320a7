// What differs between families of modules, as data: config/profiles/*.toml, one file a family, built in, and a folder
// of the operator's before them (modem.profiles_dir). A new family needs a file and no code. Plain values; any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/fault.hpp"

namespace dfota {

/// How AT+QFOTADL names a package that is on this side of the air.
enum class LocalForm {
  none,    ///< it cannot
  path,    ///< AT+QFOTADL="UFS:delta.bin" (guide, section 3.3)
  fixed,   ///< AT+QFOTADL=1: the package lies where the firmware looks for it, and is put there by other means
  stream,  ///< AT+QFOTADL="FILE:<length>": the bytes follow on the AT port, after FILESTART
};

/// The command that binds AT+QFOTADL to a PDP context.
enum class PdpCommand { none, fota_cid, qfotapid };

/// The stages in the family's own spelling: +QIND: "FOTA","<stage>". Empty: it says nothing there.
struct StageNames {
  std::string http_start = "HTTPSTART", http_end = "HTTPEND";
  std::string ftp_start = "FTPSTART", ftp_end = "FTPEND";
  std::string file_start = "FILESTART", file_end = "FILEEND";
  std::string downloading, start = "START", updating = "UPDATING", restore, end = "END";
  unsigned downloading_max = 100;  ///< the number that means all of it: 100 is a percentage, else an ordinal
  unsigned updating_max = 100;
  bool operator==(const StageNames&) const = default;
};

/// What the family's guide says of END,<err>, for first <= err <= last.
struct EndCode {
  int first = 0, last = 0;
  std::string name, meaning, hint;
  bool operator==(const EndCode&) const = default;
};

/// Seconds; they stand where the operator's [timeouts] say nothing.
struct ProfileDeadlines {
  std::optional<double> start, download, reboot, progress_gap, update;
  bool operator==(const ProfileDeadlines&) const = default;
};

struct Profile {
  std::string name;                     ///< as modem.profile names it
  std::vector<std::string> models;      ///< the second line of ATI begins so, and no digit follows
  std::string version_command = "ATI";  ///< its Revision; or a command that answers one line, such as AT+QGMR
  unsigned reboots = 2;                 ///< that an update makes

  std::string http, https, ftp;     ///< the scheme as it is to be spelt, "HTTP://"; empty: not taken
  std::size_t url_max_bytes = 255;  ///< guide, chapter 3
  bool ftp_root_only = false;       ///< the file must lie in the FTP server's root directory

  LocalForm local_form = LocalForm::none;
  std::string local_path;                 ///< before the file's name in AT+QFOTADL: "UFS:", "/data/ufs/"; of fixed: "1"
  std::string storage = "UFS";            ///< of AT+QFLDS, AT+QFUPL and AT+QFLST
  std::size_t file_name_max_bytes = 128;  ///< guide, chapter 3, <file_name>
  std::size_t stream_block_bytes = 32;    ///< of one write without flow control
  unsigned stream_bytes_per_second = 15000;

  std::string parameters;  ///< behind the address: ",1,50"
  PdpCommand pdp_command = PdpCommand::fota_cid;

  StageNames stages;
  std::vector<EndCode> end_codes;
  ProfileDeadlines deadlines;

  /// A module whose version ends so (before any "_") takes its firmware in two parts, which need a second command in
  /// mid-flash.
  std::vector<std::string> minifota_versions;
  std::vector<std::string> minifota_except;  ///< models that do not, all the same

  [[nodiscard]] const EndCode* end_code(int code) const;
  [[nodiscard]] bool needs_minifota(std::string_view model, std::string_view version) const;
  bool operator==(const Profile&) const = default;
};

class Profiles {
 public:
  Profiles() = default;
  explicit Profiles(std::vector<Profile> builtin) : builtin_(std::move(builtin)) {}
  /// One of the operator's own: it comes before the built-in ones.
  void add(Profile profile) { own_.push_back(std::move(profile)); }
  [[nodiscard]] const Profile* by_name(std::string_view name) const;
  /// The family with the longest beginning of this model, no digit behind it (EC200U is no EC20); the operator's own
  /// come first. nullptr: none.
  [[nodiscard]] const Profile* by_model(std::string_view model) const;
  /// What any of the families says of END,<code>; nullptr: none of them lists it.
  [[nodiscard]] const EndCode* any_end_code(int code) const;
  /// The one that the configuration names; "auto": the one of the model.
  [[nodiscard]] const Profile* choose(std::string_view name, std::string_view model) const {
    return name == "auto" ? by_model(model) : by_name(name);
  }
  /// The operator's own first.
  [[nodiscard]] std::vector<Profile> all() const;
  /// "bg96, ec2x, ...": for messages.
  [[nodiscard]] std::string names() const;
  bool operator==(const Profiles&) const = default;

 private:
  std::vector<Profile> own_, builtin_;
};

/// Those of config/profiles, as they were when this was built.
const Profiles& builtin_profiles();

/// The built-in ones, and each *.toml of the folder before them. Every fault of every file.
std::variant<Profiles, ConfigFaults> load_profiles(const std::filesystem::path& folder);

/// One profile; `name` stands where the file's name would.
std::variant<Profile, ConfigFaults> parse_profile(const std::string& text, const std::string& name);

}  // namespace dfota
