#include "modem/simulator/update_target.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace dfota::sim;

TEST_CASE("an FTP address in its parts, decoded nowhere") {
  const auto target = parse_target("FTP://us%20er:pa:ss@w@[::1]:2121/up/d%41.bin");
  REQUIRE(target.ok());
  CHECK(target->delivery == Delivery::ftp);
  CHECK(target->ftp.user == "us%20er");
  CHECK(target->ftp.password == "pa:ss@w");
  CHECK(target->ftp.host == "::1");
  CHECK(target->ftp.port == 2121);
  CHECK(target->ftp.path == "up/d%41.bin");
  CHECK_FALSE(target->ftp.over_limit);
  const auto plain = parse_target("ftp://host/d");
  REQUIRE(plain.ok());
  CHECK(plain->ftp.port == 21);
  CHECK(plain->ftp.user.empty());
  CHECK(plain->ftp.path == "d");
}

TEST_CASE("the guide's limits of an FTP address") {
  const std::string fits(50, 'x');
  const auto over = fits + "x";
  const auto at_limit = parse_target("ftp://" + fits + ":" + fits + "@" + fits + ":21/" + fits);
  REQUIRE(at_limit.ok());
  CHECK_FALSE(at_limit->ftp.over_limit);
  for (const auto& url : {"ftp://" + over + ":p@h:21/d", "ftp://u:" + over + "@h:21/d", "ftp://u:p@" + over + ":21/d",
                          "ftp://u:p@h:21/" + over, "ftp://u:p@h:21/" + std::string(250, 'd')}) {
    const auto target = parse_target(url);
    REQUIRE_MESSAGE(target.ok(), url);
    CHECK_MESSAGE(target->ftp.over_limit, url);
  }
}

TEST_CASE("files of its own, and bytes on the port") {
  for (const auto* text : {"UFS:d.bin", "ufs:d.bin", "/data/ufs/d.bin", "/cache/ufs/d.bin"}) {
    const auto target = parse_target(text);
    REQUIRE_MESSAGE(target.ok(), text);
    CHECK(target->delivery == Delivery::ufs);
    CHECK(target->file == "d.bin");
  }
  const auto stream = parse_target("FILE:20000");
  REQUIRE(stream.ok());
  CHECK(stream->delivery == Delivery::stream);
  CHECK(stream->length == 20000);
  const auto http = parse_target("HTTP://h:80/d");
  REQUIRE(http.ok());
  CHECK(http->delivery == Delivery::http);
  CHECK(http->url.port == 80);
}

TEST_CASE("what is none of these") {
  for (const auto* text :
       {"", "d.bin", "ftp://", "ftp://h:21", "ftp://h:21/", "ftp://h:0/d", "ftp://h:x/d", "ftp://u:p@/d",
        "ftp://u:p w@h/d", "FILE:", "FILE:0", "FILE:x", "FILE:99999999999", "https://h:443/d"}) {
    const auto target = parse_target(text);
    CHECK_MESSAGE(!target.ok(), text);
  }
}
