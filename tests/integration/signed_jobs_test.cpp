// Signatures in jobs that name a URL, and in plans, under the real gateway: what is not signed for this model, base and
// target by somebody who is trusted goes into no module, and the word says why.
#include <doctest/doctest.h>

#include "tests/support/deltas.hpp"
#include "tests/support/minisign_signer.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

const Signer kOurs(1), kOther(2);

RigOptions signed_rack(int modules, const std::string& required) {
  RigOptions options;
  options.rack.modules = modules;
  options.settings = {{"artifacts.trusted_keys", "[\"" + kOurs.public_key() + "\"]"},
                      {"artifacts.require_signature", required}};
  return options;
}

std::string content(Rig& rig, const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(rig.dir() / file, std::ios::binary).rdbuf();
  return text.str();
}

std::string sign(const Signer& signer, const std::string& bytes, const Json& manifest) {
  nlohmann::ordered_json said;
  for (const auto* key : {"model", "from", "to", "sha256"}) said[key] = manifest[key];
  return signer.sign(bytes, said.dump());
}

Json job_with(Rig& rig, const std::string& id, const std::string& module, const std::string& signature) {
  auto job = rig.job(id, {module});
  job["artifact"]["signature"] = signature;
  return job;
}

}  // namespace

TEST_CASE("a job by URL: each signature that does not prove this very update has its word, and no module is told") {
  Rig rig(signed_rack(6, "false"));
  const auto bytes = content(rig, "delta.bin");
  const Json said = {{"model", "UC20"}, {"from", kFrom}, {"to", kTo}, {"sha256", rig.sha256}};
  const auto with = [&](const char* key, const std::string& value) {
    auto other = said;
    other[key] = value;
    return other;
  };
  const std::vector<std::pair<std::string, const char*>> bad = {
      {sign(kOther, bytes, said), "signature_unverifiable"},
      {sign(kOurs, bytes + "x", said), "signature_invalid"},
      {sign(kOurs, bytes, with("to", "UC20GQBR03A13E1G")), "signature_invalid"},
      {sign(kOurs, bytes, with("model", "UC15")), "model_mismatch"},
      {"nonsense", "signature_invalid"},
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(i);
    const auto module = Rig::m(static_cast<int>(i));
    rig.accept(job_with(rig, "job-" + module, module, bad[i].first));
    CHECK(rig.finish("job-" + module)["state"] == "rejected");
    CHECK(rig.result(module)["error"]["code"] == bad[i].second);
    REQUIRE(rig.errors(module).size() == 1);
    CHECK(rig.errors(module)[0].first == std::string("gateway/") + bad[i].second);
  }
  rig.accept(job_with(rig, "good", "m5", sign(kOurs, bytes, said)));
  CHECK(rig.finish("good")["state"] == "succeeded");
  rig.rack.stop();
  for (std::size_t i = 0; i < bad.size(); ++i) CHECK(rig.rack.qfotadl(Rig::m(static_cast<int>(i))) == 0);
}

TEST_CASE("signatures are required: what has none, or cannot be looked at, is refused in the reply") {
  Rig rig(signed_rack(1, "true"));
  CHECK(rig.request("update", rig.job("bare"))["error"]["code"] == "signature_unverifiable");
  for (const auto& [delivery, key, value] :
       {std::tuple{"url", "url", "http://192.0.2.1:80/delta.bin"}, {"file", "file", "UFS:delta.bin"}}) {
    auto job = rig.job(delivery);
    job.erase("artifact");
    job["delivery"] = delivery;
    job[key] = value;
    const auto reply = rig.request("update", job);
    CHECK(reply["error"]["code"] == "signature_unverifiable");
    CHECK(reply["error"]["pointer"] == "/delivery");
  }
  auto manifest = offer(rig, {"up.bin", kFrom, kTo});
  manifest["signature"] = sign(kOurs, content(rig, "up.bin"), manifest);
  CHECK(rig.request("artifact_add", manifest)["status"] == "ok");
  rig.accept({{"job", "plan"}, {"modules", "all"}, {"target", kTo}, {"allow_downgrade", true}});
  CHECK(rig.finish("plan")["state"] == "succeeded");
}
