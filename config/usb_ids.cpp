#include "config/usb_ids.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace dfota {
namespace {

constexpr std::array kKnown{
    UsbId{0x05c6, 0x9003, "UC20"},
    UsbId{0x05c6, 0x9090, "UC15"},
    UsbId{0x05c6, 0x9215, "EC20"},
    UsbId{0x2c7c, 0x0121, "EC21, EG21"},
    UsbId{0x2c7c, 0x0125, "EC25, EG25, EC20 R2.1, EM05"},
    UsbId{0x2c7c, 0x0191, "EG91"},
    UsbId{0x2c7c, 0x0195, "EG95"},
    UsbId{0x2c7c, 0x0296, "BG96"},
    UsbId{0x2c7c, 0x0306, "EP06, EG06, EM06"},
    UsbId{0x2c7c, 0x030a, "EM05-G"},
    UsbId{0x2c7c, 0x030b, "EM060K"},
    UsbId{0x2c7c, 0x0512, "EG12, EG18, EM12"},
    UsbId{0x2c7c, 0x0620, "EM120, EM160, EG20"},
    UsbId{0x2c7c, 0x0700, "BG77, BG95"},
    UsbId{0x2c7c, 0x0800, "RG500Q, RM500Q"},
    UsbId{0x2c7c, 0x0801, "RG520N, RM520N"},
    UsbId{0x2c7c, 0x0901, "EC200U, EG915U"},
    UsbId{0x2c7c, 0x6001, "EC100Y, EG912Y"},
    UsbId{0x2c7c, 0x6002, "EC200N, EC200S, EC600N, EC600S, EG912N"},
    UsbId{0x2c7c, 0x6005, "EC200A"},
    UsbId{0x2c7c, 0x6007, "EG915Q, EG916Q"},
    UsbId{0x2c7c, 0x6026, "EC200T"},
    UsbId{0x2c7c, 0x7001, "RM500K"},
};

std::optional<std::uint16_t> four_digits(std::string_view text) {
  std::uint16_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, 16);
  if (text.size() != 4 || error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

}  // namespace

std::span<const UsbId> known_usb_ids() {
  return kKnown;
}

std::optional<UsbId> parse_usb_id(std::string_view text) {
  if (text.size() != 9 || text[4] != ':') return std::nullopt;
  const auto vendor = four_digits(text.substr(0, 4)), product = four_digits(text.substr(5));
  if (!vendor || !product) return std::nullopt;
  return UsbId{*vendor, *product, {}};
}

std::string to_text(const UsbId& id) {
  char text[10];
  std::snprintf(text, sizeof text, "%04x:%04x", static_cast<unsigned>(id.vendor), static_cast<unsigned>(id.product));
  return text;
}

}  // namespace dfota
