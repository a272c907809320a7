#include "modem/stage_names.hpp"

#include <algorithm>
#include <utility>

namespace dfota {
namespace {

FotaStage stage_in(const StageNames& names, const std::string& name) {
  const std::pair<const std::string*, FotaStage> stages[] = {{&names.http_start, FotaStage::http_start},
                                                             {&names.http_end, FotaStage::http_end},
                                                             {&names.ftp_start, FotaStage::ftp_start},
                                                             {&names.ftp_end, FotaStage::ftp_end},
                                                             {&names.file_start, FotaStage::file_start},
                                                             {&names.file_end, FotaStage::file_end},
                                                             {&names.downloading, FotaStage::downloading},
                                                             {&names.start, FotaStage::start},
                                                             {&names.updating, FotaStage::updating},
                                                             {&names.restore, FotaStage::restore},
                                                             {&names.end, FotaStage::end}};
  const auto found = std::ranges::find_if(stages, [&](const auto& entry) { return *entry.first == name; });
  return found == std::end(stages) ? FotaStage::unknown : found->second;
}

}  // namespace

FotaStage stage_of(const FotaUrc& urc, const Profiles& profiles) {
  if (urc.stage != FotaStage::unknown || urc.name.empty()) return urc.stage;
  for (const auto& profile : profiles.all()) {
    const auto stage = stage_in(profile.stages, urc.name);
    if (stage != FotaStage::unknown) return stage;
  }
  return FotaStage::unknown;
}

}  // namespace dfota
