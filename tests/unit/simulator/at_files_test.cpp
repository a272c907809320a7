#include "modem/simulator/at_files.hpp"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;

namespace {

struct Fixture {
  Fixture() {
    settings.cmee = 1;
    subject.files = &files;
  }
  AtAnswer ask(std::string_view command) {
    const auto found = answer_files(command, behaviour, settings, subject);
    REQUIRE(found);
    return *found;
  }
  std::string say(std::string_view command) { return ask(command).text; }
  test::TempDir dir;
  FileSystem files{dir / "m0.ufs", 5000};
  Behaviour behaviour;
  AtSettings settings;
  AtSubject subject;
};

const std::string kOk = "\r\nOK\r\n";

std::string cme(int code) {
  return "\r\n+CME ERROR: " + std::to_string(code) + "\r\n";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "room") {
  CHECK(say("AT+QFLDS=\"UFS\"") == "\r\n+QFLDS: 5000,5000\r\n" + kOk);
  REQUIRE(files.write("d.bin", std::string(1208, 'x')).ok());
  CHECK(say("at+qflds=\"ufs\"") == "\r\n+QFLDS: 3792,5000\r\n" + kOk);
  CHECK(say("AT+QFLDS") == "\r\n+QFLDS: 3792,5000\r\n" + kOk);
}

TEST_CASE_FIXTURE(Fixture, "the list") {
  CHECK(say("AT+QFLST") == kOk);
  CHECK(say("AT+QFLST=\"UFS:d.bin\"") == kOk);
  REQUIRE(files.write("d.bin", "123").ok());
  REQUIRE(files.write("e.bin", "1").ok());
  const std::string both = "\r\n+QFLST: \"UFS:d.bin\",3\r\n+QFLST: \"UFS:e.bin\",1\r\n" + kOk;
  CHECK(say("AT+QFLST") == both);
  CHECK(say("AT+QFLST=\"*\"") == both);
  CHECK(say("AT+QFLST=\"UFS:*.bin\"") == both);
  CHECK(say("AT+QFLST=\"ufs:e.bin\"") == "\r\n+QFLST: \"UFS:e.bin\",1\r\n" + kOk);
  behaviour.qflst_bare = true;
  CHECK(say("AT+QFLST=\"UFS:d.bin\"") == "\r\n+QFLST: \"d.bin\",3\r\n" + kOk);
}

TEST_CASE_FIXTURE(Fixture, "what is deleted is gone, and what is not there is an error") {
  for (const auto* name : {"a", "b", "c"}) REQUIRE(files.write(name, "1").ok());
  CHECK(say("AT+QFDEL=\"UFS:a\"") == kOk);
  CHECK_FALSE(files.has("a"));
  CHECK(say("AT+QFDEL=\"UFS:a\"") == cme(405));
  CHECK(say("AT+QFDEL=\"*\"") == kOk);
  CHECK(files.free_bytes() == 5000);
  CHECK(say("AT+QFDEL=\"*\"") == kOk);
  CHECK(say("AT+QFDEL=") == cme(400));
  settings.cmee = 2;
  CHECK(say("AT+QFDEL=\"UFS:a\"") == "\r\n+CME ERROR: file not found\r\n");
  settings.cmee = 0;
  CHECK(say("AT+QFDEL=\"UFS:a\"") == "\r\nERROR\r\n");
}

TEST_CASE_FIXTURE(Fixture, "an upload that is accepted") {
  const auto full = ask("AT+QFUPL=\"UFS:d.bin\",1208,20,1");
  CHECK(full.text == "\r\nCONNECT\r\n");
  REQUIRE(full.upload);
  CHECK(full.upload->name == "d.bin");
  CHECK(full.upload->size_bytes == 1208);
  CHECK(full.upload->timeout_s == 20);
  CHECK(full.upload->acknowledged);
  const auto shortest = ask("at+qfupl=\"d.bin\",5000");
  REQUIRE(shortest.upload);
  CHECK(shortest.upload->timeout_s == 5);
  CHECK_FALSE(shortest.upload->acknowledged);
}

TEST_CASE_FIXTURE(Fixture, "an upload that is not") {
  struct Bad {
    std::string command;
    int code;
  };
  REQUIRE(files.write("old", "1234").ok());
  const Bad table[] = {{"AT+QFUPL=\"UFS:old\",10", 407},
                       {"AT+QFUPL=\"UFS:d\",4997", 420},
                       {"AT+QFUPL=\"UFS:d\"", 420},  // 10,240 when nothing is said
                       {"AT+QFUPL=\"UFS:a/b\",10", 406},
                       {"AT+QFUPL=\"UFS:\",10", 406},
                       {"AT+QFUPL=\"RAM:d\",10", 406},
                       {"AT+QFUPL=\"" + std::string(81, 'd') + "\",10", 406},
                       {"AT+QFUPL=\"UFS:d\",0", 400},
                       {"AT+QFUPL=\"UFS:d\",x", 400},
                       {"AT+QFUPL=\"UFS:d\",10,0", 400},
                       {"AT+QFUPL=\"UFS:d\",10,65536", 400},
                       {"AT+QFUPL=\"UFS:d\",10,5,2", 400},
                       {"AT+QFUPL=\"UFS:d\",10,5,1,1", 400},
                       {"AT+QFUPL=", 400}};
  for (const auto& bad : table) {
    const auto refused = ask(bad.command);
    CHECK_MESSAGE(refused.text == cme(bad.code), bad.command);
    CHECK_FALSE(refused.upload);
  }
  subject.busy = true;
  CHECK(say("AT+QFUPL=\"UFS:d\",10") == cme(3));
}

TEST_CASE_FIXTURE(Fixture, "commands of others") {
  CHECK_FALSE(answer_files("AT+QFOTADL=\"UFS:d\"", behaviour, settings, subject));
  subject.files = nullptr;
  CHECK_FALSE(answer_files("AT+QFLDS", behaviour, settings, subject));
}
