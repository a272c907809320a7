#include "modem/simulator/fota_order.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace dfota::sim;

namespace {

std::variant<FotaOrder, int> order(const std::string& model, const std::string& arguments,
                                   const std::string& version = "V") {
  const auto loaded = load_profiles(DFOTA_SOURCE_DIR "/tests/support/profiles");
  return take_order(Family::of(std::get<Profiles>(loaded), model), model, version, arguments);
}

bool taken(const std::string& model, const std::string& arguments) {
  return std::holds_alternative<FotaOrder>(order(model, arguments));
}

FotaOrder order_of(const std::string& model, const std::string& arguments) {
  const auto result = order(model, arguments);
  REQUIRE(std::holds_alternative<FotaOrder>(result));
  return std::get<FotaOrder>(result);
}

int refusal(const std::string& model, const std::string& arguments, const std::string& version = "V") {
  const auto result = order(model, arguments, version);
  return std::holds_alternative<int>(result) ? std::get<int>(result) : 0;
}

const std::string kUrl = "\"http://h:80/d.bin\"";
const std::string kFtp = "\"ftp://u:p@h:21/d.bin\"";

}  // namespace

TEST_CASE("what stands behind the equals sign, apart") {
  const auto both = split_arguments("\"http://h:80/a,b\",1,50");
  CHECK(both.quoted);
  CHECK(both.address == "http://h:80/a,b");
  CHECK(both.parameters == ",1,50");
  CHECK(split_arguments("1").address == "1");
  for (const auto* unquoted : {"", "1", "\"", "\"cut"}) CHECK_FALSE(split_arguments(unquoted).quoted);
  CHECK(split_arguments("\"\"").quoted);
}

TEST_CASE("schemes, by the family") {
  for (const auto* model : {"UC20", "EC25", "EG18", "BG96", "EC200A", "ZZ9", "NOBODY"}) CHECK(taken(model, kUrl));
  for (const auto* model : {"UC20", "EC25", "EC200A"}) CHECK(taken(model, kFtp));
  for (const auto* model : {"EG18", "BG96", "ZZ9"}) CHECK(refusal(model, kFtp) == 50);
  CHECK(refusal("EC25", "\"https://h:443/d\"") == 3);
  CHECK(refusal("UC20", "\"gopher://h:1/d\"") == 3);
  CHECK(refusal("UC20", "\"http://h/d\"") == 3);
}

TEST_CASE("the length of a URL, by the family") {
  const auto url = [](size_t bytes) { return "\"http://h:80/" + std::string(bytes - 12, 'a') + "\""; };
  CHECK(taken("UC20", url(255)));
  CHECK_FALSE(taken("UC20", url(256)));
  CHECK(taken("ZZ9", url(200)));
  CHECK(refusal("ZZ9", url(201)) == 50);
}

TEST_CASE("local forms, by the family") {
  const struct {
    const char *model, *right;
  } rows[] = {{"UC20", "\"UFS:d\""}, {"EC25", "\"/data/ufs/d\""},  {"EG18", "\"/cache/ufs/d\""},
              {"BG96", "1"},         {"EC200A", "\"FILE:20000\""}, {"ZZ9", "\"/ufs0/d\""}};
  for (const auto& row : rows) {
    for (const auto& other : rows) {
      INFO(row.model << " " << other.right);
      CHECK(taken(row.model, other.right) == (std::string_view(row.right) == other.right));
    }
  }
  CHECK(order_of("UC20", "\"ufs:d.bin\"").target.file == "d.bin");
  CHECK(order_of("ZZ9", "\"/ufs0/d.bin\"").target.file == "d.bin");
  CHECK(order_of("ZZ9", "\"/ufs0/d.bin\"").target.delivery == Delivery::ufs);
  CHECK(order_of("BG96", "1").target.delivery == Delivery::efs);
  CHECK(order_of("EC200A", "\"FILE:20000\",1,50").target.length == 20000);
}

TEST_CASE("parameters, where a family has some") {
  for (const auto* right : {"", ",0", ",1", ",1,0", ",1,5", ",1,100", ",1,50,100", ",0,0,0"}) {
    CAPTURE(right);
    CHECK(taken("EC200A", kUrl + right));
  }
  for (const auto* wrong :
       {",", ",2", ",1,", ",1,4", ",1,101", ",1,50,101", ",1,50,100,1", ",x", "1", ",1 ", ",-1", ",1;"}) {
    CAPTURE(wrong);
    CHECK(refusal("EC200A", kUrl + wrong) == 50);
  }
  for (const auto* model : {"UC20", "EC25", "EG18", "BG96"}) CHECK(refusal(model, kUrl + ",1,50") == 50);
  CHECK(order_of("EC200A", kUrl).downloading_urcs == 50);
  CHECK(order_of("EC200A", kUrl + ",1,20").downloading_urcs == 20);
  CHECK(order_of("EC200A", kUrl + ",1,0").downloading_urcs == 0);
  CHECK(order_of("ZZ9", kUrl).downloading_urcs == 20);
  CHECK(order_of("UC20", kUrl).downloading_urcs == 0);
}

TEST_CASE("AT+QFOTADL=? tells of parameters where there are some") {
  CHECK(order_help(Family::of(builtin_profiles(), "EC200A")) == "+QFOTADL: <url>,(0,1),(0,5-100),(0,5-100)");
  CHECK(order_help(Family::of(builtin_profiles(), "EC25")).empty());
}

TEST_CASE("a part with little flash takes .mini_1 and nothing else") {
  const std::string small = "EC800KCNLCR01A03M08";
  CHECK(refusal("EC800K", kUrl, small) == 50);
  CHECK(refusal("EC800K", "\"FILE:20000\"", small) == 50);
  CHECK(refusal("EC800K", "\"http://h:80/d.mini_2\"", small) == 50);
  CHECK(refusal("EC800K", "\"http://h:80/d.mini_1\"", small) == 0);
  CHECK(refusal("EC800K", kUrl, "EC800KCNLCR01A03M16") == 0);
  CHECK(refusal("EC200A", kUrl, "EC200ACNHAR01A02M08") == 0);
}
