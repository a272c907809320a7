#include "gateway/update_command.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using nlohmann::json;

namespace {

json good() {
  return json::parse(R"({
    "job": "uc20-r3", "transaction": "t-1", "modules": ["uc20-a", "uc20-b"],
    "artifact": {"url": "https://example.com/delta.bin", "size": 1000,
                 "sha256": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
    "from": "UC20GQBR03A11E1G", "to": "UC20GQBR03A12E1G", "delivery": "http", "attempts": 2})");
}

CommandFault fault_of(const json& document) {
  auto parsed = parse_update_command(document);
  REQUIRE(std::holds_alternative<CommandFault>(parsed));
  return std::get<CommandFault>(parsed);
}

}  // namespace

TEST_CASE("a good command") {
  auto parsed = parse_update_command(good());
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  const auto& command = std::get<UpdateCommand>(parsed);
  CHECK(command.job == "uc20-r3");
  CHECK(command.transaction == "t-1");
  CHECK(command.modules.ids == std::vector<std::string>{"uc20-a", "uc20-b"});
  CHECK(command.delta.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(command.delta.size == 1000);
  CHECK(command.attempts == 2);
}

TEST_CASE("the transaction is not part of the body, the order of keys neither") {
  auto other = good();
  other["transaction"] = "t-2";
  auto a = parse_update_command(good()), b = parse_update_command(other);
  CHECK(std::get<UpdateCommand>(a).body == std::get<UpdateCommand>(b).body);
  other["attempts"] = 3;
  auto c = parse_update_command(other);
  CHECK(std::get<UpdateCommand>(a).body != std::get<UpdateCommand>(c).body);
}

TEST_CASE("all modules, and modules by what they are") {
  auto document = good();
  document["modules"] = "all";
  auto all = parse_update_command(document);
  CHECK(std::get<UpdateCommand>(all).modules.all);
  document["modules"] = {{"model", "UC20"}, {"tag", "lab"}};
  auto some = parse_update_command(document);
  const auto& selection = std::get<UpdateCommand>(some).modules;
  CHECK(selection.model == "UC20");
  CHECK(selection.tag == "lab");
  CHECK_FALSE(selection.version);
}

TEST_CASE("every fault has its code and its place") {
  struct Row {
    const char* pointer;
    json value;  // discarded: the key is removed
    const char* code;
    const char* at;
  };
  const json gone(json::value_t::discarded);
  const Row rows[] = {
      {"/job", "a b", "invalid", "/job"},
      {"/job", "", "invalid", "/job"},
      {"/job", 1, "invalid", "/job"},
      {"/transaction", std::string(129, 'x'), "invalid", "/transaction"},
      {"/modules", gone, "invalid", "/modules"},
      {"/modules", "some", "invalid", "/modules"},
      {"/modules", json::array(), "invalid", "/modules"},
      {"/modules", json::object(), "invalid", "/modules"},
      {"/modules/1", "uc20/b", "invalid", "/modules/1"},
      {"/modules/1", "uc20-a", "invalid", "/modules/1"},
      {"/modules/0", 7, "invalid", "/modules/0"},
      {"/modules", {{"colour", "red"}}, "unknown_key", "/modules/colour"},
      {"/artifact", gone, "invalid", "/artifact"},
      {"/artifact", "delta.bin", "invalid", "/artifact"},
      {"/artifact/url", gone, "invalid", "/artifact/url"},
      {"/artifact/url", "ftp://example.com/delta.bin", "invalid", "/artifact/url"},
      {"/artifact/url", "http://example.com/a b", "invalid", "/artifact/url"},
      {"/artifact/sha256", gone, "invalid", "/artifact/sha256"},
      {"/artifact/sha256", std::string(64, 'g'), "invalid", "/artifact/sha256"},
      {"/artifact/sha256", "abc", "invalid", "/artifact/sha256"},
      {"/artifact/size", -1, "invalid", "/artifact/size"},
      {"/artifact/size", 0, "invalid", "/artifact/size"},
      {"/artifact/name", "delta.bin", "invalid", "/artifact/name"},
      {"/artifact/signature", 1, "invalid", "/artifact/signature"},
      {"/artifact/a~1b", 1, "unknown_key", "/artifact/a~1b"},
      {"/from", gone, "invalid", "/from"},
      {"/from", "caf\xc3\xa9", "invalid", "/from"},
      {"/to", gone, "invalid", "/to"},
      {"/to", "UC20GQBR03A11E1G", "invalid", "/to"},
      {"/to", std::string(65, 'x'), "invalid", "/to"},
      {"/delivery", "url", "invalid", "/artifact"},
      {"/url", "http://h:80/d.bin", "invalid", "/url"},
      {"/file", "UFS:d.bin", "invalid", "/file"},
      {"/artifact/url", "https://example.com/d.mini_1", "unsupported_package", "/artifact/url"},
      {"/artifact/url", "https://example.com/d.MINI_2?x", "unsupported_package", "/artifact/url"},
      {"/delivery", "pigeon", "invalid", "/delivery"},
      {"/attempts", 0, "invalid", "/attempts"},
      {"/attempts", 11, "invalid", "/attempts"},
      {"/attempts", 1.5, "invalid", "/attempts"},
      {"/target", "X", "invalid", "/artifact"},
      {"/target", "", "invalid", "/target"},
      {"/rollback", true, "invalid", "/artifact"},
      {"/rollback", "yes", "invalid", "/rollback"},
      {"/dry_run", 1, "invalid", "/dry_run"},
      {"/allow_downgrade", "", "invalid", "/allow_downgrade"},
      {"/canary", 0, "invalid", "/canary"},
      {"/canary", 10001, "invalid", "/canary"},
      {"/max_parallel", "4", "invalid", "/max_parallel"},
      {"/abort_after_failures", 1.5, "invalid", "/abort_after_failures"},
      {"/absent", "stay", "invalid", "/absent"},
      {"/not_before", "tomorrow", "invalid", "/not_before"},
      {"/expires", "2026-02-30T00:00:00Z", "invalid", "/expires"},
      {"/expires", 1, "invalid", "/expires"},
      {"/window", json::object(), "invalid", "/window/start"},
      {"/window", {{"start", "01:00"}}, "invalid", "/window/end"},
      {"/window", {{"start", "24:00"}, {"end", "05:00"}}, "invalid", "/window/start"},
      {"/window", {{"start", "1:00"}, {"end", "05:00"}}, "invalid", "/window/start"},
      {"/window", {{"start", "05:00"}, {"end", "05:00"}}, "invalid", "/window/end"},
      {"/window", {{"start", "05:00"}, {"end", "06:00"}, {"day", 1}}, "unknown_key", "/window/day"},
      {"/forc", 1, "unknown_key", "/forc"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pointer);
    auto document = good();
    const json::json_pointer at(row.pointer);
    if (row.value.is_discarded()) {
      document.at(at.parent_pointer()).erase(at.back());
    } else {
      document[at] = row.value;
    }
    const auto fault = fault_of(document);
    CHECK(fault.code == row.code);
    CHECK(fault.pointer == row.at);
    CHECK_FALSE(fault.message.empty());
  }
  CHECK(fault_of(json::array()).code == "invalid");
  CHECK(fault_of(json("x")).pointer.empty());
}

TEST_CASE("the transaction is found whatever else is wrong") {
  CHECK(transaction_of({{"transaction", "t"}, {"nonsense", 1}}) == "t");
  CHECK(transaction_of({{"transaction", 1}}).empty());
  CHECK(transaction_of({{"transaction", std::string(129, 'x')}}).empty());
  CHECK(transaction_of(json::array()).empty());
}

TEST_CASE("each delivery has the key of its own, and no other") {
  for (const auto* delivery : {"http", "ftp", "upload"}) {
    auto document = good();
    document["delivery"] = delivery;
    const auto parsed = parse_update_command(document);
    REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
    CHECK(to_word(std::get<UpdateCommand>(parsed).delivery) == delivery);
    CHECK(wants_artifact(std::get<UpdateCommand>(parsed).delivery));
  }
  auto document = good();
  document.erase("artifact");
  document["delivery"] = "url";
  CHECK(fault_of(document).pointer == "/url");
  document["url"] = "FTP://user:secret@example.com/delta.bin";
  auto parsed = parse_update_command(document);
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  CHECK(std::get<UpdateCommand>(parsed).module_url == "FTP://user:secret@example.com/delta.bin");
  CHECK_FALSE(wants_artifact(std::get<UpdateCommand>(parsed).delivery));
  document.erase("url");
  document["delivery"] = "file";
  CHECK(fault_of(document).pointer == "/file");
  document["file"] = "UFS:delta.bin";
  parsed = parse_update_command(document);
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  CHECK(std::get<UpdateCommand>(parsed).file == "UFS:delta.bin");
}

TEST_CASE("one in the cache by its name: the versions may be left to its manifest") {
  auto parsed = parse_update_command({{"modules", "all"}, {"artifact", {{"name", "delta.bin"}}}});
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  const auto& command = std::get<UpdateCommand>(parsed);
  CHECK(command.delta.name == "delta.bin");
  CHECK(command.delta.from.empty());
  CHECK_FALSE(command.planned());
  for (const auto* name : {"", "../delta.bin", "a/b", ".hidden", "delta.json", "a b"}) {
    CAPTURE(name);
    CHECK(fault_of({{"modules", "all"}, {"artifact", {{"name", name}}}}).pointer == "/artifact/name");
  }
}

TEST_CASE("where to, and not how: target and rollback stand for artifact, from and to") {
  const json target = {{"modules", "all"}, {"target", "A14"}, {"allow_downgrade", true}, {"dry_run", true}};
  auto parsed = parse_update_command(target);
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  CHECK(std::get<UpdateCommand>(parsed).target == "A14");
  CHECK(std::get<UpdateCommand>(parsed).allow_downgrade);
  CHECK(std::get<UpdateCommand>(parsed).dry_run);
  CHECK(std::get<UpdateCommand>(parsed).planned());
  parsed = parse_update_command({{"modules", "all"}, {"rollback", true}, {"delivery", "upload"}});
  REQUIRE(std::holds_alternative<UpdateCommand>(parsed));
  CHECK(std::get<UpdateCommand>(parsed).planned());
  for (const auto& [key, value] : {std::pair{"from", "A11"}, {"to", "A14"}, {"file", "UFS:x"}}) {
    auto document = target;
    document[key] = value;
    CHECK(fault_of(document).pointer == std::string("/") + key);
  }
  CHECK(fault_of({{"modules", "all"}, {"rollback", true}, {"target", "A14"}}).pointer == "/target");
  CHECK(fault_of({{"modules", "all"}, {"target", "A14"}, {"delivery", "url"}}).pointer == "/delivery");
  CHECK(fault_of({{"modules", "all"}, {"rollback", false}}).pointer == "/artifact");
}

TEST_CASE("what a module would pass on to a shell, or what ends its string, is refused and not repeated") {
  auto document = good();
  document.erase("artifact");
  for (const char c : std::string("'\"`$;&| \r\n#\\\x7f\x01")) {
    CAPTURE(c);
    document["delivery"] = "url";
    document["url"] = std::string("ftp://user:se") + c + "cret@example.com/delta.bin";
    const auto fault = fault_of(document);
    CHECK(fault.code == "invalid");
    CHECK(fault.pointer == "/url");
    CHECK(fault.message.find("cret") == std::string::npos);
    document.erase("url");
    document["delivery"] = "file";
    document["file"] = std::string("UFS:del") + c + "ta.bin";
    CHECK(fault_of(document).pointer == "/file");
    document.erase("file");
  }
  document["file"] = "UFS:a.mini_2";
  CHECK(fault_of(document).code == "unsupported_package");
}
