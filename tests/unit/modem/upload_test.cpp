#include "modem/upload.hpp"

#include <doctest/doctest.h>

#include "tests/support/amazon_root_ca_1.hpp"
#include "tests/support/upload_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

std::string bytes(std::size_t size) {
  std::string all(size, '\0');
  for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>(i * 7 + i / 256);
  return all;
}

}  // namespace

TEST_CASE("an upload: leftover, room, data as it is acknowledged, checksum, size") {
  UploadFixture f;
  f.begin(bytes(5000));
  f.module.expect(kDel, kOk);
  f.module.expect(kLds, "\r\n+QFLDS: 5000,4194304\r\n\r\nOK\r\n");
  f.module.expect(f.upload_command(), "\r\nCONNECT\r\n");
  CHECK(f.take_content() == std::vector<std::size_t>{2048, 3072, 4096});
  CHECK((f.progress == decltype(f.progress){{1024, 5000}, {2048, 5000}, {3072, 5000}}));
  f.module.say("A" + f.received());
  CHECK(f.progress.back().first == 4096);
  CHECK_FALSE(f.result);
  f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin\",5000\r\n\r\nOK\r\n");
  REQUIRE(f.result);
  CHECK(f.result->ok());
  CHECK(f.progress.back() == std::pair<std::uint64_t, std::uint64_t>(5000, 5000));
  CHECK(f.module.unread().empty());
}

TEST_CASE("the file and the checksum of a real module, by a family that leaves UFS: out") {
  UploadFixture f;
  f.begin(amazon_root_ca_1("\r\n"));
  f.to_connect();
  CHECK(f.take_content().empty());
  f.module.say("A\r\n+QFUPL: 1208,5769\r\n\r\nOK\r\n");
  f.module.expect(kLst, "\r\n+QFLST: \"dfota.bin\",1208\r\n\r\nOK\r\n");
  REQUIRE(f.result);
  CHECK(f.result->ok());
}

TEST_CASE("the checksum is a number, however it is written") {
  for (const auto* written : {"0x", "0", "0000", "000000", ""}) {
    const std::string zeros = written;
    CAPTURE(zeros);
    UploadFixture f;
    f.begin(std::string("\x01\xab", 2));
    f.to_connect();
    f.take_content();
    const bool prefixed = zeros == "0x";
    f.module.say("\r\n+QFUPL: 2," + zeros + (zeros == "0" ? "1AB" : "1ab") + "\r\n\r\nOK\r\n");
    if (prefixed) {
      f.fails(Errc::io, "+QFUPL: 2,0x1ab");
    } else {
      f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin\",2\r\n\r\nOK\r\n");
      CHECK(f.result->ok());
    }
  }
}

TEST_CASE("the gateway pauses nowhere beside a +, and +++ is never alone") {
  for (const std::size_t at : {2045, 2046, 2047, 2048, 3069, 3071, 3073, 4092, 4096}) {
    CAPTURE(at);
    UploadFixture f;
    std::string content(5200, 'x');
    content.replace(at, 3, "+++");
    f.begin(content);
    f.to_connect();
    const auto pauses = f.take_content();
    CHECK(pauses.size() >= 2);
    for (const std::size_t pause : pauses) {
      CHECK(content[pause - 1] != '+');
      CHECK(content[pause] != '+');
    }
    f.module.say(f.received());
    f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin\",5200\r\n\r\nOK\r\n");
    CHECK(f.result->ok());
  }
}

TEST_CASE("no room, and what the module says of it") {
  UploadFixture f;
  f.begin(bytes(5000));
  f.module.expect(kDel, kAbsent);
  SUBCASE("by AT+QFLDS") {
    f.module.expect(kLds, "\r\n+QFLDS: 4999,4194304\r\n\r\nOK\r\n");
    f.fails(Errc::no_space, "4999");
  }
  SUBCASE("by AT+QFUPL") {
    f.module.expect(kLds, "\r\n+QFLDS: 5000,4194304\r\n\r\nOK\r\n");
    f.module.expect(f.upload_command(), "\r\n+CME ERROR: 403\r\n");
    f.fails(Errc::no_space, "+CME ERROR: 403");
  }
  SUBCASE("in the middle of the data") {
    f.module.expect(kLds, "\r\n+QFLDS: 5000,4194304\r\n\r\nOK\r\n");
    f.module.expect(f.upload_command(), "\r\nCONNECT\r\n");
    f.module.take_data(2048);
    f.module.say("A\r\n+CME ERROR: 420\r\n");
    f.fails(Errc::no_space, "1024 of 5000 bytes were acknowledged");
  }
  SUBCASE("an answer without a number") {
    f.module.expect(kLds, kOk);
    f.fails(Errc::io, "AT+QFLDS");
  }
  SUBCASE("a refusal") {
    f.module.expect(kLds, "\r\nERROR\r\n");
    f.fails(Errc::io, "was answered by ERROR");
  }
}

