// Signatures that the minisign program of Debian makes are ours, and what we refuse: the way of gateway/README.md, with
// a key without a password.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/fetch_fixture.hpp"
#include "tests/support/minisign_signer.hpp"
#include "tests/support/rig.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;

namespace {

void run(std::vector<std::string> argv) {
  Process process(std::move(argv));
  const auto code = process.wait();
  INFO(process.err());
  REQUIRE(code == 0);
}

/// A key of minisign's own making, and what it signs.
class Minisign {
 public:
  Minisign() { run({"minisign", "-G", "-W", "-p", dir_ / "key.pub", "-s", dir_ / "key"}); }

  [[nodiscard]] std::string public_key() const {
    std::ifstream in(dir_ / "key.pub");
    std::string comment, key;
    std::getline(in, comment);
    std::getline(in, key);
    return key;
  }
  [[nodiscard]] std::string sign(const std::string& bytes, const std::string& trusted_comment,
                                 const std::string& kind = "-H") const {
    const auto file = dir_ / "delta.bin";
    std::ofstream(file, std::ios::binary) << bytes;
    run({"minisign", "-S", kind, "-s", dir_ / "key", "-m", file, "-t", trusted_comment});
    return content(file + ".minisig");
  }

 private:
  TempDir dir_;
};

const std::string kBytes(100000, 'd'), kOther(1, 'o');

/// `minisign -V` says the same.
bool minisign_takes(const std::string& key, const std::string& bytes, const std::string& signature) {
  const TempDir dir;
  std::ofstream(dir / "f", std::ios::binary) << bytes;
  std::ofstream(dir / "f.minisig", std::ios::binary) << signature;
  Process process({"minisign", "-V", "-P", key, "-m", dir / "f"});
  return process.wait() == 0;
}

MinisignVerdict verdict(const std::string& key, const std::string& bytes, const std::string& signature) {
  const auto parsed_key = parse_minisign_key(key);
  const auto parsed = parse_minisign_signature(signature);
  REQUIRE(parsed_key.ok());
  REQUIRE(parsed.ok());
  return verify({*parsed_key}, *parsed, blake2b_of(bytes));
}

}  // namespace

TEST_CASE("what minisign signed is good, of that file and by that key only") {
  const Minisign minisign, other;
  const auto signature = minisign.sign(kBytes, "a comment");
  CHECK(verdict(minisign.public_key(), kBytes, signature) == MinisignVerdict::good);
  CHECK(verdict(minisign.public_key(), kOther, signature) == MinisignVerdict::invalid);
  CHECK(verdict(other.public_key(), kBytes, signature) == MinisignVerdict::unknown_key);
  auto changed = signature;
  changed.replace(changed.find("a comment"), 1, "A");
  CHECK(verdict(minisign.public_key(), kBytes, changed) == MinisignVerdict::invalid);
  CHECK_FALSE(minisign_takes(minisign.public_key(), kBytes, changed));
  const auto legacy = parse_minisign_signature(minisign.sign(kBytes, "a comment", "-l"));
  REQUIRE_FALSE(legacy.ok());
  CHECK(legacy.error().code == Errc::refused);
}

TEST_CASE("what the tests' own signer makes, minisign takes, too") {
  const Signer ours(7);
  const auto signature = ours.sign(kBytes, "{\"a\":1}");
  CHECK(minisign_takes(ours.public_key(), kBytes, signature));
  CHECK_FALSE(minisign_takes(ours.public_key(), kOther, signature));
}

TEST_CASE("a gateway that requires signatures takes an artifact signed as the README says") {
  const Minisign minisign;
  RigOptions options;
  options.settings = {{"artifacts.trusted_keys", "[\"" + minisign.public_key() + "\"]"},
                      {"artifacts.require_signature", "true"}};
  Rig rig(options);
  rig.origin.serve("/f", kBytes);
  Json manifest = {{"name", "delta.bin"},
                   {"model", "UC20"},
                   {"from", kFrom},
                   {"to", kTo},
                   {"size", kBytes.size()},
                   {"sha256", hash_of(kBytes)},
                   {"url", rig.origin.url("/f")}};
  const auto file = rig.dir() / "delta.bin.json";
  std::ofstream(file) << manifest.dump();
  Process jq({"jq", "-c", "{model,from,to,sha256}", file});
  REQUIRE(jq.wait() == 0);
  auto comment = jq.out();
  comment.pop_back();
  CHECK(rig.request("artifact_add", manifest)["error"]["code"] == "signature_unverifiable");
  manifest["signature"] = minisign.sign(kBytes, comment, "-l");
  CHECK(rig.request("artifact_add", manifest)["error"]["code"] == "signature_invalid");
  manifest["signature"] = minisign.sign(kBytes, "timestamp:1");
  CHECK(rig.request("artifact_add", manifest)["error"]["code"] == "signature_invalid");
  manifest["signature"] = minisign.sign(kBytes, comment);
  CHECK(rig.request("artifact_add", manifest)["status"] == "ok");
}
