#include "gateway/ctl/output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
bool is_terminal() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && kind != nullptr && std::string(kind) != "dumb";
}

std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* const value = std::getenv(name);
  const long number = value != nullptr ? std::strtol(value, nullptr, 10) : 0;
  return number > 0 && number < 10000 ? static_cast<std::size_t>(number) : otherwise;
}

Screen screen_now() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    return {size.ws_col, size.ws_row};
  }
  return {from_environment("COLUMNS", 80), from_environment("LINES", 24)};
}

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const auto size = ::write(fd, text.data() + done, text.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}
}  // namespace

Output::Output(bool json) : json_(json), bars_(!json && is_terminal()) {}

Output::~Output() {
  write(above());
}

void Output::write(const std::string& text) {
  if (!text.empty() && !broken_) broken_ = !write_all(STDOUT_FILENO, text);
}

/// Moves to where the bars begin, and clears them.
std::string Output::above() const {
  return live_.empty() ? "" : "\r\x1b[" + std::to_string(live_.size()) + "A\x1b[J";
}

void Output::show(const WatchModel::Lines& lines) {
  if (json_) return;
  std::string text;
  if (!bars_) {
    for (const auto& one : lines.fleeting) text += one + "\n";
  }
  for (const auto& one : lines.lasting) text += one + "\n";
  if (text.empty()) return;
  std::string bars;
  for (const auto& one : live_) bars += one + "\n";
  write(above() + text + bars);
}

void Output::line(const std::string& text) {
  show({{printable(text)}, {}});
}

void Output::json_line(const std::string& text) {
  if (json_) write(text + "\n");
}

void Output::complain(const std::string& text) {
  write(above());
  live_.clear();
  write_all(STDERR_FILENO, "dfota: " + printable(text) + "\n");
}

void Output::redraw(const WatchModel& model) {
  if (!bars_) return;
  std::string text = above();
  live_ = draw(model, screen_now());
  for (const auto& one : live_) text += one + "\n";
  write(text);
}

}  // namespace dfota::ctl
