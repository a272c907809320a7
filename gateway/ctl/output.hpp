// Where dfota writes: bars that are redrawn in place on a terminal, plain lines elsewhere, lines of JSON when asked
// for. One thread.
#pragma once

#include <string>

#include "gateway/ctl/terminal_view.hpp"
#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

class Output {
 public:
  explicit Output(bool json);
  ~Output();  ///< the bars go, the lines stay
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void show(const WatchModel::Lines& lines);
  void line(const std::string& text);       ///< a lasting one; not in JSON mode
  void json_line(const std::string& text);  ///< only in JSON mode
  void complain(const std::string& text);   ///< to stderr, in every mode: "dfota: ..."

  /// Draws the bars again, where there are any. The caller sees to it that this is not too often.
  void redraw(const WatchModel& model);

  [[nodiscard]] bool has_bars() const { return bars_; }
  [[nodiscard]] bool broken() const { return broken_; }  ///< nobody reads stdout any more

 private:
  void write(const std::string& text);
  [[nodiscard]] std::string above() const;

  bool json_;
  bool bars_;
  bool broken_ = false;
  std::vector<std::string> live_;
};

}  // namespace dfota::ctl
