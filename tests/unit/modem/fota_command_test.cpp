#include "modem/fota_command.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

const Profile& family(const char* name) {
  const auto* profile = builtin_profiles().by_name(name);
  REQUIRE(profile != nullptr);
  return *profile;
}

std::string url(const char* name, const std::string& address, Delivery delivery = Delivery::http) {
  const auto made = command_for_url(family(name), delivery, address);
  if (const auto* unfit = std::get_if<Unfit>(&made)) return std::string(explain(unfit->finding).word);
  return std::get<std::string>(made);
}

std::string file(const char* name, const std::string& path) {
  const auto made = command_for_file(family(name), path);
  if (const auto* unfit = std::get_if<Unfit>(&made)) return std::string(explain(unfit->finding).word);
  return std::get<std::string>(made);
}

}  // namespace

TEST_CASE("a URL in each family's spelling") {
  const std::string http = "http://10.0.0.1:8480/a/t/d.bin", ftp = "ftp://u:p@10.0.0.2:21/d.bin";
  CHECK(url("uc20", http) == "AT+QFOTADL=\"HTTP://10.0.0.1:8480/a/t/d.bin\"");
  CHECK(url("uc20", ftp, Delivery::ftp) == "AT+QFOTADL=\"FTP://u:p@10.0.0.2:21/d.bin\"");
  CHECK(url("ec2x", http) == "AT+QFOTADL=\"http://10.0.0.1:8480/a/t/d.bin\"");
  CHECK(url("ep06", ftp, Delivery::ftp) == "unsupported_delivery");
  CHECK(url("bg96", http) == "AT+QFOTADL=\"HTTP://10.0.0.1:8480/a/t/d.bin\"");
  CHECK(url("lte-standard-a", http) == "AT+QFOTADL=\"http://10.0.0.1:8480/a/t/d.bin\",1,50");
  CHECK(url("lte-standard-a", "ftp://u:p@10.0.0.2:21/x/d.bin", Delivery::ftp) == "unsupported_delivery");
}

TEST_CASE("the job's own URL stands as it is") {
  CHECK(url("uc20", "hTTp://h/d.bin?s=1", Delivery::url) == "AT+QFOTADL=\"hTTp://h/d.bin?s=1\"");
  CHECK(url("uc20", "https://h:443/d.bin", Delivery::url) == "unsupported_delivery");
}

TEST_CASE("where there is no address nothing is made of it") {
  CHECK(url("uc20", "", Delivery::ftp) == "artifact_unavailable");
  CHECK(url("uc20", "delta.bin", Delivery::url) == "artifact_unavailable");
}

TEST_CASE("255 bytes are taken, 256 are not (guide, chapter 3)") {
  const std::string start = "http://h:80/";
  const auto long_name = [&](std::size_t bytes) { return start + std::string(bytes - start.size(), 'x'); };
  CHECK(url("uc20", long_name(255)).starts_with("AT+QFOTADL=\"HTTP://"));
  CHECK(url("uc20", long_name(256)) == "url_too_long");
}

TEST_CASE("a file in each family's form") {
  CHECK(file("uc20", "UFS:d.bin") == "AT+QFOTADL=\"UFS:d.bin\"");
  CHECK(file("uc20", "d.bin") == "AT+QFOTADL=\"UFS:d.bin\"");
  CHECK(file("ec2x", "UFS:d.bin") == "AT+QFOTADL=\"/data/ufs/d.bin\"");
  CHECK(file("ep06", "/cache/ufs/d.zip") == "AT+QFOTADL=\"/cache/ufs/d.zip\"");
  CHECK(file("bg96", "/fota/update.zip") == "AT+QFOTADL=1");
  CHECK(file("lte-standard-a", "UFS:d.bin") == "unsupported_delivery");
  CHECK(file("uc20", std::string(129, 'x')) == "url_too_long");
  CHECK(command_for_stream(family("lte-standard-a"), 4884688) == "AT+QFOTADL=\"FILE:4884688\",1,50");
}

TEST_CASE("MiniFOTA packages are refused by their name, wherever it stands") {
  CHECK(url("lte-standard-a", "http://h:80/a.mini_1") == "unsupported_package");
  CHECK(url("lte-standard-a", "http://h:80/a.MINI_2?x", Delivery::url) == "unsupported_package");
  CHECK(file("uc20", "UFS:a.mini_1") == "unsupported_package");
}
