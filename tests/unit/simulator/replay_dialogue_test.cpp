// Which recorded command a command is, what was answered to it, and when a recorded module is not to be spoken to.
#include "modem/simulator/replay_dialogue.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace dfota::sim;

namespace {

using Kind = ReplayEvent::Kind;

struct Recording {
  Recording& add(Kind kind, const std::string& text = "") {
    script.events.push_back({static_cast<double>(script.events.size()), kind, text});
    return *this;
  }
  /// A command and its answer; without one it stayed unanswered.
  Recording& ask(const std::string& command, std::initializer_list<const char*> answer) {
    add(Kind::command, command);
    for (const auto* line : answer) add(line == *(answer.end() - 1) ? Kind::final : Kind::line, line);
    return *this;
  }
  Recording& fota(const std::string& stage) { return add(Kind::urc, "+QIND: \"FOTA\"," + stage); }
  ReplayScript script;
};

/// An update from A to B that succeeds.
ReplayScript success() {
  Recording r;
  r.script.from = "A";
  r.script.to = "B";
  r.ask("AT", {"OK"})                                         // 0
      .ask("ATI", {"Quectel", "UC20", "Revision: A", "OK"})   // 2
      .ask("AT+CREG?", {"+CREG: 0,2", "OK"})                  // 7
      .ask("AT+CREG?", {"+CREG: 0,1", "OK"})                  // 10
      .ask("AT+QFOTADL=\"HTTP://h:1/a/***/d\"", {"OK"})       // 13
      .fota("\"HTTPSTART\"")                                  // 15
      .add(Kind::file)                                        // 16
      .fota("\"HTTPEND\",0")                                  // 17
      .add(Kind::closed)                                      // 18
      .add(Kind::open)                                        // 19
      .fota("\"UPDATING\",50")                                // 20
      .ask("AT", {})                                          // 21
      .fota("\"END\",0")                                      // 22
      .add(Kind::urc, "RDY")                                  // 23
      .add(Kind::urc, "+CPIN: READY")                         // 24
      .ask("AT", {"OK"})                                      // 25
      .ask("ATI", {"Quectel", "UC20", "Revision: B", "OK"});  // 27
  r.script.outcome = "succeeded";
  return r.script;
}

}  // namespace

TEST_CASE("the stages of all families") {
  CHECK(replay_stage("+QIND: \"FOTA\",\"HTTPSTART\"") == ReplayStage::start_of_transfer);
  CHECK(replay_stage("+QIND: \"FOTA\",\"FILESTART\"") == ReplayStage::start_of_transfer);
  CHECK(replay_stage("+QIND: \"FOTA\",\"HTTPSEND\",0") == ReplayStage::transferred);
  CHECK(replay_stage("+QIND: \"FOTA\",\"FTPEND\",625") == ReplayStage::transfer_failed);
  CHECK(replay_stage("+QIND:\"FOTA\",\"HTTPEND\"") == ReplayStage::transfer_failed);
  CHECK(replay_stage("+QIND: \"FOTA\",\"START\"") == ReplayStage::flashing);
  CHECK(replay_stage("+QIND: \"FOTA\",\"RESTORE\",1%") == ReplayStage::flashing);
  CHECK(replay_stage("+QIND: \"FOTA\",\"END\",0") == ReplayStage::ended);
  CHECK(replay_stage("+QIND: \"FOTA\",\"DOWNLOADING\",7") == ReplayStage::other);
  CHECK(replay_stage("RDY") == ReplayStage::booted);
  CHECK(replay_stage("NORMAL POWER DOWN") == ReplayStage::other);
  CHECK(replay_stage("+QIND: SMS DONE") == ReplayStage::none);
  CHECK(replay_stage("+CREG: 1") == ReplayStage::none);
}

