#include "gateway/ctl/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>

namespace dfota::ctl {
namespace {
constexpr double kLongest = 100 * 3600.0 - 1;  // beyond it a time says nothing

struct Character {
  std::uint32_t code;
  std::size_t size;
};

/// The UTF-8 character at `at` (RFC 3629: shortest form, no surrogates), or nothing.
std::optional<Character> character_at(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return Character{first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return std::nullopt;
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(at + i) & 0x3fU);
  }
  const std::uint32_t shortest = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (code < shortest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return std::nullopt;
  return Character{code, size};
}

bool is_harmless(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  if (code == 0xad || code == 0x61c || code == 0xfeff) return false;
  if (code >= 0x300 && code <= 0x36f) return false;  // marks that stand on others, any number of them
  if (code >= 0x1ab0 && code <= 0x1aff) return false;
  if (code >= 0x1dc0 && code <= 0x1dff) return false;
  if (code >= 0x20d0 && code <= 0x20ff) return false;
  if (code >= 0xfe00 && code <= 0xfe2f) return false;
  if (code >= 0x200b && code <= 0x200f) return false;
  if (code >= 0x2028 && code <= 0x202e) return false;
  if (code >= 0x2060 && code <= 0x206f) return false;
  if (code >= 0xfff0 && code <= 0xfffb) return false;
  return code < 0xe0000 || code > 0xe0fff;  // tags
}

/// Unicode's East Asian Width W and F, to which a terminal gives two columns; in blocks, so that some others are taken
/// for wide: what is thought too wide leaves a gap, what is thought too narrow would wrap a line.
bool is_wide(std::uint32_t code) {
  static constexpr std::pair<std::uint32_t, std::uint32_t> kWide[] = {
      {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ff},   {0x25fd, 0x25fe},  {0x2600, 0x27bf}, {0x2b00, 0x2bff},
      {0x2e80, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xff00, 0xff60}, {0xffe0, 0xffe6},
      {0x16fe0, 0x18d8f}, {0x1b000, 0x1b2ff}, {0x1f000, 0x1faff}, {0x20000, 0x3fffd}};
  return std::any_of(std::begin(kWide), std::end(kWide),
                     [&](const auto& block) { return code >= block.first && code <= block.second; });
}

/// Of what printable() has made.
Character next_character(const std::string& text, std::size_t at) {
  return character_at(text, at).value_or(Character{'?', 1});
}

std::size_t width_of(const Character& character) {
  return is_wide(character.code) ? 2 : 1;
}
}  // namespace

std::string printable(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    if (character && is_harmless(character->code)) {
      result.append(text, at, character->size);
    } else {
      result += '?';
    }
    at += character ? character->size : 1;
  }
  return result;
}

std::size_t columns(const std::string& printable_text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < printable_text.size();) {
    const auto character = next_character(printable_text, at);
    count += width_of(character);
    at += character.size;
  }
  return count;
}

std::string cut(const std::string& printable_text, std::size_t width) {
  if (columns(printable_text) <= width) return printable_text;
  if (width == 0) return {};
  std::size_t at = 0;
  for (std::size_t used = 0;;) {
    const auto character = next_character(printable_text, at);
    used += width_of(character);
    if (used >= width) return printable_text.substr(0, at) + "~";
    at += character.size;
  }
}

std::string cut_front(const std::string& printable_text, std::size_t width) {
  if (columns(printable_text) <= width) return printable_text;
  if (width == 0) return {};
  std::size_t at = 0;
  for (std::size_t left = columns(printable_text); left >= width;) {
    const auto character = next_character(printable_text, at);
    left -= width_of(character);
    at += character.size;
  }
  return "~" + printable_text.substr(at);
}

std::string fitted(const std::string& printable_text, std::size_t width) {
  std::string result = cut(printable_text, width);
  return result + std::string(width - columns(result), ' ');
}

std::string rate_text(std::optional<double> bytes_per_second) {
  if (!bytes_per_second) return {};
  char text[32];
  const double rate = *bytes_per_second;
  if (rate < 1000) {
    std::snprintf(text, sizeof text, "%.0f B/s", rate);
  } else if (rate < 10'000) {
    std::snprintf(text, sizeof text, "%.1f kB/s", rate / 1e3);
  } else if (rate < 1'000'000) {
    std::snprintf(text, sizeof text, "%.0f kB/s", rate / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.1f MB/s", std::fmin(rate / 1e6, 9999));
  }
  return text;
}

std::string time_text(std::optional<double> seconds) {
  if (!seconds || *seconds > kLongest) return {};
  const auto all = static_cast<long>(std::llround(*seconds));
  char text[32];
  if (all >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", all / 60, all % 60);
  }
  return text;
}

std::string counts_text(const std::map<std::string, std::int64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (count != 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + printable(name);
  }
  return text;
}

}  // namespace dfota::ctl
