#include "gateway/catalog.hpp"

#include <doctest/doctest.h>

#include "tests/support/catalog_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

const std::string kBytes = "the bytes of a delta", kOther = "the bytes of another one";

Manifest by_url(const std::string& name, const std::string& bytes, const ScriptedOrigin& origin) {
  auto manifest = manifest_of(name, bytes);
  manifest.url = origin.url();
  return manifest;
}

}  // namespace

TEST_CASE("by URL: fetched once, there again after a restart, and after one more add") {
  CatalogBench bench;
  ScriptedOrigin origin(answer(kBytes));
  const auto manifest = by_url("delta.bin", kBytes, origin);
  CHECK(bench.add(manifest) == "");
  REQUIRE(bench.open().find("delta.bin") != nullptr);
  CHECK(to_json(*bench.open().find("delta.bin")) == to_json(manifest));
  CHECK(bench.add(manifest) == "");
  bench.close();
  REQUIRE(bench.open().all().size() == 1);
  CHECK(to_json(bench.open().all().at("delta.bin")) == to_json(manifest));
  CHECK(bench.add(manifest) == "");
  CHECK(origin.requests() == 1);
  CHECK(fs::exists(bench.fetching.whole(kBytes)));
}

TEST_CASE("a file that was brought goes from incoming; the same manifest again needs it no more") {
  CatalogBench bench;
  bench.drop("delta.bin", kBytes);
  CHECK(bench.add(manifest_of("delta.bin", kBytes)) == "");
  CHECK_FALSE(fs::exists(bench.incoming() / "delta.bin"));
  CHECK(bench.add(manifest_of("delta.bin", kBytes)) == "");
  CHECK(bench.add(manifest_of("twin.bin", kBytes)) == "");
  CHECK(bench.open().all().size() == 2);
}

TEST_CASE("what cannot be had, or is another file, does not get in") {
  CatalogBench bench;
  CHECK(bench.add(manifest_of("delta.bin", kBytes)) == "artifact_unavailable");
  ScriptedOrigin origin(answer(kOther));
  CHECK(bench.add(by_url("delta.bin", kBytes, origin)) == "artifact_hash_mismatch");
  auto longer = by_url("delta.bin", kOther, origin);
  ++*longer.size;
  CHECK(bench.add(longer) == "artifact_hash_mismatch");
  bench.drop("delta.bin", kOther);
  CHECK(bench.add(manifest_of("delta.bin", kBytes)) == "artifact_hash_mismatch");
  fs::create_symlink(bench.incoming() / "delta.bin", bench.incoming() / "link.bin");
  CHECK(bench.add(manifest_of("link.bin", kOther)) == "artifact_unavailable");
  CHECK(bench.open().all().empty());
  CHECK_FALSE(fs::exists(bench.directory() / "delta.bin.json"));
  CHECK(fs::exists(bench.incoming() / "delta.bin"));
}

TEST_CASE("a name is one content; where it comes from may change") {
  CatalogBench bench;
  bench.drop("delta.bin", kBytes);
  REQUIRE(bench.add(manifest_of("delta.bin", kBytes)) == "");
  bench.drop("delta.bin", kOther);
  CHECK(bench.add(manifest_of("delta.bin", kOther)) == "artifact_conflict");
  CHECK(bench.add(manifest_of("delta.bin", kBytes, "R13")) == "artifact_conflict");
  CHECK(bench.open().find("delta.bin")->sha256 == hash_of(kBytes));
  ScriptedOrigin origin(answer(kBytes));
  CHECK(bench.add(by_url("delta.bin", kBytes, origin)) == "");
  bench.close();
  CHECK(bench.open().find("delta.bin")->url == origin.url());
  CHECK(bench.remove("delta.bin") == "");
  CHECK(bench.add(manifest_of("delta.bin", kOther)) == "");
}

TEST_CASE("signatures: what a trusted key signed, what it did not, and what was swapped") {
  CatalogBench bench;
  const Signer ours(1), other(2);
  bench.config.trusted_keys = {ours.public_key()};
  bench.config.require_signature = true;
  auto one = manifest_of("one.bin", kBytes), two = manifest_of("two.bin", kOther, "R13");
  bench.drop("one.bin", kBytes);
  bench.drop("two.bin", kOther);
  CHECK(bench.add(one) == "signature_unverifiable");
  one.signature = other.sign(kBytes, statement_of(one));
  CHECK(bench.add(one) == "signature_unverifiable");
  one.signature = ours.sign(kBytes, statement_of(one));
  two.signature = ours.sign(kOther, statement_of(two));
  std::swap(one.signature, two.signature);
  CHECK(bench.add(one) == "signature_invalid");
  CHECK(bench.add(two) == "signature_invalid");
  CHECK(bench.open().all().empty());
  std::swap(one.signature, two.signature);
  CHECK(bench.add(one) == "");
  CHECK(bench.add(two) == "");
}

