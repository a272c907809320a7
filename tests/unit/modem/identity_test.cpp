#include "modem/identity.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using Lines = std::vector<std::string>;

TEST_CASE("an IMEI is 15 digits with a right check digit") {
  CHECK(is_imei("490154203237518"));  // the example of TS 23.003
  CHECK_FALSE(is_imei("490154203237517"));
  CHECK_FALSE(is_imei("49015420323751"));
  CHECK_FALSE(is_imei("4901542032375180"));
  CHECK_FALSE(is_imei("49015420323751a"));
  CHECK_FALSE(is_imei(""));
}

TEST_CASE("ATI") {
  const auto identity = parse_ati({"Quectel", "UC20", "Revision: UC20GQBR03A12E1G"});
  REQUIRE(identity);
  CHECK(identity->model == "UC20");
  CHECK(identity->version == "UC20GQBR03A12E1G");
  CHECK(parse_ati({"Quectel_Ltd", "Quectel_BC660K-GL", "Revision: BC660KGLAAR01A05"}));
  for (const auto& bad :
       {Lines{}, Lines{"Quectel", "UC20"}, Lines{"Quectel", "Revision: X"}, Lines{"SIMCOM", "SIM800", "Revision: X"},
        Lines{"Quectel", "UC20", "Revision: "}, Lines{"Quectel", std::string(65, 'U'), "Revision: X"},
        Lines{"Quectel", "UC20", "Revision: " + std::string(65, 'X')}}) {
    CHECK_FALSE(parse_ati(bad));
  }
}

TEST_CASE("AT+GSN, AT+CSQ and AT+CREG?") {
  CHECK(parse_gsn({"490154203237518"}).value() == "490154203237518");
  CHECK_FALSE(parse_gsn({"490154203237517"}));
  CHECK_FALSE(parse_gsn({}));
  CHECK(parse_csq({"+CSQ: 16,99"}) == -81);
  CHECK(parse_csq({"+CSQ: 30, 99"}) == -53);
  CHECK_FALSE(parse_csq({"+CSQ: 99,99"}));
  CHECK_FALSE(parse_csq({}));
  CHECK(parse_creg({"+CREG: 0,1"}) == true);
  CHECK(parse_creg({"+CREG: 0,5"}) == true);
  CHECK(parse_creg({"+CREG: 0,2"}) == false);
  CHECK_FALSE(parse_creg({"+CREG: 1"}));
}
