#include "modem/simulator/event_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>

namespace dfota::sim {

void write_json_line(int descriptor, const Json& line) {
  const auto text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  std::string_view left = text;
  while (!left.empty()) {
    const auto written = ::write(descriptor, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    left.remove_prefix(static_cast<size_t>(written));
  }
}

EventLog::~EventLog() {
  if (owned_) ::close(descriptor_);
}

Result<void> EventLog::redirect(const std::string& path) {
  const int opened = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (opened < 0) return Error(Errc::io, "cannot open the event log " + path + ": " + std::strerror(errno));
  if (owned_) ::close(descriptor_);
  descriptor_ = opened;
  owned_ = true;
  return {};
}

void EventLog::write(std::string_view module, std::string_view event, const Json& fields) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  Json line;
  line["ts"] = std::round(static_cast<double>(micros) / 100.0) / 10000.0;
  if (!module.empty()) line["module"] = module;
  line["event"] = event;
  for (const auto& [key, value] : fields.items()) line[key] = value;
  if (holding_)
    held_.push_back(std::move(line));
  else
    write_json_line(descriptor_, line);
}

void EventLog::release() {
  holding_ = false;
  for (const auto& line : held_) write_json_line(descriptor_, line);
  held_.clear();
}

}  // namespace dfota::sim
