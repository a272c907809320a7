// Lines that stay and bars below them that are drawn again and again in place, as the bytes for a terminal. Pure. The
// cursor is always at the beginning of the row behind the last bar.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/terminal_view.hpp"

namespace dfota::ctl {

/// How many rows a line takes.
std::size_t rows_of(const std::string& line, std::size_t width);

class Painter {
 public:
  /// The old bars go, `lasting` follows what is there, `bars` stand below. After a change of size nobody knows where a
  /// terminal has put the old bars (some wrap them anew, some cut them off): then the whole screen is painted, with as
  /// many of the newest lines above the bars as there is room for.
  std::string paint(const std::vector<std::string>& lasting, const std::vector<std::string>& bars, Screen screen);

  /// The size has changed, even if it is the same again.
  void resized() { resized_ = true; }

  /// How many rows of lines that stay were painted.
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  [[nodiscard]] std::string newest(std::size_t rows, std::size_t width) const;

  std::vector<std::string> bars_;
  std::deque<std::string> lasting_;
  std::optional<Screen> screen_;
  bool resized_ = false;
  std::size_t rows_ = 0;
};

}  // namespace dfota::ctl
