// Where dfota writes: bars that are redrawn in place on a terminal, plain lines elsewhere, lines of JSON when asked
// for. One thread.
#pragma once

#include <string>
#include <vector>

#include "gateway/ctl/painter.hpp"
#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

class Output {
 public:
  explicit Output(bool json);
  ~Output();  ///< finish()
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// While there are bars, with the next redraw().
  void show(const WatchModel::Lines& lines);
  void line(const std::string& text);       ///< a lasting one; not in JSON mode
  void json_line(const std::string& text);  ///< only in JSON mode
  void complain(const std::string& text);   ///< to stderr, in every mode: "dfota: ..."

  /// Draws the bars again, where there are any. The caller sees to it that this is not too often.
  void redraw(const Models& models);
  void resized() { painter_.resized(); }  ///< the terminal; followed by a redraw()
  /// The bars go, the lines stay.
  void finish();
  /// Of the lines that stay, written so far or waiting.
  [[nodiscard]] std::size_t rows() const { return painter_.rows() + waiting_.size(); }
  [[nodiscard]] static Screen screen();

  [[nodiscard]] bool has_bars() const { return bars_; }
  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool broken() const { return broken_; }  ///< nobody reads stdout any more

 private:
  void write(const std::string& text);

  bool json_;
  bool bars_;
  bool broken_ = false;
  bool drawn_ = false;  ///< bars stand on the terminal
  Painter painter_;
  std::vector<std::string> waiting_;  ///< lasting lines for the next redraw()
};

}  // namespace dfota::ctl
