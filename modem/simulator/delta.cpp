#include "modem/simulator/delta.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>

namespace dfota::sim {
namespace {

constexpr std::string_view kMagic = "DFOTA-RACK-DELTA 1\n";
constexpr size_t kMaxHeadBytes = 1024;

std::string finish_hex(crypto_hash_sha256_state state) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state, digest);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

void update(crypto_hash_sha256_state& state, std::string_view bytes) {
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

uint64_t seed_of(std::string_view text) {
  uint64_t seed = 0xcbf29ce484222325ULL;
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed | 1;
}

void append_filler(std::string& out, uint64_t bytes) {
  uint64_t state = seed_of(out);
  for (const auto end = out.size() + bytes; out.size() < end;) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    for (int shift = 0; shift < 64 && out.size() < end; shift += 8) out += static_cast<char>(state >> shift);
  }
}

/// Takes "key: value\n" off the front.
std::optional<std::string> take_line(std::string_view& text, std::string_view key) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || text.substr(0, key.size()) != key) return std::nullopt;
  auto value = std::string(text.substr(key.size(), end - key.size()));
  text.remove_prefix(end + 1);
  return value;
}

std::optional<DeltaHeader> parse_head(std::string_view text) {
  if (text.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  text.remove_prefix(kMagic.size());
  const auto model = take_line(text, "model: ");
  const auto from = take_line(text, "from: ");
  const auto to = take_line(text, "to: ");
  const auto size = take_line(text, "size: ");
  if (!model || !from || !to || !size || text.empty() || text.front() != '\n') return std::nullopt;
  DeltaHeader header{*model, *from, *to, 0};
  const auto [end, failure] = std::from_chars(size->data(), size->data() + size->size(), header.size);
  if (failure != std::errc() || end != size->data() + size->size()) return std::nullopt;
  return header;
}

}  // namespace

Result<std::string> make_delta(const DeltaHeader& header) {
  for (const auto* value : {&header.model, &header.from, &header.to}) {
    const auto is_control = [](unsigned char c) { return c < 0x20; };
    if (value->empty() || std::any_of(value->begin(), value->end(), is_control)) {
      return Error(Errc::invalid, "a delta needs a model, a base and a target without control characters");
    }
  }
  std::string out(kMagic);
  out += "model: " + header.model + "\nfrom: " + header.from + "\nto: " + header.to;
  out += "\nsize: " + std::to_string(header.size) + "\n\n";
  if (out.size() > kMaxHeadBytes) return Error(Errc::invalid, "the names in this delta are too long");
  if (header.size < out.size() + kDeltaHashBytes || header.size > kMaxDeltaBytes) {
    return Error(Errc::invalid, "a delta has between " + std::to_string(out.size() + kDeltaHashBytes) + " and " +
                                    std::to_string(kMaxDeltaBytes) + " bytes, not " + std::to_string(header.size));
  }
  out.reserve(header.size);
  append_filler(out, header.size - kDeltaHashBytes - out.size());
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  update(state, out);
  return out + finish_hex(state);
}

Result<std::string> write_delta(const std::string& path, const DeltaHeader& header) {
  const auto package = make_delta(header);
  if (!package) return package.error();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(package->data(), static_cast<std::streamsize>(package->size()));
  file.close();
  if (!file) return Error(Errc::io, "cannot write the delta " + path);
  DeltaCheck check;
  check.feed(*package);
  return check.sha256();
}

DeltaCheck::DeltaCheck() {
  crypto_hash_sha256_init(&hash_);
}

void DeltaCheck::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  if (head_.size() < kMaxHeadBytes) head_ += bytes.substr(0, kMaxHeadBytes - head_.size());
  hash_all_but_tail(bytes);
}

void DeltaCheck::hash_all_but_tail(std::string_view bytes) {
  if (bytes.size() >= kDeltaHashBytes) {
    update(hash_, tail_);
    update(hash_, bytes.substr(0, bytes.size() - kDeltaHashBytes));
    tail_ = bytes.substr(bytes.size() - kDeltaHashBytes);
    return;
  }
  tail_ += bytes;
  if (tail_.size() <= kDeltaHashBytes) return;
  const auto settled = tail_.size() - kDeltaHashBytes;
  update(hash_, std::string_view(tail_).substr(0, settled));
  tail_.erase(0, settled);
}

Result<DeltaHeader> DeltaCheck::finish() const {
  const auto header = parse_head(head_);
  if (!header) return Error(Errc::mismatch, "not a package of this rack");
  if (header->size != bytes_) {
    return Error(Errc::mismatch,
                 "the package has " + std::to_string(bytes_) + " bytes and says " + std::to_string(header->size));
  }
  if (finish_hex(hash_) != tail_) return Error(Errc::mismatch, "the package's hash does not fit its bytes");
  return *header;
}

std::string DeltaCheck::sha256() const {
  auto state = hash_;
  update(state, tail_);
  return finish_hex(state);
}

}  // namespace dfota::sim
