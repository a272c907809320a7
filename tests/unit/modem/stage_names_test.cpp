#include "modem/stage_names.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

FotaStage stage(const std::string& name, const Profiles& profiles) {
  return stage_of(FotaUrc{FotaStage::unknown, name, {}}, profiles);
}

}  // namespace

TEST_CASE("a stage that no usual spelling has is looked for in each family") {
  auto profiles = builtin_profiles();
  CHECK(stage("BURN", profiles) == FotaStage::unknown);
  const auto own = parse_profile("name = 'zz'\nmodels = ['ZZ']\n[stages]\nupdating = 'BURN'\nstart = ''\n", "zz.toml");
  profiles.add(std::get<Profile>(own));
  CHECK(stage("BURN", profiles) == FotaStage::updating);
  CHECK(stage("burn", profiles) == FotaStage::unknown);
  CHECK_MESSAGE(stage("", profiles) == FotaStage::unknown, "a stage that a family does not say is no stage");
  CHECK(stage_of(FotaUrc{FotaStage::end, "BURN", 0}, profiles) == FotaStage::end);
}
