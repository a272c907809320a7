// What the rack plays differently from family to family: the stages and their spelling, the reboots, the codes of END,
// the boot. The data is the gateway's own (config/profiles), so that a new family needs no code here either; how it is
// read, and what the gateway has no use for, is the rack's. Plain values, no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/profile.hpp"

namespace dfota::sim {

/// One URC while the firmware is written.
struct WritingStep {
  std::string text;             ///< +QIND: "FOTA","UPDATING",7
  unsigned percent = 0;         ///< of the whole
  bool reboots_before = false;  ///< the module reboots before it says this
};

/// The numbers of UPDATING. Uneven: those that an Air780E was seen to say, 0, 2, 4, 6, 9, 13 and so on.
enum class Count { usual, from_zero, uneven };

/// What is wrong with a package that is sound in itself.
enum class Misfit { model, base };

class Family {
 public:
  /// UC20's ways.
  Family() : Family(of(builtin_profiles(), "UC20")) {}
  /// The family of a model; a model of none has UC20's ways. The profiles are copied from.
  static Family of(const Profiles& profiles, std::string_view model);

  [[nodiscard]] const Profile& profile() const { return profile_; }
  [[nodiscard]] const StageNames& stages() const { return profile_.stages; }

  /// A plausible version for a module that was never updated.
  [[nodiscard]] std::string first_version(std::string_view model) const;
  /// Whether this firmware takes .mini_1 packages only.
  [[nodiscard]] bool is_minifota(std::string_view model, std::string_view version) const;

  /// In the order in which a module says them; rarer orders for other modules of a rack than the first.
  [[nodiscard]] std::vector<std::string> boot_urcs(int index) const;
  /// Before the first step: a family with one reboot has it at the end.
  [[nodiscard]] bool reboots_before_writing() const { return profile_.reboots > 1; }
  [[nodiscard]] std::vector<WritingStep> writing_steps(Count count = Count::usual) const;
  /// From a file of its own, an EG18 was seen to begin with 0.
  [[nodiscard]] Count count_from_file() const;
  /// The `index`th of `urcs` that tell of a download: a percentage, or the ordinal itself.
  [[nodiscard]] std::string downloading_urc(unsigned index, unsigned urcs) const;

  [[nodiscard]] int corrupt_code() const;
  [[nodiscard]] int misfit_code(Misfit misfit) const;

 private:
  explicit Family(Profile profile) : profile_(std::move(profile)) {}
  [[nodiscard]] std::optional<int> code_named(std::string_view name) const;

  Profile profile_;
};

/// +QIND: "FOTA","<stage>" and +QIND: "FOTA","<stage>",<value>; empty for a stage that a family does not say.
std::string qind(const std::string& stage);
std::string qind(const std::string& stage, int value);

/// As ATI tells it: without the sub-version, "_01.001.01.001".
std::string revision_of(std::string_view version);

}  // namespace dfota::sim
