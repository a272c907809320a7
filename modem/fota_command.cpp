#include "modem/fota_command.hpp"

#include <algorithm>
#include <cctype>

namespace dfota {
namespace {

std::string quoted(const Profile& profile, const std::string& address) {
  return "AT+QFOTADL=\"" + address + "\"" + profile.parameters;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::variant<std::string, Unfit> command_for_url(const Profile& profile, Delivery delivery, const std::string& url) {
  const auto end = url.find("://");
  if (end == std::string::npos) {
    return Unfit{Finding::artifact_unavailable,
                 "there is no address to tell: [ftp] is not in the configuration any more"};
  }
  const auto scheme = lower(url.substr(0, end));
  const std::string& spelling = scheme == "http" ? profile.http : scheme == "https" ? profile.https : profile.ftp;
  if (spelling.empty()) {
    return Unfit{Finding::unsupported_delivery,
                 "modules of the family " + profile.name + " do not take " + scheme + "://"};
  }
  if (is_minifota(url)) return Unfit{Finding::unsupported_package, "the URL names a MiniFOTA package"};
  const auto rest = url.substr(end + 3);
  if (scheme == "ftp" && profile.ftp_root_only && std::ranges::count(rest, '/') > 1) {
    return Unfit{Finding::unsupported_delivery,
                 "modules of the family " + profile.name + " take files of the FTP server's root directory only"};
  }
  const auto address = delivery == Delivery::url ? url : spelling + rest;
  if (address.size() > profile.url_max_bytes) {
    return Unfit{Finding::url_too_long, std::to_string(address.size()) + " bytes, the family " + profile.name +
                                            " takes " + std::to_string(profile.url_max_bytes)};
  }
  return quoted(profile, address);
}

std::variant<std::string, Unfit> command_for_file(const Profile& profile, const std::string& file) {
  switch (profile.local_form) {
    case LocalForm::path: {
      const auto name = name_in_storage(file);
      if (is_minifota(name)) return Unfit{Finding::unsupported_package, name + " is a MiniFOTA package"};
      if (name.size() > profile.file_name_max_bytes) {
        return Unfit{Finding::url_too_long, "the family " + profile.name + " takes names of " +
                                                std::to_string(profile.file_name_max_bytes) + " bytes"};
      }
      return quoted(profile, profile.local_path + name);
    }
    case LocalForm::fixed:
      return "AT+QFOTADL=" + profile.local_path;
    case LocalForm::stream:
    case LocalForm::none:
      break;
  }
  return Unfit{Finding::unsupported_delivery,
               "modules of the family " + profile.name + " do not start from a file of their file system"};
}

std::string command_for_stream(const Profile& profile, std::uint64_t size) {
  return quoted(profile, "FILE:" + std::to_string(size));
}

bool is_minifota(std::string_view address) {
  return lower(address.substr(0, address.find('?'))).find(".mini_") != std::string::npos;
}

std::string name_in_storage(std::string_view file) {
  const auto cut = file.find_last_of(":/");
  return std::string(cut == std::string_view::npos ? file : file.substr(cut + 1));
}

}  // namespace dfota