TEST_CASE("what the module has is not what was sent") {
  UploadFixture f;
  f.begin(bytes(3000));
  f.to_connect();
  f.take_content();
  SUBCASE("other size") {
    f.module.say("\r\n+QFUPL: 2999," + hex(f.checksum()) + "\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "2999");
  }
  SUBCASE("other checksum") {
    f.module.say("\r\n+QFUPL: 3000," + hex(f.checksum() ^ 1) + "\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "checksum");
  }
  SUBCASE("the low 16 bits of a larger number are not the checksum") {
    f.module.say("\r\n+QFUPL: 3000," + hex(f.checksum() | 0x10000) + "\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "checksum");
  }
  SUBCASE("no verdict") {
    f.module.say(kOk);
    f.fails(Errc::io, "+QFUPL");
  }
  SUBCASE("a verdict without numbers") {
    f.module.say("\r\n+QFUPL: a,b\r\n\r\nOK\r\n");
    f.fails(Errc::io, "+QFUPL: a,b");
  }
  SUBCASE("other size in the list") {
    f.module.say(f.received());
    f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin\",2999\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "AT+QFLST");
  }
  SUBCASE("not in the list") {
    f.module.say(f.received());
    f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin2\",3000\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "AT+QFLST");
  }
}

TEST_CASE("broken in the middle: how much was acknowledged is told, and nothing is written any more") {
  UploadFixture f;
  f.begin(bytes(9000));
  f.to_connect();
  f.module.take_data(2048);
  f.module.say("A");
  f.module.take_data(1024);
  f.module.say("A");
  f.module.take_data(1024);
  SUBCASE("no acknowledgement") {
    f.clock.advance(kUploadAckLimit);
    f.module.settle();
    f.fails(Errc::timeout, "2048 of 9000 bytes were acknowledged");
  }
  SUBCASE("the module's own time-out") {
    f.module.say("\r\n+CME ERROR: 421\r\n");
    f.fails(Errc::io, "+CME ERROR: 421; 2048 of 9000 bytes were acknowledged");
  }
  SUBCASE("a part of it kept") {
    f.module.say("\r\n+QFUPL: 4096,0\r\n\r\nOK\r\n");
    f.fails(Errc::mismatch, "2048 of 9000 bytes were acknowledged");
  }
  SUBCASE("a restart") {
    f.module.say("\r\nRDY\r\n");
    f.fails(Errc::link_lost, "restarted in the middle of the data; 2048 of 9000");
  }
  SUBCASE("FOTA, by somebody else: the table says no") {
    f.module.say(std::string(kFotaStart) + "A");
    f.fails(Errc::refused, "3072 of 9000");
  }
  SUBCASE("a hang-up") {
    f.module.unplug();
    REQUIRE(f.module.run_until([&] { return f.result.has_value(); }));
    CHECK(f.result->error().code == Errc::link_lost);
    CHECK(f.result->error().message.find("2048 of 9000 bytes were acknowledged") != std::string::npos);
  }
}

TEST_CASE("the file shrinks under the upload: the data ends") {
  UploadFixture f;
  f.begin(bytes(100000));
  f.to_connect();
  f.module.take_data(2048);
  std::filesystem::resize_file(f.order.file, 30000);
  for (int block = 0; block < 60 && !f.result; ++block) {
    f.module.say("A");
    f.module.take_data(0);
  }
  f.fails(Errc::io, "shorter");
}

TEST_CASE("in danger nothing is written: not the command, not a question about a file") {
  UploadFixture f;
  f.danger.step = Step::released;
  SUBCASE("upload") {
    f.begin(bytes(100));
  }
  SUBCASE("remove") {
    f.spawn(f.remove());
  }
  SUBCASE("size") {
    f.spawn(f.ask_size(kName));
    REQUIRE(f.size);
    f.result = Result<void>(f.size->error());
  }
  f.fails(Errc::refused);
}

TEST_CASE("FOTA that is heard between the room and the upload: AT+QFUPL is not written") {
  UploadFixture f;
  f.begin(bytes(100));
  f.module.expect(kDel, kAbsent);
  f.module.expect(kLds, "\r\n+QFLDS: 2097152,4194304\r\n\r\nOK\r\n" + std::string(kFotaStart));
  f.fails(Errc::refused, "AT+QFUPL");
}

TEST_CASE("what is no file and no name is refused before anything is written") {
  UploadFixture f;
  Errc code = Errc::invalid;
  f.content = "x";
  SUBCASE("a quote") {
    f.order.name = "UFS:a\"b";
  }
  SUBCASE("a line end") {
    f.order.name = "UFS:a\rAT+QPOWD=1";
  }
  SUBCASE("empty") {
    f.order.name.clear();
  }
  SUBCASE("81 bytes") {
    f.order.name = "UFS:" + std::string(77, 'x');
  }
  SUBCASE("storage") {
    f.order.storage = "U\"FS";
  }
  SUBCASE("no file") {
    f.order.file = f.dir.path() / "none" / "delta.bin";
    code = Errc::io;
  }
  SUBCASE("an empty file") {
    f.content.clear();
    code = Errc::io;
  }
  SUBCASE("a directory") {
    f.order.file = f.dir.path();
    code = Errc::io;
  }
  f.begin(f.content);
  f.fails(code);
}

TEST_CASE("removing: what is not there is removed") {
  UploadFixture f;
  f.spawn(f.remove());
  SUBCASE("it was there") {
    f.module.expect(kDel, kOk);
  }
  SUBCASE("405") {
    f.module.expect(kDel, kAbsent);
  }
  SUBCASE("a bare ERROR, and not in the list") {
    f.module.expect(kDel, "\r\nERROR\r\n");
    f.module.expect(kLst, kOk);
  }
  SUBCASE("a bare ERROR to both") {
    f.module.expect(kDel, "\r\nERROR\r\n");
    f.module.expect(kLst, "\r\nERROR\r\n");
  }
  REQUIRE(f.result);
  CHECK(f.result->ok());
}

TEST_CASE("removing: what is there and stays is an error") {
  UploadFixture f;
  f.spawn(f.remove());
  f.module.expect(kDel, "\r\n+CME ERROR: 418\r\n");
  SUBCASE("in the list") {
    f.module.expect(kLst, "\r\n+QFLST: \"UFS:dfota.bin\",7\r\n\r\nOK\r\n");
  }
  SUBCASE("no list") {
    f.module.expect(kLst, "\r\n+CME ERROR: 417\r\n");
  }
  f.fails(Errc::io, "was answered by +CME ERROR: 41");
}

TEST_CASE("the size of a file: its own line, with the prefix or without it") {
  struct Row {
    const char* name;
    std::string answer;
    std::optional<std::uint64_t> size;
  };
  const std::string ok = "\r\n\r\nOK\r\n";
  const Row rows[] = {
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:a.bin\",41440551" + ok, 41440551},
      {"UFS:a.bin", "\r\n+QFLST: \"a.bin\",100412" + ok, 100412},
      {"a.bin", "\r\n+QFLST: \"UFS:a.bin\", 12 " + ok, 12},
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:ba.bin\",1\r\n+QFLST: \"UFS:a.bin\",2" + ok, 2},
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:a.bin\",0" + ok, 0},
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:b.bin\",1" + ok, std::nullopt},
      {"UFS:a.bin", "\r\n+QFLST: \"RAM:a.bin\",1" + ok, std::nullopt},
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:a.bin\"" + ok, std::nullopt},
      {"UFS:a.bin", "\r\n+QFLST: \"UFS:a.bin\",x" + ok, std::nullopt},
      {"UFS:a.bin", "\r\n+QFLST: \"\r\n+QFLST:" + ok, std::nullopt},
      {"UFS:a.bin", kAbsent, std::nullopt},
      {"UFS:a.bin", "\r\nERROR\r\n", std::nullopt},
      {"UFS:a.bin", kOk, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer);
    UploadFixture f;
    f.spawn(f.ask_size(row.name));
    f.module.expect("AT+QFLST=\"" + std::string(row.name) + "\"", row.answer);
    REQUIRE(f.size);
    REQUIRE(f.size->ok());
    CHECK(f.size->value() == row.size);
  }
}

TEST_CASE("the size of a file: another refusal is an error, and so is silence") {
  UploadFixture f;
  f.spawn(f.ask_size(kName));
  SUBCASE("refusal") {
    f.module.expect(kLst, "\r\n+CME ERROR: 3\r\n");
    REQUIRE(f.size);
    CHECK(f.size->error().code == Errc::io);
  }
  SUBCASE("silence") {
    CHECK(f.module.next_command() == kLst);
    f.clock.advance(kFileLimit);
    f.module.settle();
    REQUIRE(f.size);
    CHECK(f.size->error().code == Errc::timeout);
  }
}