TEST_CASE("remove: with the file, but not one that a job holds, nor one that another artifact is made of") {
  CatalogBench bench;
  std::vector<std::size_t> told;
  bench.open().on_changed = [&] { told.push_back(bench.open().all().size()); };
  bench.drop("one.bin", kBytes);
  REQUIRE(bench.add(manifest_of("one.bin", kBytes)) == "");
  REQUIRE(bench.add(manifest_of("two.bin", kBytes)) == "");
  REQUIRE(bench.add(manifest_of("two.bin", kBytes)) == "");
  CHECK(bench.remove("three.bin") == "unknown_artifact");
  CHECK(bench.remove("one.bin") == "");
  CHECK(told == std::vector<std::size_t>{1, 2, 1});
  CHECK(fs::exists(bench.fetching.whole(kBytes)));
  {
    const auto hold = bench.fetching.open().hold(hash_of(kBytes));
    CHECK(bench.remove("two.bin") == "artifact_in_use");
    CHECK(bench.open().find("two.bin") != nullptr);
  }
  CHECK(bench.remove("two.bin") == "");
  CHECK_FALSE(fs::exists(bench.fetching.whole(kBytes)));
  bench.close();
  CHECK(bench.open().all().empty());
}

TEST_CASE("others needed the room: what came as a file is forgotten, what has a URL stays and comes again") {
  CatalogBench bench;
  const std::string first(600, '1'), second(600, '2');
  bench.fetching.options.max_bytes = 1000;
  ScriptedOrigin origin(answer(second));
  bench.drop("file.bin", first);
  REQUIRE(bench.add(manifest_of("file.bin", first)) == "");
  REQUIRE(bench.add(by_url("url.bin", second, origin)) == "");
  bench.fetching.run_until([&] { return bench.open().find("file.bin") == nullptr; });
  bench.fetching.run_until([&] { return !fs::exists(bench.directory() / "file.bin.json"); });
  bench.drop("file.bin", first);
  REQUIRE(bench.add(manifest_of("file.bin", first)) == "");
  CHECK_FALSE(fs::exists(bench.fetching.whole(second)));
  CHECK(bench.open().find("url.bin") != nullptr);
  CHECK(bench.add(by_url("url.bin", second, origin)) == "");
}

TEST_CASE("at the start: a file that went while nobody looked, and manifests that cannot be read") {
  CatalogBench bench;
  ScriptedOrigin origin(answer(kOther));
  bench.drop("file.bin", kBytes);
  REQUIRE(bench.add(manifest_of("file.bin", kBytes)) == "");
  REQUIRE(bench.add(by_url("url.bin", kOther, origin)) == "");
  bench.close();
  fs::remove(bench.fetching.whole(kBytes));
  fs::remove(bench.fetching.whole(kOther));
  std::ofstream(bench.directory() / "cut.bin.json") << "{\"name\":\"cut.bin\",";
  std::ofstream(bench.directory() / "other.bin.json") << to_json(manifest_of("name.bin", kBytes)).dump();
  std::ofstream(bench.directory() / ".part-left.bin.json") << "{";
  CHECK(bench.open().find("file.bin") == nullptr);
  CHECK(bench.open().find("url.bin") != nullptr);
  CHECK(bench.open().all().size() == 1);
  CHECK_FALSE(fs::exists(bench.directory() / "file.bin.json"));
  CHECK(fs::exists(bench.directory() / "cut.bin.json"));
  CHECK(fs::exists(bench.directory() / "other.bin.json"));
  CHECK_FALSE(fs::exists(bench.directory() / ".part-left.bin.json"));
}

TEST_CASE("a manifest that cannot be written is not there") {
  CatalogBench bench;
  bench.drop("delta.bin", kBytes);
  bench.open();
  fs::remove(bench.directory());
  std::ofstream(bench.directory()) << "no directory";
  CHECK(bench.add(manifest_of("delta.bin", kBytes)) == "artifact_unavailable");
  CHECK(bench.open().find("delta.bin") == nullptr);
}