TEST_CASE("the same command, whatever is masked in it or is this gateway's own") {
  CHECK(same_command("AT+GSN", "AT+GSN"));
  CHECK_FALSE(same_command("AT+GSN", "at+gsn"));
  CHECK_FALSE(same_command("AT", "AT+GSN"));
  CHECK(same_command("AT+QICSGP=1,1,\"apn\",\"***\",\"***\",1", "AT+QICSGP=1,1,\"apn\",\"user\",\"word\",1"));
  CHECK_FALSE(same_command("AT+QICSGP=1,1,\"apn\",\"***\",\"***\",1", "AT+QICSGP=1,1,\"other\",\"user\",\"word\",1"));
  const std::string http = "AT+QFOTADL=\"HTTP://10.0.0.1:80/a/***/d\"";
  CHECK(same_command(http, "AT+QFOTADL=\"http://[::1]:9/a/0f/e.bin\",1,50"));
  CHECK_FALSE(same_command(http, "AT+QFOTADL=\"FTP://u:p@h/d\""));
  CHECK_FALSE(same_command(http, "AT+QFOTADL=\"UFS:d\""));
  CHECK_FALSE(same_command(http, "AT+QFOTADL=\"FILE:20000\""));
  CHECK(same_command("AT+QFOTADL=\"FILE:20000\",1,50", "AT+QFOTADL=\"FILE:7\",1,50"));
  CHECK(same_command("AT+QFUPL=\"UFS:d\",1000,5,1", "AT+QFUPL=\"UFS:d\",7,5,1"));
  CHECK_FALSE(same_command("AT+QFUPL=\"UFS:d\",1000,5,1", "AT+QFUPL=\"UFS:e\",1000,5,1"));
  CHECK(declared_size("AT+QFUPL=\"UFS:d\",1000,5,1") == 1000);
  CHECK(declared_size("AT+QFOTADL=\"FILE:20000\",1,50") == 20000);
  CHECK(declared_size("AT+GSN") == 0);
}

TEST_CASE("a command is the next one like it, with nothing but talk before it") {
  const auto script = success();
  const ReplayDialogue dialogue(script);
  CHECK(dialogue.find(0, "AT") == 0);
  CHECK(dialogue.find(0, "ATI") == 2);
  CHECK(dialogue.find(2, "AT+CREG?") == 7);
  CHECK(dialogue.find(9, "AT+CREG?") == 10);
  CHECK_FALSE(dialogue.find(13, "ATI"));  // behind the update
  CHECK_FALSE(dialogue.find(0, "AT+CSQ"));
  CHECK(dialogue.find(24, "AT") == 25);  // a URC of no weight
  CHECK_FALSE(dialogue.find(23, "AT"));  // it has not booted yet
  CHECK(dialogue.find(0, "AT+QFOTADL=\"HTTP://h:1/x\"") == 13);
  CHECK_FALSE(dialogue.find(14, "AT+QFOTADL=\"HTTP://h:1/x\""));
}

TEST_CASE("before the update a bare AT begins anew; never afterwards") {
  const auto script = success();
  const ReplayDialogue dialogue(script);
  CHECK(dialogue.find_beginning(13, "AT") == 0);
  CHECK_FALSE(dialogue.find_beginning(13, "ATI"));
  CHECK_FALSE(dialogue.find_beginning(14, "AT"));
  CHECK_FALSE(dialogue.find_beginning(31, "AT"));
}

TEST_CASE("a command out of its turn has the last answer before, else the first one later") {
  const auto script = success();
  const ReplayDialogue dialogue(script);
  CHECK(dialogue.find_nearest(16, "AT+CREG?") == 10);
  CHECK(dialogue.find_nearest(0, "AT+CREG?") == 7);
  CHECK(dialogue.find_nearest(16, "ATI") == 2);
  CHECK(dialogue.find_nearest(32, "ATI") == 27);
  CHECK(dialogue.find_nearest(32, "AT") == 25);  // not the one that nobody answered
  CHECK_FALSE(dialogue.find_nearest(0, "AT+CSQ"));
  CHECK(dialogue.answer(2) == std::vector<std::size_t>{3, 4, 5, 6});
  CHECK(dialogue.answer(21).empty());
}

TEST_CASE("it is silent from HTTPEND,0 until it was heard to answer") {
  const auto script = success();
  const ReplayDialogue dialogue(script);
  CHECK_FALSE(dialogue.silent(17));
  for (std::size_t at = 18; at <= 25; ++at) CHECK(dialogue.silent(at));
  CHECK_FALSE(dialogue.silent(26));
  CHECK(dialogue.version(13) == "A");
  CHECK(dialogue.version(27) == "A");
  CHECK(dialogue.version(31) == "B");
  CHECK(dialogue.next_act(20) == 20);
  CHECK(dialogue.next_act(24) == std::nullopt);
  CHECK(dialogue.transfer_end(15) == ReplayStage::transferred);
}

TEST_CASE("from a file of its own it is silent from the OK on; after a refusal it is not") {
  Recording accepted, refused, lost;
  accepted.ask("AT+QFOTADL=\"UFS:d\"", {"OK"}).fota("\"START\"");
  CHECK(ReplayDialogue(accepted.script).silent(2));
  refused.ask("AT+QFOTADL=\"UFS:d\"", {"+CME ERROR: 405"}).ask("AT", {"OK"});
  CHECK_FALSE(ReplayDialogue(refused.script).silent(2));
  lost.ask("AT+QFOTADL=\"HTTP://h:1/d\"", {"OK"}).fota("\"HTTPEND\",0").ask("AT", {}).ask("AT", {});
  CHECK(ReplayDialogue(lost.script).silent(lost.script.events.size()));  // for good
}
