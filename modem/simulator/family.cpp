#include "modem/simulator/family.hpp"

#include <algorithm>
#include <utility>

namespace dfota::sim {
namespace {

constexpr int kCorrupt = 505;
constexpr int kWrongBase = 510;
constexpr unsigned kMostPercent = 100;

struct FirstVersion {
  std::string_view family, behind_model;
};
constexpr FirstVersion kFirstVersions[] = {{"uc20", "GQBR03A11E1G"},
                                           {"ec2x", "EFAR06A03M4G"},
                                           {"ep06", "EAPAR01A12M4G_01.001.01.001"},
                                           {"bg96", "MAR02A07M1G_01.007.01.007"},
                                           {"lte-standard-a", "CNHAR01A02M16"}};
constexpr std::string_view kOtherFirstVersion = "R01A01";

using Lines = std::vector<std::string>;

const std::vector<Lines>& usual_boots() {
  static const std::vector<Lines> orders = {
      {"RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"},
      {"RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: PB DONE", "+QIND: SMS DONE"},
      {"RDY", "+QUSIM: 1", "+CPIN: READY", "+QIND: SMS DONE", "+CFUN: 1", "+QIND: PB DONE", "+QIND: PB DONE"},
      {"+CFUN: 1", "RDY", "+CPIN: READY", "+QUSIM: 1", "+QIND: PB DONE", "+QIND: SMS DONE"},
  };
  return orders;
}

struct Stretch {
  unsigned first, last;  // percent
};

/// What is written between two reboots. With one in the middle: as an EC800K was seen.
std::vector<Stretch> stretches(unsigned middle_reboots) {
  if (middle_reboots == 0) return {{1, 100}};
  if (middle_reboots == 1) return {{7, 47}, {60, 96}};
  std::vector<Stretch> equal;
  for (unsigned part = 0; part <= middle_reboots; ++part) {
    equal.push_back({kMostPercent * part / (middle_reboots + 1) + 1, kMostPercent * (part + 1) / (middle_reboots + 1)});
  }
  return equal;
}

/// 2, 2, 2, 3, 4, 5, ... further each time.
void keep_uneven(std::vector<WritingStep>& steps) {
  std::vector<WritingStep> kept;
  unsigned next = 0;
  unsigned stride = 2;
  bool rebooted = false;
  for (auto& step : steps) {
    rebooted = rebooted || step.reboots_before;
    if (step.percent < next && step.percent < kMostPercent) continue;
    step.reboots_before = std::exchange(rebooted, false);
    next = step.percent + stride;
    if (step.percent >= 4) ++stride;
    kept.push_back(std::move(step));
  }
  steps = std::move(kept);
}

}  // namespace

Family Family::of(const Profiles& profiles, std::string_view model) {
  const auto* profile = profiles.by_model(model);
  if (profile == nullptr) profile = builtin_profiles().by_name("uc20");
  return Family(*profile);
}

std::string Family::first_version(std::string_view model) const {
  const auto* known = std::find_if(std::begin(kFirstVersions), std::end(kFirstVersions),
                                   [this](const FirstVersion& entry) { return entry.family == profile_.name; });
  return std::string(model) + std::string(known == std::end(kFirstVersions) ? kOtherFirstVersion : known->behind_model);
}

bool Family::is_minifota(std::string_view model, std::string_view version) const {
  const auto begins = [model](const std::string& start) { return model.substr(0, start.size()) == start; };
  const auto main = revision_of(version);
  const auto ends = [&main](const std::string& end) {
    return main.size() >= end.size() && main.compare(main.size() - end.size(), end.size(), end) == 0;
  };
  const auto& except = profile_.minifota_except;
  const auto& versions = profile_.minifota_versions;
  return std::none_of(except.begin(), except.end(), begins) && std::any_of(versions.begin(), versions.end(), ends);
}

std::vector<std::string> Family::boot_urcs(int index) const {
  const auto order = static_cast<size_t>(index) % usual_boots().size();
  // The EG800Q's manual: no RDY at all, and the phone book before the messages.
  if (profile_.name == "lte-standard-a" && order == 0) {
    return {"+CPIN: READY", "+QUSIM: 1", "+QIND: PB DONE", "+QIND: SMS DONE"};
  }
  auto urcs = usual_boots()[order];
  if (profile_.name == "bg96") urcs.insert(std::find(urcs.begin(), urcs.end(), "RDY") + 1, "APP RDY");
  return urcs;
}

std::vector<WritingStep> Family::writing_steps(Count count) const {
  const auto& names = profile_.stages;
  const auto most = names.updating_max;
  std::vector<WritingStep> steps;
  if (count != Count::usual) steps.push_back({qind(names.updating, 0), 0, false});
  const auto at = [most](unsigned percent) { return (percent * most + kMostPercent - 1) / kMostPercent; };
  unsigned said = 0;
  for (const auto& stretch : stretches(profile_.reboots > 2 ? profile_.reboots - 2 : 0)) {
    bool rebooted = said > 0;
    for (unsigned value = std::max(at(stretch.first), said + 1); value <= at(stretch.last); ++value) {
      const auto percent = value * kMostPercent / most;
      steps.push_back({qind(names.updating, static_cast<int>(value)), percent, std::exchange(rebooted, false)});
      said = value;
    }
  }
  if (count == Count::uneven) keep_uneven(steps);
  if (names.restore.empty()) return steps;
  // BG96's guide prints the percent sign.
  for (unsigned percent = 1; percent <= kMostPercent; ++percent) {
    steps.push_back({qind(names.restore, static_cast<int>(percent)) + "%", kMostPercent, false});
  }
  return steps;
}

Count Family::count_from_file() const {
  return profile_.name == "ep06" ? Count::from_zero : Count::usual;
}

std::string Family::downloading_urc(unsigned index, unsigned urcs) const {
  const bool percent = profile_.stages.downloading_max == kMostPercent;
  return qind(profile_.stages.downloading, static_cast<int>(percent ? index * kMostPercent / urcs : index));
}

std::optional<int> Family::code_named(std::string_view name) const {
  for (const auto& entry : profile_.end_codes) {
    if (entry.name == name) return entry.last;
  }
  return std::nullopt;
}

int Family::corrupt_code() const {
  for (const auto* name : {"package_check_error", "package_file_wrong"}) {
    if (const auto code = code_named(name)) return *code;
  }
  return kCorrupt;
}

int Family::misfit_code(Misfit misfit) const {
  if (misfit == Misfit::model) {
    if (const auto code = code_named("project_name_mismatch")) return *code;
  }
  for (const auto* name : {"baseline_name_mismatch", "source_mismatch", "package_version_mismatch"}) {
    if (const auto code = code_named(name)) return *code;
  }
  return kWrongBase;
}

std::string qind(const std::string& stage) {
  return stage.empty() ? "" : "+QIND: \"FOTA\",\"" + stage + "\"";
}

std::string qind(const std::string& stage, int value) {
  return stage.empty() ? "" : qind(stage) + "," + std::to_string(value);
}

std::string revision_of(std::string_view version) {
  return std::string(version.substr(0, version.find('_')));
}

}  // namespace dfota::sim
