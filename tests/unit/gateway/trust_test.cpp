#include "gateway/trust.hpp"

#include <doctest/doctest.h>

#include "tests/support/minisign_signer.hpp"
#include "transport/sha256.hpp"

using namespace dfota;
using test::blake2b_of;
using test::Signer;
using test::statement_of;

namespace {

const std::string kFile = "the bytes of a delta", kOtherFile = "the bytes of another";

ArtifactsConfig config_with(std::initializer_list<Signer> signers, bool required = false) {
  ArtifactsConfig config;
  config.require_signature = required;
  for (const auto& signer : signers) config.trusted_keys.push_back(signer.public_key());
  return config;
}

Manifest manifest_of(const std::string& file, const std::string& to = "R12") {
  Manifest manifest;
  manifest.name = "delta.bin";
  manifest.model = "UC20";
  manifest.from = "R11";
  manifest.to = to;
  Sha256 hash;
  hash.update(file);
  manifest.sha256 = hash.hex();
  manifest.size = file.size();
  return manifest;
}

std::string word_of(const std::variant<Statement, UpdateError>& checked) {
  if (const auto* error = std::get_if<UpdateError>(&checked)) return error->name;
  return std::get<Statement>(checked).sha256.empty() ? "nothing signed" : "good";
}

}  // namespace

TEST_CASE("a good signature says what it was made for") {
  const Signer ours(1);
  const Trust trust(config_with({ours}, true));
  auto manifest = manifest_of(kFile);
  manifest.signature = ours.sign(kFile, statement_of(manifest));
  const auto checked = trust.check(manifest, blake2b_of(kFile));
  REQUIRE(std::holds_alternative<Statement>(checked));
  const auto& said = std::get<Statement>(checked);
  CHECK(said.model == "UC20");
  CHECK(said.from == "R11");
  CHECK(said.to == "R12");
  CHECK(said.sha256 == manifest.sha256);
}

TEST_CASE("of a job by URL the signed model is given back") {
  const Signer ours(1);
  const Trust trust(config_with({ours}));
  auto manifest = manifest_of(kFile);
  manifest.signature = ours.sign(kFile, statement_of(manifest));
  manifest.model.clear();
  const auto checked = trust.check(manifest, blake2b_of(kFile));
  REQUIRE(std::holds_alternative<Statement>(checked));
  CHECK(std::get<Statement>(checked).model == "UC20");
}

TEST_CASE("without a signature, without a key") {
  const Signer ours(1), other(2);
  auto manifest = manifest_of(kFile);
  const auto hash = blake2b_of(kFile);
  CHECK(word_of(Trust(config_with({})).check(manifest, hash)) == "nothing signed");
  CHECK(word_of(Trust(config_with({ours})).check(manifest, hash)) == "nothing signed");
  CHECK(word_of(Trust(config_with({ours}, true)).check(manifest, hash)) == "signature_unverifiable");
  manifest.signature = other.sign(kFile, statement_of(manifest));
  CHECK(word_of(Trust(config_with({})).check(manifest, hash)) == "nothing signed");
  CHECK(word_of(Trust(config_with({}, true)).check(manifest, hash)) == "signature_unverifiable");
  CHECK(word_of(Trust(config_with({ours})).check(manifest, hash)) == "signature_unverifiable");
  CHECK(word_of(Trust(config_with({ours, other})).check(manifest, hash)) == "good");
  CHECK_FALSE(Trust(config_with({})).checks());
  CHECK(Trust(config_with({ours})).checks());
  CHECK(Trust(config_with({ours}, true)).required());
}

TEST_CASE("no mix and match: the signatures of two deltas, swapped") {
  const Signer ours(1);
  const Trust trust(config_with({ours}));
  auto one = manifest_of(kFile, "R12"), two = manifest_of(kOtherFile, "R13");
  one.signature = ours.sign(kFile, statement_of(one));
  two.signature = ours.sign(kOtherFile, statement_of(two));
  CHECK(word_of(trust.check(one, blake2b_of(kFile))) == "good");
  CHECK(word_of(trust.check(two, blake2b_of(kOtherFile))) == "good");
  std::swap(one.signature, two.signature);
  CHECK(word_of(trust.check(one, blake2b_of(kFile))) == "signature_invalid");
  CHECK(word_of(trust.check(two, blake2b_of(kOtherFile))) == "signature_invalid");
}

TEST_CASE("a good signature of the same file for another use") {
  const Signer ours(1);
  const Trust trust(config_with({ours}));
  auto manifest = manifest_of(kFile);
  manifest.signature = ours.sign(kFile, statement_of(manifest));
  for (auto* said : {&manifest.model, &manifest.from, &manifest.to, &manifest.sha256}) {
    const auto before = std::exchange(*said, std::string(64, 'a'));
    CHECK(word_of(trust.check(manifest, blake2b_of(kFile))) == "signature_invalid");
    *said = before;
  }
  CHECK(word_of(trust.check(manifest, blake2b_of(kFile))) == "good");
}

TEST_CASE("the hash may be written in capitals; every other key of the trusted comment is refused") {
  const Signer ours(1);
  const Trust trust(config_with({ours}));
  auto manifest = manifest_of(kFile);
  const auto word_with = [&](const std::string& comment) {
    manifest.signature = ours.sign(kFile, comment);
    return word_of(trust.check(manifest, blake2b_of(kFile)));
  };
  auto said = nlohmann::json::parse(statement_of(manifest));
  auto capitals = manifest.sha256;
  for (char& c : capitals) c = c >= 'a' ? static_cast<char>(c - 32) : c;
  said["sha256"] = capitals;
  CHECK(word_with(said.dump()) == "good");
  said["size"] = 1;
  CHECK(word_with(said.dump()) == "signature_invalid");
  said.erase("size");
  said.erase("from");
  CHECK(word_with(said.dump()) == "signature_invalid");
  said["from"] = 1;
  CHECK(word_with(said.dump()) == "signature_invalid");
  const auto right = statement_of(manifest);
  for (const auto& comment : {std::string(), std::string("[]"), std::string("timestamp:1\tfile:delta.bin\thashed"),
                              right + right, R"({"model":"UC20",)" + right.substr(1)}) {
    CHECK(word_with(comment) == "signature_invalid");
  }
}

TEST_CASE("what is no signature, and one of the legacy kind") {
  const Signer ours(1);
  const Trust trust(config_with({ours}));
  auto manifest = manifest_of(kFile);
  manifest.signature = "RW...";
  CHECK(word_of(trust.check(manifest, blake2b_of(kFile))) == "signature_invalid");
  manifest.signature = ours.sign(kFile, statement_of(manifest), "Ed");
  const auto legacy = trust.check(manifest, blake2b_of(kFile));
  CHECK(word_of(legacy) == "signature_invalid");
  CHECK(std::get<UpdateError>(legacy).message.find("-H") != std::string::npos);
}
