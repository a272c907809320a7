// TOML into profiles: the built-in ones, whose text CMake puts into this library, and those of an operator's folder.
#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>

#include "config/builtin_profiles.hpp"
#include "config/checks.hpp"
#include "config/profile.hpp"
#include "config/section.hpp"
#include "config/text_file.hpp"
#include "config/toml_tree.hpp"

namespace dfota {
namespace {

constexpr std::int64_t kMostUrlBytes = 2048;
constexpr std::int64_t kMostNameBytes = 255;
constexpr std::int64_t kMostCode = 1'000'000;
constexpr unsigned kMostReboots = 10;
constexpr double kLeastSeconds = 0.001, kMostSeconds = 7.0 * 24 * 3600;

/// What ends the string of an AT command, or the command itself, must not come out of a file unnoticed.
Complaint check_bare(const std::string& text) {
  const bool right =
      std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ';' && c != '\\'; });
  return right ? Complaint() : "must be printable ASCII without spaces, quotes, semicolons and backslashes";
}

Complaint check_word(const std::string& text) {
  if (text.empty() || text.size() > 64) return "must have 1 to 64 characters";
  return check_bare(text);
}

Complaint check_stage(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return check_word(text);
}

Complaint check_parameters(const std::string& text) {
  if (text.empty() || text.starts_with(',')) return check_bare(text);
  return "must begin with a comma, as \",1,50\"";
}

Complaint check_meaning(const std::string& text) {
  return text.empty() || text.size() > 300 ? Complaint("must have 1 to 300 characters") : check_plain(text);
}

void take_size(Section& section, const char* key, std::size_t& field, std::int64_t most) {
  std::int64_t wide = 0;
  if (section.take_integer(key, wide, 1, most, "bytes")) field = static_cast<std::size_t>(wide);
}

void take_scheme(Section& section, const char* key, const std::string& scheme, std::string& field) {
  section.take_string(key, field, [&](const std::string& text) -> Complaint {
    std::string lower = text;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == scheme + "://") return std::nullopt;
    return "must be " + in_quotes(scheme + "://") + " in small or capital letters";
  });
}

void read_url(Section section, Profile& profile) {
  take_scheme(section, "http", "http", profile.http);
  take_scheme(section, "https", "https", profile.https);
  take_scheme(section, "ftp", "ftp", profile.ftp);
  take_size(section, "max_bytes", profile.url_max_bytes, kMostUrlBytes);
  section.take_boolean("ftp_root_only", profile.ftp_root_only);
  section.finish();
}

void read_file(Section section, Profile& profile) {
  if (!section.present()) return;
  constexpr std::pair<const char*, LocalForm> kForms[] = {
      {"path", LocalForm::path}, {"fixed", LocalForm::fixed}, {"stream", LocalForm::stream}};
  std::string form;
  section.require("form", "write form = \"path\", \"fixed\" or \"stream\"");
  section.take_string("form", form, [&](const std::string& text) -> Complaint {
    const auto known = std::ranges::find_if(kForms, [&](const auto& entry) { return text == entry.first; });
    if (known == std::end(kForms)) return "must be \"path\", \"fixed\" or \"stream\"";
    profile.local_form = known->second;
    return std::nullopt;
  });
  section.take_string("path", profile.local_path, check_word);
  if (form == "path" || form == "fixed")
    section.require("path", "write what stands before the name, as path = \"UFS:\"; of form = \"fixed\" the parameter");
  section.take_string("storage", profile.storage, check_word);
  take_size(section, "name_max_bytes", profile.file_name_max_bytes, kMostNameBytes);
  take_size(section, "stream_block_bytes", profile.stream_block_bytes, kMostUrlBytes);
  section.take_unsigned("stream_bytes_per_second", profile.stream_bytes_per_second, 100, 100'000'000, "bytes a second");
  section.finish();
}

void read_command(Section section, Profile& profile) {
  section.take_string("parameters", profile.parameters, check_parameters);
  std::string pdp;
  section.take_string("pdp", pdp, [&](const std::string& text) -> Complaint {
    if (text == "fota/cid") {
      profile.pdp_command = PdpCommand::fota_cid;
    } else if (text == "QFOTAPID") {
      profile.pdp_command = PdpCommand::qfotapid;
    } else if (text == "none") {
      profile.pdp_command = PdpCommand::none;
    } else {
      return "must be \"fota/cid\", \"QFOTAPID\" or \"none\"";
    }
    return std::nullopt;
  });
  section.finish();
}

void read_stages(Section section, StageNames& stages) {
  const std::pair<const char*, std::string*> names[] = {{"http_start", &stages.http_start},
                                                        {"http_end", &stages.http_end},
                                                        {"ftp_start", &stages.ftp_start},
                                                        {"ftp_end", &stages.ftp_end},
                                                        {"file_start", &stages.file_start},
                                                        {"file_end", &stages.file_end},
                                                        {"downloading", &stages.downloading},
                                                        {"start", &stages.start},
                                                        {"updating", &stages.updating},
                                                        {"restore", &stages.restore},
                                                        {"end", &stages.end}};
  for (const auto& [key, field] : names) section.take_string(key, *field, check_stage);
  section.take_unsigned("downloading_max", stages.downloading_max, 1, 10000, "");
  section.take_unsigned("updating_max", stages.updating_max, 1, 10000, "");
  section.finish();
}

