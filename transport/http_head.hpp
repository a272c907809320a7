// The head of one HTTP request, without I/O: a reader that takes it from a stream of bytes, at most 8 KiB of it, and
// what its lines say. What a server makes of it is the server's (file_server_head, web_request). Below
// transport/http_door; any thread.
//
//   GET /a/5f0c...e1/delta.bin HTTP/1.1\n  Range: bytes=0-\n  \n \n      (bare LF, three of them, is what one clone of
//   a module sends)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dfota {

inline constexpr std::size_t kMaxHeadBytes = 8192;

class HeadReader {
 public:
  enum class State { reading, whole, bad };

  /// Takes bytes up to the end of the head, or to the first that no head may have, and returns how many it took.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] State state() const { return state_; }
  /// Nothing but empty lines has come.
  [[nodiscard]] bool silent() const { return text_.empty(); }
  /// The lines without CR, each ended by LF, without the empty one; meaningful when whole.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void take(char c);

  State state_ = State::reading;
  std::string text_;
  std::size_t line_begin_ = 0;
  std::size_t taken_ = 0;
  bool after_cr_ = false;
};

struct HttpHead {
  std::string method, target;
  bool is_1_1 = false;                                      ///< else HTTP/1.0
  std::vector<std::pair<std::string, std::string>> fields;  ///< in their order; names in lower case, values trimmed

  [[nodiscard]] std::size_t count(std::string_view lower_case_name) const;
  /// Of the first field with this name; empty when there is none.
  [[nodiscard]] std::string value(std::string_view lower_case_name) const;
};

/// From HeadReader::text(). Nothing: not HTTP/1.x, or a line that is no field.
std::optional<HttpHead> parse_http_head(std::string_view text);

/// Without regard to the case of A-Z.
bool same_word(std::string_view text, std::string_view lower_case);
/// "a, B ,c" lists b.
bool lists_word(std::string_view value, std::string_view lower_case);
/// Without spaces and tabs around it.
std::string_view trimmed(std::string_view text);
/// Splits off what stands before the separator; all of it when there is none.
std::string_view split_off(std::string_view& text, char separator);

}  // namespace dfota
