#include "modem/simulator/identity.hpp"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace dfota::sim {

char luhn_check_digit(std::string_view digits) {
  int sum = 0;
  bool doubled = true;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value / 10 + value % 10;
    doubled = !doubled;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string imei_of(int index) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "86185003%06u", static_cast<unsigned>(index) % 1'000'000U);
  const std::string imei = digits;
  return imei + luhn_check_digit(imei);
}

Result<Memory> load_memory(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error(Errc::absent, "no module state in " + path);
  const auto json = nlohmann::json::parse(file, nullptr, false);
  const auto text = [&json](const char* key) { return json.contains(key) && json[key].is_string(); };
  if (!json.is_object() || !text("version") || !text("imei") || !json.contains("boots") ||
      !json["boots"].is_number_unsigned()) {
    return Error(Errc::invalid, path + " is not the state of a simulated module; remove it to start afresh");
  }
  return Memory{json["version"], json["imei"], json["boots"]};
}

Result<void> save_memory(const std::string& path, const Memory& memory) {
  const nlohmann::ordered_json json = {{"version", memory.version}, {"imei", memory.imei}, {"boots", memory.boots}};
  const auto fresh = path + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  file.close();
  if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) return Error(Errc::io, "cannot write " + path);
  return {};
}

}  // namespace dfota::sim