void read_end_codes(std::vector<Section> sections, std::vector<EndCode>& codes) {
  for (Section& section : sections) {
    EndCode entry;
    std::int64_t first = 0, last = 0;
    section.require("code", "name the number behind END, as code = 505");
    const bool given = section.take_integer("code", first, -kMostCode, kMostCode, "");
    last = first;
    section.take_integer("to", last, given ? first : -kMostCode, kMostCode, "");
    entry.first = static_cast<int>(first);
    entry.last = static_cast<int>(last);
    section.require("name", "give it a word, as name = \"package_check_error\"");
    section.take_string("name", entry.name, check_segment);
    section.require("meaning", "say what the family's guide says of it");
    section.take_string("meaning", entry.meaning, check_meaning);
    section.require("hint", "say what to look at");
    section.take_string("hint", entry.hint, check_meaning);
    section.finish();
    codes.push_back(std::move(entry));
  }
}

void read_deadlines(Section section, ProfileDeadlines& deadlines) {
  const std::pair<const char*, std::optional<double>*> fields[] = {{"start", &deadlines.start},
                                                                   {"download", &deadlines.download},
                                                                   {"reboot", &deadlines.reboot},
                                                                   {"progress_gap", &deadlines.progress_gap},
                                                                   {"update", &deadlines.update}};
  for (const auto& [key, field] : fields) {
    double value = 0;
    if (section.take_number(key, value, kLeastSeconds, kMostSeconds, "seconds")) *field = value;
  }
  section.finish();
}

void read_minifota(Section section, Profile& profile) {
  section.take_strings("versions", profile.minifota_versions, check_word);
  section.take_strings("except", profile.minifota_except, check_word);
  section.finish();
}

Profile read_profile(Section root) {
  Profile profile;
  root.require("name", "give the family a name, as name = \"uc20\"");
  root.take_string("name", profile.name, [](const std::string& text) -> Complaint {
    return text == "auto" ? Complaint("must not be \"auto\", which means: by ATI") : check_segment(text);
  });
  root.require("models", "name how the second line of ATI begins, as models = [\"UC20\"]");
  root.take_strings("models", profile.models, check_word);
  root.take_string("version_command", profile.version_command, [](const std::string& text) -> Complaint {
    if (!text.starts_with("AT") || text.find('=') != std::string::npos)
      return "must be a command that asks, as \"AT+QGMR\"";
    return check_word(text);
  });
  root.take_unsigned("reboots", profile.reboots, 1, kMostReboots, "");
  read_url(root.child("url"), profile);
  read_file(root.child("file"), profile);
  read_command(root.child("command"), profile);
  read_stages(root.child("stages"), profile.stages);
  read_end_codes(root.children("end"), profile.end_codes);
  read_deadlines(root.child("deadlines"), profile.deadlines);
  read_minifota(root.child("minifota"), profile);
  root.finish();
  return profile;
}

Profiles parse_builtin() {
  std::vector<Profile> profiles;
  for (const auto& [name, text] : builtin_profile_texts()) {
    // tests/unit/config/profile_test.cpp reads each of them: none of them is wrong here.
    auto parsed = parse_profile(std::string(text), std::string(name));
    profiles.push_back(std::get<Profile>(std::move(parsed)));
  }
  return Profiles(std::move(profiles));
}

}  // namespace

const Profiles& builtin_profiles() {
  static const Profiles profiles = parse_builtin();
  return profiles;
}

std::variant<Profile, ConfigFaults> parse_profile(const std::string& text, const std::string& name) {
  const auto parsed = parse_toml(text);
  if (const auto* error = std::get_if<TomlSyntaxError>(&parsed)) {
    return ConfigFaults{{name, error->place.line, error->place.column, error->message}};
  }
  FaultList faults(name);
  Profile profile = read_profile(Section(std::get<TomlValue>(parsed), faults));
  if (!faults.empty()) return faults.sorted();
  return profile;
}

std::variant<Profiles, ConfigFaults> load_profiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  if (error) {
    return ConfigFaults{
        {folder.string(), 0, 0, "the profiles cannot be read (" + error.message() + "): name a folder"}};
  }
  std::ranges::sort(files);
  Profiles profiles = builtin_profiles();
  ConfigFaults faults;
  std::map<std::string, std::filesystem::path> owners;
  const auto blame = [&](const ConfigFaults& more) { faults.insert(faults.end(), more.begin(), more.end()); };
  for (const auto& file : files) {
    const auto text = read_text(file, "the profile");
    if (const auto* fault = std::get_if<ConfigFault>(&text)) {
      blame({*fault});
      continue;
    }
    auto parsed = parse_profile(std::get<std::string>(text), file.string());
    if (const auto* wrong = std::get_if<ConfigFaults>(&parsed)) {
      blame(*wrong);
      continue;
    }
    auto& profile = std::get<Profile>(parsed);
    const auto [owner, fresh] = owners.try_emplace(profile.name, file);
    if (!fresh) {
      const auto named = "the name " + in_quotes(profile.name) + " belongs to " + owner->second.string() + " already";
      blame({{file.string(), 0, 0, named + ": each family has its own"}});
    }
    profiles.add(std::move(profile));
  }
  if (!faults.empty()) return faults;
  return profiles;
}

}  // namespace dfota
