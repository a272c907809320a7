#include "gateway/incoming.hpp"

#include <doctest/doctest.h>

#include "tests/support/catalog_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using nlohmann::json;

namespace {

const std::string kBytes = "the bytes of a delta";

/// What lies there long enough is settled at once, or never.
struct IncomingBench {
  explicit IncomingBench(Clock::duration settled = std::chrono::hours(1))
      : incoming(
            bench.fetching.loop, bench.open(),
            [this](const std::string& code, const std::string& text) {
              codes.push_back(code);
              texts.push_back(text);
            },
            settled) {}

  void drop_manifest(const std::string& name, const json& document) const {
    bench.drop(name + ".json", document.dump());
  }
  void look() { bench.run(incoming.look()); }
  [[nodiscard]] bool there(const std::string& name) const {
    return fs::exists(fs::symlink_status(bench.incoming() / name));
  }
  [[nodiscard]] bool taken(const std::string& name) { return bench.open().find(name) != nullptr; }

  CatalogBench bench;
  std::vector<std::string> codes, texts;
  Incoming incoming;
};

json manifest(const std::string& name = "delta.bin") {
  return to_json(manifest_of(name, kBytes));
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a file and its manifest are taken, and both go") {
  IncomingBench one;
  one.bench.drop("delta.bin", kBytes);
  one.look();
  CHECK(one.there("delta.bin"));
  one.drop_manifest("delta.bin", manifest());
  one.look();
  CHECK(one.taken("delta.bin"));
  CHECK_FALSE(one.there("delta.bin"));
  CHECK_FALSE(one.there("delta.bin.json"));
  CHECK(one.codes.empty());
}

TEST_CASE("what is still being copied is waited for, in whichever order") {
  IncomingBench one;
  one.drop_manifest("delta.bin", manifest());
  one.look();
  one.bench.drop("delta.bin", kBytes.substr(0, 5));
  one.look();
  one.bench.drop("delta.bin.json", manifest().dump().substr(0, 40));
  one.bench.drop("delta.bin", kBytes);
  one.look();
  CHECK_FALSE(one.taken("delta.bin"));
  CHECK(one.there("delta.bin.json"));
  one.drop_manifest("delta.bin", manifest());
  one.look();
  CHECK(one.taken("delta.bin"));
  CHECK(one.codes.empty());
}

TEST_CASE("what has settled and is not whole is refused, told once and left for whoever looks") {
  struct Row {
    std::string manifest, delta, code;
  };
  for (const auto& row :
       {Row{"{\"name\":", kBytes, "not_json"}, Row{manifest().dump(), kBytes.substr(0, 5), "artifact_hash_mismatch"},
        Row{manifest().dump(), kBytes + "x", "artifact_hash_mismatch"}}) {
    IncomingBench one(Clock::duration::zero());
    one.bench.drop("delta.bin", row.delta);
    one.bench.drop("delta.bin.json", row.manifest);
    one.look();
    one.look();
    CHECK(one.codes == Codes{row.code});
    CHECK(one.there("delta.bin.json.rejected"));
    CHECK_FALSE(one.there("delta.bin.json"));
    CHECK(one.there("delta.bin"));
    CHECK_FALSE(one.taken("delta.bin"));
  }
}

TEST_CASE("a manifest that is wrong is refused at once") {
  auto with_url = manifest();
  with_url["url"] = "http://h/f";
  auto wrong_hash = manifest();
  wrong_hash["sha256"] = std::string(64, 'a');
  auto other_name = manifest("other.bin");
  auto no_model = manifest();
  no_model.erase("model");
  const std::pair<json, std::string> rows[] = {{with_url, "unknown_key"},
                                               {wrong_hash, "artifact_hash_mismatch"},
                                               {other_name, "invalid"},
                                               {no_model, "invalid"},
                                               {json::array(), "invalid"}};
  for (const auto& [document, code] : rows) {
    CAPTURE(document.dump());
    IncomingBench one;
    one.bench.drop("delta.bin", kBytes);
    one.drop_manifest("delta.bin", document);
    one.look();
    CHECK(one.codes == Codes{code});
    CHECK(one.there("delta.bin.json.rejected"));
    CHECK_FALSE(one.taken("delta.bin"));
  }
}

TEST_CASE("links and directories are not followed, hidden files not looked at") {
  IncomingBench one;
  one.bench.drop("real", kBytes);
  fs::create_symlink(one.bench.incoming() / "real", one.bench.incoming() / "link.bin");
  one.drop_manifest("link.bin", manifest("link.bin"));
  one.bench.drop("real2.bin", kBytes);
  one.drop_manifest("real2", manifest("real2.bin"));
  fs::rename(one.bench.incoming() / "real2.json", one.bench.incoming() / "elsewhere");
  fs::create_symlink(one.bench.incoming() / "elsewhere", one.bench.incoming() / "real2.bin.json");
  fs::create_directory(one.bench.incoming() / "dir.bin");
  one.drop_manifest("dir.bin", manifest("dir.bin"));
  fs::create_directory(one.bench.incoming() / "folder.json");
  one.drop_manifest(".hidden", manifest(".hidden"));
  one.look();
  one.look();
  CHECK(one.codes == Codes(4, "invalid"));
  CHECK(one.bench.open().all().empty());
  CHECK(one.there(".hidden.json"));
  for (const auto* name : {"link.bin", "real2.bin", "dir.bin", "folder"}) {
    CHECK(one.there(std::string(name) + ".json.rejected"));
  }
}

TEST_CASE("names with path parts come to nothing") {
  IncomingBench one;
  one.bench.drop("delta.bin", kBytes);
  auto document = manifest();
  document["name"] = "../delta.bin";
  one.drop_manifest("delta.bin", document);
  one.look();
  CHECK(one.codes == Codes{"invalid"});
  CHECK_FALSE(fs::exists(one.bench.fetching.root / "delta.bin"));
}

TEST_CASE("stopped between the two: a manifest whose file was taken goes, too") {
  IncomingBench one;
  one.bench.drop("delta.bin", kBytes);
  REQUIRE(one.bench.add(manifest_of("delta.bin", kBytes)) == "");
  one.drop_manifest("delta.bin", manifest());
  one.look();
  CHECK_FALSE(one.there("delta.bin.json"));
  CHECK(one.codes.empty());
}

TEST_CASE("another content under a name that is taken") {
  IncomingBench one;
  one.bench.drop("delta.bin", kBytes);
  one.drop_manifest("delta.bin", manifest());
  one.look();
  REQUIRE(one.taken("delta.bin"));
  one.bench.drop("delta.bin", "other bytes");
  one.drop_manifest("delta.bin", to_json(manifest_of("delta.bin", "other bytes")));
  one.look();
  CHECK(one.codes == Codes{"artifact_conflict"});
  CHECK(one.texts[0].find("delta.bin.json") != std::string::npos);
}

TEST_CASE("the directory is made, for the gateway's group, when it is missing; one that is there keeps its mode") {
  IncomingBench one;
  fs::permissions(one.bench.incoming(), fs::perms::owner_all);
  one.look();
  CHECK(fs::status(one.bench.incoming()).permissions() == fs::perms::owner_all);
  fs::remove_all(one.bench.incoming());
  one.look();
  REQUIRE(fs::is_directory(one.bench.incoming()));
  CHECK((fs::status(one.bench.incoming()).permissions() & fs::perms::group_write) == fs::perms::group_write);
}
