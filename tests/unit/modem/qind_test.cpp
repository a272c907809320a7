#include "modem/qind.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace dfota;

namespace {
struct Row {
  std::string line;
  FotaStage stage;
  std::string name;
  std::optional<int> value;
};

void check(const Row& row) {
  CAPTURE(row.line);
  const auto urc = parse_qind(row.line);
  REQUIRE(urc);
  CHECK(static_cast<int>(urc->stage) == static_cast<int>(row.stage));
  CHECK(urc->name == row.name);
  CHECK((urc->value == row.value));
}

const std::vector<Row> kCanonical = {
    {"+QIND: \"FOTA\",\"FTPSTART\"", FotaStage::ftp_start, "FTPSTART", {}},
    {"+QIND: \"FOTA\",\"FTPEND\",625", FotaStage::ftp_end, "FTPEND", 625},
    {"+QIND: \"FOTA\",\"HTTPSTART\"", FotaStage::http_start, "HTTPSTART", {}},
    {"+QIND: \"FOTA\",\"HTTPEND\",0", FotaStage::http_end, "HTTPEND", 0},
    {"+QIND: \"FOTA\",\"HTTPSSTART\"", FotaStage::http_start, "HTTPSSTART", {}},
    {"+QIND: \"FOTA\",\"HTTPSEND\",701", FotaStage::http_end, "HTTPSEND", 701},
    {"+QIND: \"FOTA\",\"FILESTART\"", FotaStage::file_start, "FILESTART", {}},
    {"+QIND: \"FOTA\",\"FILEEND\",500", FotaStage::file_end, "FILEEND", 500},
    {"+QIND: \"FOTA\",\"DOWNLOADING\",37", FotaStage::downloading, "DOWNLOADING", 37},
    {"+QIND: \"FOTA\",\"START\"", FotaStage::start, "START", {}},
    {"+QIND: \"FOTA\",\"UPDATING\",100", FotaStage::updating, "UPDATING", 100},
    {"+QIND: \"FOTA\",\"RESTORE\",1", FotaStage::restore, "RESTORE", 1},
    {"+QIND: \"FOTA\",\"END\",505", FotaStage::end, "END", 505},
};
}  // namespace

TEST_CASE("every stage in its canonical form") {
  for (const Row& row : kCanonical) check(row);
}

TEST_CASE("what modules and clones really print") {
  for (const Row& row : std::vector<Row>{
           {"+QIND: \"FOTA\",\"RESTORE\",1%", FotaStage::restore, "RESTORE", 1},
           {"+QIND: \"FOTA\",\"UPDATING\", 1%", FotaStage::updating, "UPDATING", 1},
           {"+QIND: \"FOTA\",\"DOWNLOADING\", 37 %", FotaStage::downloading, "DOWNLOADING", 37},
           {"  +QIND :  \"FOTA\" , \"END\" , 0  ", FotaStage::end, "END", 0},
           {"+QIND:\"FOTA\",\"END\",0", FotaStage::end, "END", 0},
           {"+QIND: \" FOTA \",\" END \",0", FotaStage::end, "END", 0},
           {"+QIND: \"FOTA\",\"END\",\"0\"", FotaStage::end, "END", 0},
           {"+QIND: \"FOTA\",\"UPDATING\",\"7%\"", FotaStage::updating, "UPDATING", 7},
           {"+QIND: \"FOTA\",\"UPDATING\",\"7\"%", FotaStage::updating, "UPDATING", 7},
           {"+QIND: FOTA,END,0", FotaStage::end, "END", 0},
           {"+qind: \"fota\",\"end\",0", FotaStage::end, "end", 0},
           {"+QIND: \"FOTA\",\"HTTPEND\",-1", FotaStage::http_end, "HTTPEND", -1},
           {"+QIND: \"FOTA\",\"UPDATING\",007", FotaStage::updating, "UPDATING", 7},
           {"+QIND: \"FOTA\",\"UPDATING\",5,100", FotaStage::updating, "UPDATING", 5},
           {"+QIND: \"FOTA\",\"UPDATING\",2147483647", FotaStage::updating, "UPDATING", 2147483647},
       }) {
    check(row);
  }
}

TEST_CASE("a number that is none leaves the stage and no value") {
  for (const std::string rest : {"", ",", ", ", ",x", ",1 3", ",5.5", ",0x10", ",+5", ",-", ",%", ",5%%", ",\"5",
                                 ",0junk", ",2147483648", ",-99999999999999999999", ",\"\""}) {
    check({"+QIND: \"FOTA\",\"END\"" + rest, FotaStage::end, "END", {}});
  }
}

TEST_CASE("stages that are not known keep their name, commas included") {
  const std::string unfinished = "Last upgrade was not finished,continue upgrade";
  check({"+QIND: \"FOTA\",\"" + unfinished + "\"", FotaStage::unknown, unfinished, {}});
  check({"+QIND: \"FOTA\",\"FAIL\"", FotaStage::unknown, "FAIL", {}});
  check({"+QIND: \"FOTA\",\"VERIFIED\",3", FotaStage::unknown, "VERIFIED", 3});
  check({"+QIND: \"FOTA\",\"ENDING\",0", FotaStage::unknown, "ENDING", 0});
  check({"+QIND: \"FOTA\",\"END\"x,0", FotaStage::unknown, "END", {}});
  check({"+QIND: \"FOTA\",\"\"", FotaStage::unknown, "", {}});
  check({"+QIND: \"FOTA\"", FotaStage::unknown, "", {}});
}

TEST_CASE("a message cut off at any byte never becomes a known stage that it was not") {
  for (const Row& row : kCanonical) {
    const std::size_t stage_end = row.line.find('"', row.line.find(row.name)) + 1;
    for (std::size_t size = 0; size < row.line.size(); ++size) {
      const auto urc = parse_qind(row.line.substr(0, size));
      CAPTURE(row.line.substr(0, size));
      if (!urc) continue;
      CHECK((urc->stage == (size < stage_end ? FotaStage::unknown : row.stage)));
    }
  }
}

TEST_CASE("what is no +QIND of FOTA is nothing") {
  for (const std::string line :
       {"", "+", "+QIND", "+QIND:", "+QIND: ", "+QIND: SMS DONE", "+QIND: PB DONE", "+QIND: \"csq\",16,99",
        "+QIND: \"ABFOTA\",\"update\",100", "+QIND: \"FOTA", "+QIND: \"FOT", "+QIND: \"FOTAX\",\"END\",0",
        "+QIND: ,\"FOTA\"", "+QINDX: \"FOTA\",\"END\",0", "QIND: \"FOTA\",\"END\",0", "x+QIND: \"FOTA\",\"END\",0",
        "OK", "RDY"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_qind(line));
  }
}

TEST_CASE("the URCs that say the module has booted") {
  for (const std::string line : {"RDY", "APP RDY", " RDY ", "+CPIN: READY", "+CPIN: SIM PIN", "+CPIN: NOT INSERTED"}) {
    CAPTURE(line);
    CHECK(is_boot_urc(line));
  }
  for (const std::string line : {"", "NOT RDY", "RDYX", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE",
                                 "+QIND: \"FOTA\",\"END\",0", "+CPIN?", "POWERED DOWN", "OK"}) {
    CAPTURE(line);
    CHECK_FALSE(is_boot_urc(line));
  }
}
