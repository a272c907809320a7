#include "gateway/ctl/painter.hpp"

#include <algorithm>

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kMaxKept = 500;  // lines; no terminal is as high
/// Row by row, as everything here: a screen that is erased as a whole some terminals (tmux) keep above it.
std::string cleared(std::size_t rows) {
  std::string text = "\x1b[H";
  for (std::size_t row = 1; row < rows; ++row) text += "\x1b[K\r\n";
  return text + "\x1b[K\x1b[H";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}
}  // namespace

std::size_t rows_of(const std::string& line, std::size_t width) {
  return std::max<std::size_t>((columns(line) + width - 1) / width, 1);
}

std::string Painter::paint(const std::vector<std::string>& lasting, const std::vector<std::string>& bars,
                           Screen screen) {
  const std::size_t width = std::max<std::size_t>(screen.width, 1);
  const bool moved = resized_ || (screen_ && *screen_ != screen);
  std::string text;
  for (const auto& line : lasting) {
    lasting_.push_back(line);
    rows_ += rows_of(line, width);
    if (lasting_.size() > kMaxKept) lasting_.pop_front();
  }
  if (bars_.empty()) {
    text = joined(lasting);
  } else if (moved) {
    const std::size_t below = bars.size() + 1;
    text = cleared(screen.height) + newest(screen.height > below ? screen.height - below : 0, width);
  } else {
    const std::string up = "\r\x1b[" + std::to_string(bars_.size()) + "A";
    text = up;
    for (std::size_t i = 0; i < bars_.size(); ++i) text += "\x1b[K\n";
    text += up + joined(lasting);
  }
  resized_ = false;
  screen_ = screen;
  bars_ = bars;
  return text + joined(bars);
}

/// Whole lines, as many as fit.
std::string Painter::newest(std::size_t rows, std::size_t width) const {
  std::vector<std::string> lines;
  for (auto it = lasting_.rbegin(); it != lasting_.rend(); ++it) {
    const std::size_t wanted = rows_of(*it, width);
    if (wanted > rows) break;
    rows -= wanted;
    lines.push_back(*it);
  }
  std::reverse(lines.begin(), lines.end());
  return joined(lines);
}

}  // namespace dfota::ctl
