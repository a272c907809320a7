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
  finish();
}

void Output::write(const std::string& text) {
  if (!text.empty() && !broken_) broken_ = !write_all(STDOUT_FILENO, text);
}

void Output::show(const WatchModel::Lines& lines) {
  if (json_) return;
  if (bars_) {
    waiting_.insert(waiting_.end(), lines.lasting.begin(), lines.lasting.end());
    if (!drawn_) finish();
    return;
  }
  std::string text;
  for (const auto& one : lines.fleeting) text += one + "\n";
  for (const auto& one : lines.lasting) text += one + "\n";
  write(text);
}

void Output::line(const std::string& text) {
  show({{printable(text)}, {}});
}

void Output::json_line(const std::string& text) {
  if (json_) write(text + "\n");
}

void Output::complain(const std::string& text) {
  finish();
  write_all(STDERR_FILENO, "dfota: " + printable(text) + "\n");
}

void Output::redraw(const Models& models) {
  if (!bars_) return;
  const Screen screen = screen_now();
  const auto lines = draw(models, screen);
  write(painter_.paint(waiting_, lines, screen));
  drawn_ = !lines.empty();
  waiting_.clear();
}

void Output::finish() {
  if (bars_) redraw({});
}

Screen Output::screen() {
  return screen_now();
}

}  // namespace dfota::ctl
