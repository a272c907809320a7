#include "modem/fota_codes.hpp"

#include <algorithm>
#include <span>

#include "modem/fota_code_tables.hpp"

namespace dfota {
namespace {

constexpr std::string_view kNotInGuide = "Not in the guide's table";

constexpr FieldReport kFieldReports[] = {
    {CodeSource::http, 12,
     "Seen on BC660K as a failed download, where port forwarding was wrong: look whether public_url is reachable from "
     "the module's network."},
    {CodeSource::http, 420,
     "Seen on EG915U as a failed download: look at its free space (AT+QFLDS), and whether public_url is plain HTTP."},
    {CodeSource::http, 570,
     "Seen on EG915U when the update was started straight after a restart: let the module register first."},
    {CodeSource::http, 608,
     "An FTP-range code under HTTPEND, seen on EC200U with a misspelt fota/path: look at AT+QCFG=\"fota/path\", where "
     "\"UFS:\" needs its colon."},
};

std::span<const FotaCode> table_of(CodeSource source) {
  switch (source) {
    case CodeSource::ftp:
      return ftp_codes();
    case CodeSource::http:
      return http_codes();
    case CodeSource::file:
      return file_codes();
    case CodeSource::update:
      return {};
    case CodeSource::command:
      return command_codes();
  }
  return {};
}

const FotaCode* find(std::span<const FotaCode> table, int number) {
  const auto found = std::ranges::find(table, number, &FotaCode::number);
  return found == table.end() ? nullptr : &*found;
}

/// FTP's number under HTTPEND or HTTP's under FTPEND: the wording stays the guide's, but what brought it was a fault of
/// settings, not of the network, so that trying again is left to a person.
const FotaCode* find_borrowed(CodeSource source, int number) {
  if (source == CodeSource::http) return find(ftp_codes(), number);
  if (source == CodeSource::ftp) return find(http_codes(), number);
  return nullptr;
}

std::string_view hint_for_unknown(CodeSource source, int number, bool borrowed) {
  for (const FieldReport& report : kFieldReports) {
    if (report.source == source && report.number == number) return report.hint;
  }
  if (borrowed && source == CodeSource::http) {
    return "An FTP-range code under HTTPEND, seen in the field with a misspelt fota/path: look at the module's storage "
           "settings before the network.";
  }
  if (borrowed) {
    return "An HTTP-range code under FTPEND: look whether the URL's scheme is the delivery that was meant, and at the "
           "module's storage settings.";
  }
  switch (source) {
    case CodeSource::ftp:
    case CodeSource::http:
      return "Look at signal and the PDP context, whether the server is reachable from the module's network, and ask "
             "the "
             "module's vendor for this number.";
    case CodeSource::file:
      return "Look at the module's free space and at flow control of its port, and ask its vendor for this number.";
    case CodeSource::update:
      return "Look at the version that the module has now and at the base of the delta, and ask its vendor for this "
             "number.";
    case CodeSource::command:
      return "Look at the command in the log (dfota-gateway --verbose), and for this number in the module's AT manual.";
  }
  return {};
}

/// END's table is the family's. A number that it does not list is what the guide says of any: ERROR; what other
/// families know of it is a better hint than none.
FotaCode explain_end(int number, const Profile* profile) {
  if (const auto* own = profile != nullptr ? profile->end_code(number) : nullptr) {
    return {number, own->name, own->meaning, false, own->hint};
  }
  constexpr std::string_view kError = "ERROR (0 means OK, else ERROR)";
  if (const auto* other = builtin_profiles().any_end_code(number)) {
    return {number, other->name, kError, false, other->hint};
  }
  return {number, "unknown", kError, false, hint_for_unknown(CodeSource::update, number, false)};
}

FotaCode success(CodeSource source) {
  // The guide's HTTP table has a row for it; for the others its text says "0 means OK".
  return {0, "ok", source == CodeSource::http ? "Operation successful" : "OK", false, "Nothing to do."};
}

}  // namespace

std::string_view to_word(CodeSource source) {
  switch (source) {
    case CodeSource::ftp:
      return "ftp";
    case CodeSource::http:
      return "http";
    case CodeSource::file:
      return "file";
    case CodeSource::update:
      return "update";
    case CodeSource::command:
      return "command";
  }
  return {};
}

FotaCode explain(CodeSource source, int number, const Profile* profile) {
  if (source == CodeSource::update && number != 0) return explain_end(number, profile);
  if (const FotaCode* own = find(table_of(source), number)) return *own;
  if (number == 0) return success(source);
  if (const FotaCode* borrowed = find_borrowed(source, number)) {
    return {number, borrowed->name, borrowed->meaning, false, hint_for_unknown(source, number, true)};
  }
  return {number, "unknown", kNotInGuide, false, hint_for_unknown(source, number, false)};
}

std::span<const FieldReport> field_reports() {
  return kFieldReports;
}

std::string code_class(int number) {
  if (number < 0 || number > 999) return "other";
  return std::to_string(number / 100) + "xx";
}

}  // namespace dfota
