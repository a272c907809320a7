// A terminal of so many columns and rows, as far as dfota uses one: text that wraps and scrolls, carriage return, line
// feed, and the cursor movements that it knows. Everything else that is not printable is a fault. A resize wraps its
// lines anew, as most terminals do. How wide a character is says the C library. One thread.
#pragma once

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <string>
#include <vector>

namespace dfota::test {

class VirtualScreen {
 public:
  VirtualScreen(std::size_t width, std::size_t height) : width_(width), height_(height) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    rows_.emplace_back();
  }

  void write(const std::string& bytes) {
    pending_ += bytes;
    while (!pending_.empty() && take()) {
    }
  }

  void resize(std::size_t width, std::size_t height) {
    std::vector<std::string> lines;
    for (const auto& row : rows_) {
      if (row.continued && !lines.empty()) {
        lines.back() += row.text;
      } else {
        lines.push_back(row.text);
      }
    }
    width_ = width;
    height_ = height;
    rows_.assign(1, {});
    row_ = top_ = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) line_feed();
      for (std::size_t at = 0; at < lines[i].size();) at += put(lines[i], at);
    }
  }

  /// The rows that are seen, without empty ones below the cursor and without spaces at their ends.
  [[nodiscard]] std::vector<std::string> seen() const {
    auto rows = texts(top_, rows_.size());
    while (rows.size() > row_ - top_ + 1 && rows.back().empty()) rows.pop_back();
    return rows;
  }
  /// What has scrolled away.
  [[nodiscard]] std::vector<std::string> history() const { return texts(0, top_); }
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  /// How often the cursor went up; twice for each time that something was drawn over.
  [[nodiscard]] int movements() const { return movements_; }

 private:
  struct Row {
    std::string text;
    std::size_t columns = 0;
    bool continued = false;  ///< the line above goes on here
  };

  std::vector<std::string> texts(std::size_t from, std::size_t to) const {
    std::vector<std::string> result;
    for (std::size_t i = from; i < to; ++i) {
      std::string text = rows_[i].text;
      while (text.ends_with(' ')) text.pop_back();
      result.push_back(text);
    }
    return result;
  }

  /// -1: it moves something else than one character on.
  static int width_of(const std::string& character) {
    wchar_t wide = 0;
    mbstate_t state{};
    const auto size = ::mbrtowc(&wide, character.data(), character.size(), &state);
    return size == character.size() ? ::wcwidth(wide) : -1;
  }

  /// One character or one command. False: its end has not come yet.
  bool take() {
    const char first = pending_[0];
    if (first == '\x1b') return take_command();
    if (first == '\n') line_feed();
    if (first == '\n' || first == '\r') {  // the tty makes CR LF of LF
      pending_.erase(0, 1);
      return true;
    }
    const auto size = first >= 0 ? 1 : (first & 0xf0) == 0xf0 ? 4 : (first & 0xe0) == 0xe0 ? 3 : 2;
    if (pending_.size() < static_cast<std::size_t>(size)) return false;
    const std::string one = pending_.substr(0, static_cast<std::size_t>(size));
    if (width_of(one) < 1) faults_.push_back("a character that has no width");
    put(one, 0);
    pending_.erase(0, one.size());
    return true;
  }

  bool take_command() {
    const auto end = std::find_if(pending_.begin() + std::min<std::ptrdiff_t>(2, std::ssize(pending_)), pending_.end(),
                                  [](char c) { return c >= '@' && c <= '~'; });
    if (end == pending_.end()) return false;
    const std::string command(pending_.begin() + 1, end + 1);
    pending_.erase(pending_.begin(), end + 1);
    if (command == "[K") {
      rows_[row_] = {};
    } else if (command == "[H") {
      ++movements_;
      row_ = top_;
    } else if (command.starts_with("[") && command.ends_with("A")) {
      ++movements_;
      const std::size_t up = std::stoul(command.substr(1));
      row_ = row_ >= top_ + up ? row_ - up : top_;
    } else {
      faults_.push_back("command " + command.substr(0, 20));
    }
    return true;
  }

  std::size_t put(const std::string& text, std::size_t at) {
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xc0) == 0x80) ++size;
    const std::string one = text.substr(at, size);
    const auto wide = static_cast<std::size_t>(std::max(width_of(one), 0));
    if (rows_[row_].columns + wide > width_) {
      line_feed();
      rows_[row_].continued = true;
    }
    rows_[row_].text += one;
    rows_[row_].columns += wide;
    return size;
  }

  void line_feed() {
    ++row_;
    if (row_ == rows_.size()) rows_.emplace_back();
    if (row_ >= top_ + height_) top_ = row_ - height_ + 1;
  }

  std::size_t width_, height_;
  std::vector<Row> rows_;  ///< history included
  std::size_t row_ = 0, top_ = 0;
  std::string pending_;
  std::vector<std::string> faults_;
  int movements_ = 0;
};

}  // namespace dfota::test
