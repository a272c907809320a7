// What the file server understands of a request, without I/O: a reader that takes the head of one request from a stream
// of bytes, at most 8 KiB of it, and the rules for what a head may ask. Below transport/file_server_door; any thread.
//
//   GET /a/5f0c...e1/delta.bin HTTP/1.1\n  Range: bytes=0-\n  \n \n      (bare LF, three of them, is what one clone of
//   a module sends)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfota {

inline constexpr std::size_t kMaxHeadBytes = 8192;

class HeadReader {
 public:
  enum class State { reading, whole, bad };

  /// Takes bytes up to the end of the head, or to the first that no head may have, and returns how many it took.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] State state() const { return state_; }
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

struct RequestHead {
  enum class Method { get, head, other };
  Method method = Method::other;
  std::string target;
  bool keep_alive = false;  ///< HTTP/1.1 without Connection: close
  bool announces_body = false;
  bool has_if_range = false;
  std::string range;  ///< the value of the Range field; empty when there is none, or more than one
};

/// From HeadReader::text(). Nothing: not HTTP/1.x, or a line that is no field.
std::optional<RequestHead> parse_head(std::string_view text);

struct RangeAnswer {
  enum class Kind { whole, part, outside };
  Kind kind = Kind::whole;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< inclusive
};

/// What of a file of `size` bytes (not 0) a GET gets: 200, 206 or 416.
RangeAnswer resolve_range(const RequestHead& head, std::uint64_t size);

}  // namespace dfota
