#include "modem/update_procedure.hpp"

#include <doctest/doctest.h>

#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("the guide's own transcript of section 3.2 ends in succeeded") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
  CHECK(f.env.was_asked("download_over"));
  f.module.unplug();
  f.module.settle();
  f.step(200ms);
  f.module.plug();
  f.step(200ms);
  f.module.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  for (int n = 1; n <= 100; ++n) f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\"," + std::to_string(n) + "\r\n");
  f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n");
  f.module.say("\r\nRDY\r\n");
  CHECK(f.module.unread().empty());
  f.step(seconds(f.timeouts.listen));
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->version == kTo);
  CHECK(f.result->attempts == 1);
  CHECK(f.result->warnings.empty());
  CHECK(f.env.errors.empty());
  for (const auto phase : {Phase::preparing, Phase::downloading, Phase::rebooting, Phase::updating, Phase::verifying}) {
    CHECK_MESSAGE(f.env.reported(phase), to_word(phase));
  }
  for (std::size_t i = 1; i < f.env.reports.size(); ++i) {
    CHECK(f.env.reports[i].overall_percent >= f.env.reports[i - 1].overall_percent);
  }
}

TEST_CASE("each step is journalled before it is taken (law 2)") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  f.module.say("\r\nOK\r\n");
  f.env.state.requests = 1;
  f.env.state.last_byte_wanted = true;
  f.changed.notify();
  f.module.settle();
  CHECK(place(f.env.asked, "commit released 1") + 1 == place(f.env.asked, "release"));
}

TEST_CASE("what the journal cannot take is not done") {
  UpdateFixture f;
  SUBCASE("before the command") {
    f.begin();
    f.env.commit_fails = true;
    f.greet();
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.module.unread().empty());
  }
  SUBCASE("before the last byte: the download is cut, and the attempt is over") {
    f.begin();
    f.greet();
    f.expect_command();
    f.module.say("\r\nOK\r\n");
    f.env.commit_fails = true;
    f.env.state.requests = 1;
    f.env.state.last_byte_wanted = true;
    f.changed.notify();
    CHECK(f.outcome() == Outcome::failed);
    CHECK_FALSE(f.env.was_asked("release"));
    CHECK(f.env.was_asked("void"));
  }
  CHECK(f.env.errors.back().name == "journal_unavailable");
}

TEST_CASE("a port that goes while the journal is written: nothing was sent, and it begins anew at no cost") {
  UpdateFixture f;
  f.env.commit_waits = true;
  f.begin();
  f.greet();
  f.module.unplug();
  f.module.settle();
  f.env.commit_waits = false;
  f.step(1ms);
  CHECK(f.env.was_asked("void"));
  CHECK(f.env.was_asked("commit preparing 0"));
  CHECK(f.env.asked.back() == "slot_over");
  f.module.plug();
  f.step(200ms);
  f.greet();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  CHECK(f.env.errors.empty());
}

TEST_CASE("what the module says of itself decides before any command") {
  UpdateFixture f;
  SUBCASE("another base is rejected") {
    f.begin();
    f.greet("UC20GQBR03A10E1G");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "base_mismatch");
    CHECK(f.result->version == "UC20GQBR03A10E1G");
  }
  SUBCASE("the target is skipped") {
    f.begin();
    f.greet(kTo);
    CHECK(f.outcome() == Outcome::skipped);
    CHECK(f.env.errors.empty());
  }
  SUBCASE("another module in its place is rejected") {
    f.order.imei = "861234567890999";
    f.begin();
    f.greet();
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "module_changed");
  }
  SUBCASE("two ports of one module never become two updates") {
    f.env.duplicate_imei = true;
    f.begin();
    f.greet();
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "duplicate_imei");
  }
  SUBCASE("an IMEI with a wrong check digit names nothing") {
    f.begin();
    f.greet(kFrom, "861234567890123");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "identity_invalid");
  }
  CHECK(f.env.tokens.empty());
  CHECK(f.module.unread().empty());
}

TEST_CASE("a model of no known family is rejected") {
  UpdateFixture f;
  f.begin();
  f.step(3s);
  f.module.expect("AT", "\r\nOK\r\n");
  f.module.expect("ATE0", "\r\nOK\r\n");
  f.module.expect("AT+CMEE=1", "\r\nOK\r\n");
  f.module.expect("ATI", "\r\nQuectel\r\nM66\r\nRevision: M66FAR01A12\r\n\r\nOK\r\n");
  f.module.expect("AT+GSN", "\r\n" + std::string(kImei) + "\r\n\r\nOK\r\n");
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "model_mismatch");
}

TEST_CASE("a port that does not come is rejected as absent, after timeouts.absent") {
  UpdateFixture f;
  f.module.unplug();
  f.begin();
  f.step(59s);
  CHECK_FALSE(f.result);
  f.step(2s);
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "absent");
  CHECK_FALSE(f.env.was_asked("take_slot"));
}

TEST_CASE("FOTA heard after the opening means hands off (law 4)") {
  UpdateFixture f;
  f.begin();
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "module_updating");
  CHECK(f.module.unread().empty());
}

TEST_CASE("a module that does not answer AT is rejected") {
  UpdateFixture f;
  f.begin();
  f.step(3s);
  for (int i = 0; i < Dialogue::kSynchroniseTries; ++i) {
    CHECK(f.module.next_command() == "AT");
    f.step(Dialogue::kAnswerLimit);
  }
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "no_answer");
}

