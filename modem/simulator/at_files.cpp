#include "modem/simulator/at_files.hpp"

#include <charconv>

namespace dfota::sim {
namespace {

constexpr int kNotAllowed = 3;
constexpr int kInvalidValue = 400;
constexpr int kInvalidName = 406;
constexpr int kExists = 407;
constexpr std::string_view kStorage = "UFS:";

constexpr int kDefaultTimeoutSeconds = 5;
constexpr int kMaxTimeoutSeconds = 65535;
constexpr uint64_t kDefaultSize = 10240;

/// "UFS:name" or "name".
std::string bare_name(const std::string& name) {
  const bool named = at_upper(name.substr(0, kStorage.size())) == kStorage;
  return named ? name.substr(kStorage.size()) : name;
}

template <class Number>
bool take(const std::vector<std::string>& values, size_t index, Number low, Number high, Number& value) {
  if (values.size() <= index) return true;
  const auto& text = values[index];
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() && !text.empty() && value >= low && value <= high;
}

AtAnswer list_files(std::string_view text, const Behaviour& behaviour, const FileSystem& files) {
  const auto values = at_values(text);
  const auto pattern = values.empty() ? std::string("*") : bare_name(values[0]);
  const std::string storage(behaviour.qflst_bare ? "" : kStorage);
  std::string lines;
  for (const auto& [name, size] : files.list(pattern)) {
    if (!lines.empty()) lines += "\r\n";
    lines += "+QFLST: \"" + storage + name + "\"," + std::to_string(size);
  }
  return at_ok(lines);
}

AtAnswer delete_files(std::string_view text, const AtSettings& settings, FileSystem& files) {
  const auto values = at_values(text);
  if (values.size() != 1) return at_error(kInvalidValue, settings);
  const auto found = files.list(bare_name(values[0]));
  if (found.empty() && values[0].find('*') == std::string::npos) return at_error(kCmeFileNotFound, settings);
  for (const auto& file : found) {
    if (!files.remove(file.first)) return at_error(kCmeFileNotFound, settings);
  }
  return at_ok();
}

/// AT+QFUPL="<name>"[,<size>[,<timeout>[,<ackmode>]]]
AtAnswer begin_upload(std::string_view text, const AtSettings& settings, const AtSubject& subject) {
  const auto values = at_values(text);
  UploadOrder order;
  int acknowledged = 0;
  order.size_bytes = kDefaultSize;
  order.timeout_s = kDefaultTimeoutSeconds;
  if (values.empty() || values.size() > 4 || !take<uint64_t>(values, 1, 1, UINT32_MAX, order.size_bytes) ||
      !take(values, 2, 1, kMaxTimeoutSeconds, order.timeout_s) || !take(values, 3, 0, 1, acknowledged)) {
    return at_error(kInvalidValue, settings);
  }
  if (subject.busy) return at_error(kNotAllowed, settings);
  order.name = bare_name(values[0]);
  order.acknowledged = acknowledged == 1;
  if (!FileSystem::is_name(order.name)) return at_error(kInvalidName, settings);
  if (subject.files->has(order.name)) return at_error(kExists, settings);
  if (order.size_bytes > subject.files->free_bytes()) return at_error(kCmeNoSpace, settings);
  AtAnswer answer;
  answer.text = framed("CONNECT");
  answer.upload = order;
  return answer;
}

}  // namespace

std::optional<AtAnswer> answer_files(std::string_view command, const Behaviour& behaviour, const AtSettings& settings,
                                     AtSubject& subject) {
  if (subject.files == nullptr) return std::nullopt;
  const auto folded = at_upper(command);
  const auto behind = [command](std::string_view start) { return command.substr(start.size()); };
  const auto begins = [&folded](std::string_view start) { return folded.rfind(start, 0) == 0; };
  if (folded == "AT+QFLDS" || folded == "AT+QFLDS=\"UFS\"") {
    return at_ok("+QFLDS: " + std::to_string(subject.files->free_bytes()) + "," +
                 std::to_string(subject.files->total_bytes()));
  }
  if (folded == "AT+QFLST") return list_files("", behaviour, *subject.files);
  if (begins("AT+QFLST=")) return list_files(behind("AT+QFLST="), behaviour, *subject.files);
  if (begins("AT+QFDEL=")) return delete_files(behind("AT+QFDEL="), settings, *subject.files);
  if (begins("AT+QFUPL=")) return begin_upload(behind("AT+QFUPL="), settings, subject);
  return std::nullopt;
}

}  // namespace dfota::sim
