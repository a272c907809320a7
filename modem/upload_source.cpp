#include "modem/upload_source.hpp"

#include <algorithm>

namespace dfota {
namespace {

constexpr std::size_t kReadAhead = 16 * 1024;

/// The first place at or after `wanted` with no '+' on either side, or the end. A run that is longer than the bound is
/// no escape, which is three and no more; it is cut at the bound.
std::size_t quiet_place(std::string_view ahead, std::size_t wanted) {
  const std::size_t bound = std::min(wanted + UploadSource::kMaxShift, ahead.size());
  std::size_t place = wanted;
  while (place < bound && (ahead[place - 1] == '+' || ahead[place] == '+')) ++place;
  return place;
}

}  // namespace

void QfuplChecksum::add(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    value_ ^= static_cast<std::uint16_t>(odd_ ? byte : byte << 8);
    odd_ = !odd_;
  }
}

void UploadSource::acknowledged(std::uint64_t count) {
  // A module that acknowledges more than it was given has not got more.
  const auto bytes = count > given_ / kBlock ? given_ : count * kBlock;
  if (bytes <= acknowledged_) return;
  acknowledged_ = bytes;
  if (progress_) progress_(acknowledged_, size_);
}

Result<std::string_view> UploadSource::next() {
  const std::uint64_t rest = size_ - given_;
  const std::uint64_t until = std::min(size_, acknowledged_ + kWindow);
  // Less than that is short, unless it is all: then the next acknowledgement, which is still to come, makes it longer.
  if (rest == 0 || (until < size_ && until < given_ + kShortest)) return std::string_view();
  const auto wanted = static_cast<std::size_t>(until - given_);
  const auto needed = static_cast<std::size_t>(std::min<std::uint64_t>(rest, wanted + kMaxShift + kShortest));
  if (!read_ahead(needed)) return Error(Errc::io, "the file is shorter than it was when the upload began");
  std::size_t size = quiet_place(std::string_view(ahead_).substr(0, needed), wanted);
  if (rest - size < kShortest) size = static_cast<std::size_t>(rest);
  piece_.assign(ahead_, 0, size);
  ahead_.erase(0, size);
  given_ += size;
  checksum_.add(piece_);
  return std::string_view(piece_);
}

/// Never reads beyond the size that was promised to the module.
bool UploadSource::read_ahead(std::size_t size) {
  if (ahead_.size() >= size) return true;
  const std::uint64_t unread = size_ - given_ - ahead_.size();
  const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(unread, kReadAhead));
  const std::size_t had = ahead_.size();
  ahead_.resize(had + more);
  file_.read(ahead_.data() + had, static_cast<std::streamsize>(more));
  ahead_.resize(had + static_cast<std::size_t>(file_.gcount()));
  return ahead_.size() >= size;
}

}  // namespace dfota