TEST_CASE("the PDP context is set where it is configured (guide, section 3.2)") {
  UpdateFixture f;
  f.order.pdp = PdpConfig();
  f.order.pdp->apn = "UNINET";
  f.order.pdp->auth = 1;
  f.begin();
  f.greet();
  f.module.expect("AT+QICSGP=1,1,\"UNINET\",\"\",\"\",1", "\r\nOK\r\n");
  SUBCASE("and the command follows") {
    f.module.expect("AT+QCFG=\"fota/cid\",1", "\r\nOK\r\n");
    f.answer_network();
    f.expect_command();
  }
  SUBCASE("its refusal is told, and nothing is commanded") {
    f.module.expect("AT+QCFG=\"fota/cid\",1", "\r\n+CME ERROR: 50\r\n");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "at_error");
    CHECK(f.env.tokens.empty());
  }
}

TEST_CASE("a refusal of the command ends the attempt") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  SUBCASE("ERROR") {
    f.module.say("\r\nERROR\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().name == "at_error");
  }
  SUBCASE("+CME ERROR") {
    f.module.say("\r\n+CME ERROR: 3\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().number == 3);
    CHECK(f.env.errors.back().source == "command");
  }
  CHECK(f.env.was_asked("void"));
  CHECK(f.env.errors.size() == 1);
}

TEST_CASE("HTTPEND other than 0 ends the attempt with the module's code") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",716\r\n");
  CHECK(f.outcome() == Outcome::failed);
  REQUIRE(f.env.errors.size() == 1);
  CHECK(f.env.errors[0].number == 716);
  CHECK(f.env.errors[0].source == "http");
  CHECK(f.env.errors[0].meaning == "HTTP socket connect error");
  CHECK(f.env.errors[0].message.find("not_reachable") != std::string::npos);
}

TEST_CASE(
    "no HTTPSTART: after timeouts.start the token is void, and only then another attempt is made, with another token") {
  UpdateFixture f;
  f.order.attempts = 2;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n");
  f.step(89s);
  CHECK_FALSE(f.env.was_asked("void"));
  f.step(2s);
  CHECK(f.env.was_asked("void"));
  f.step(3s);  // heard out
  REQUIRE(f.env.errors.size() == 1);
  CHECK(f.env.errors[0].name == "start_timeout");
  f.step(10s);
  f.greet_again();
  f.expect_command();
  REQUIRE(f.env.tokens.size() == 2);
  CHECK(f.env.tokens[0] != f.env.tokens[1]);
  f.module.say("\r\nOK\r\n");
  f.step(91s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.result->attempts == 2);
  CHECK(f.env.errors.size() == 2);
}

TEST_CASE("FOTA heard in the pause before the next attempt is somebody else's: hands off") {
  UpdateFixture f;
  f.order.attempts = 2;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",703\r\n");
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",1\r\n");
  f.step(20s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_updating");
  CHECK(f.module.unread().empty());
}

TEST_CASE("HTTPSTART without a request is not_reachable") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.step(91s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "not_reachable");
}

TEST_CASE("a restart of the module in mid-download voids the token") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.env.state.requests = 1;
  f.module.say("\r\nRDY\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_reset");
  CHECK(f.env.was_asked("void"));
}

TEST_CASE("it says that it has everything, and the journal fails: it is told again, until a restart would know it") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n");
  f.env.commit_fails = true;
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
  f.step(6s);
  CHECK_FALSE(f.env.was_asked("commit released 1"));
  f.env.commit_fails = false;
  f.step(6s);
  CHECK(f.env.was_asked("commit released 1"));
}

TEST_CASE("after a restart") {
  UpdateFixture f;
  Checkpoint entry;
  entry.attempt = 1;
  entry.token = "00112233445566778899aabbccddeeff";
  SUBCASE("a module whose last byte was released is listened to, not spoken to") {
    entry.step = Step::released;
    f.begin(entry);
    f.step(200ms);
    f.step(290s);
    CHECK(f.module.unread().empty());
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
    f.step(3s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    // It may not have left: the module can still come for the rest of its file.
    CHECK(f.env.tokens == std::vector<std::string>{entry.token});
    CHECK(f.env.state.released);
  }
  SUBCASE("long after its time, one whose port comes later than we do is asked once before it is lost") {
    entry.step = Step::released;
    entry.age = std::chrono::hours(2);
    f.module.unplug();
    f.begin(entry);
    f.step(2 * seconds(f.timeouts.listen));
    f.module.plug();
    f.step(200ms);
    f.step(seconds(f.timeouts.progress_gap));
    f.module.expect("AT", "\r\nOK\r\n");
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
  }
  SUBCASE("one that asks for its file again goes on with it") {
    entry.step = Step::commanded;
    f.begin(entry);
    REQUIRE(f.env.tokens == std::vector<std::string>{entry.token});
    f.env.state.requests = 1;
    f.changed.notify();
    f.module.settle();
    f.step(200ms);
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",716\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.tokens.size() == 1);
  }
  SUBCASE("one that does not is cut off, and the attempt is made again at no cost") {
    entry.step = Step::commanded;
    f.begin(entry);
    f.step(3s);
    CHECK(f.env.was_asked("void"));
    f.greet_again();
    f.expect_command();
    CHECK(f.env.was_asked("commit commanded 1"));
    CHECK(f.env.errors.empty());
  }
}
