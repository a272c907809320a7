// A file, cut into the pieces in which AT+QFUPL's acknowledged mode takes it: two blocks of 1,024 bytes ahead of the
// acknowledgements, so that the line never idles. Between pieces the line may fall silent, and +++ beside a silence is
// the escape that ends a transfer; so no piece begins or ends beside a '+', and none is short. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "modem/data_source.hpp"

namespace dfota {

/// XOR of the file's big-endian byte pairs; an odd last byte is a high one. As +QFUPL: <size>,<checksum> tells it.
class QfuplChecksum {
 public:
  void add(std::string_view bytes);
  [[nodiscard]] std::uint16_t value() const { return value_; }

 private:
  std::uint16_t value_ = 0;
  bool odd_ = false;
};

class UploadSource : public DataSource {
 public:
  static constexpr std::size_t kBlock = 1024;         ///< what one acknowledgement stands for
  static constexpr std::size_t kWindow = 2 * kBlock;  ///< unacknowledged at most, but for what follows
  static constexpr std::size_t kMaxShift = 1024;      ///< an end of a piece is moved so far on, away from '+'
  static constexpr std::size_t kShortest = 512;       ///< a rest below it goes with the piece before it
  using Progress = std::function<void(std::uint64_t acknowledged, std::uint64_t size)>;

  /// The next `size` bytes of `file`, which must outlive this object. `progress` may be empty.
  UploadSource(std::istream& file, std::uint64_t size, Progress progress)
      : file_(file), size_(size), progress_(std::move(progress)) {}

  void acknowledged(std::uint64_t count) override;
  /// Error: io, the file has fewer bytes.
  Result<std::string_view> next() override;

  [[nodiscard]] std::uint64_t acknowledged_bytes() const { return acknowledged_; }
  [[nodiscard]] std::uint16_t checksum() const { return checksum_.value(); }  ///< of what was given out

 private:
  bool read_ahead(std::size_t size);

  std::istream& file_;
  const std::uint64_t size_;
  Progress progress_;
  std::uint64_t given_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::string ahead_;  ///< read, and not yet given out
  std::string piece_;
  QfuplChecksum checksum_;
};

}  // namespace dfota
