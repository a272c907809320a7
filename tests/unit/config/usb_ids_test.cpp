#include "config/usb_ids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace dfota {
namespace {

TEST_CASE("an id is four hexadecimal digits, a colon and four more") {
  CHECK(parse_usb_id("2c7c:0125") == UsbId{0x2c7c, 0x0125, {}});
  CHECK(parse_usb_id("2C7C:0Aff") == UsbId{0x2c7c, 0x0aff, {}});
  for (const char* wrong : {"", "2c7c", "2c7c:", "2c7c:125", "2c7c:01250", "2c7c-0125", "0x2c7c:0125", " 2c7c:0125",
                            "2c7c:012g", "-c7c:0125", "2c7c:+125"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_usb_id(wrong));
  }
  CHECK(to_text(UsbId{0x05c6, 0x9003, {}}) == "05c6:9003");
}

TEST_CASE("the known ones are each there once, in order, and none is a module in recovery") {
  const auto known = known_usb_ids();
  CHECK(std::adjacent_find(known.begin(), known.end(),
                           [](const UsbId& a, const UsbId& b) { return to_text(a) >= to_text(b); }) == known.end());
  for (const auto& id : known) {
    CAPTURE(to_text(id));
    CHECK(parse_usb_id(to_text(id)) == id);
    CHECK(id.vendor != 0);
    CHECK_FALSE(id.models.empty());
    CHECK_FALSE(id == UsbId{0x05c6, 0x9008, {}});
  }
}

TEST_CASE("the udev rule names the known ones, each by vendor and product, and no other") {
  const auto quoted_behind = [](const std::string& line, const std::string& key) {
    const auto at = line.find(key + "==\"");
    return at == std::string::npos ? std::string() : line.substr(at + key.size() + 3, 4);
  };
  std::ifstream rules(DFOTA_SOURCE_DIR "/config/service/77-dfota-gateway.rules");
  std::vector<UsbId> named;
  for (std::string line; std::getline(rules, line);) {
    if (line.starts_with("#") || line.find("idVendor") == std::string::npos) continue;
    CAPTURE(line);
    const auto id =
        parse_usb_id(quoted_behind(line, "ATTRS{idVendor}") + ":" + quoted_behind(line, "ATTRS{idProduct}"));
    REQUIRE(id);
    CHECK(line.ends_with("ENV{ID_MM_DEVICE_IGNORE}=\"1\""));
    named.push_back(*id);
  }
  const auto known = known_usb_ids();
  CHECK(named == std::vector<UsbId>(known.begin(), known.end()));
}

}  // namespace
}  // namespace dfota
