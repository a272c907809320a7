// Everything that is asked of a module goes through here, and so past the table of danger.hpp: what the table forbids
// is not written. The one command that is not asked here is AT+QFOTADL itself (update_procedure.cpp). Loop thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "modem/danger.hpp"
#include "modem/identity.hpp"
#include "modem/module_port.hpp"

namespace dfota {

/// What the table is asked with. Whoever hears the module keeps it up to date.
struct Danger {
  Step step = Step::preparing;
  Evidence evidence = Evidence::nothing;
};

class Dialogue {
 public:
  static constexpr int kSynchroniseTries = 5;
  /// A module that said END but not yet RDY is given so many times timeouts.listen before it is asked.
  static constexpr int kSettlesAfterEnd = 3;
  static constexpr auto kAnswerLimit = std::chrono::seconds(2);
  static constexpr auto kPdpLimit = std::chrono::seconds(10);
  static constexpr auto kStreamLimit = std::chrono::seconds(10);  ///< for the link to take one piece

  /// `hear` brings `danger` up to date with what the module has said; it is called before the table is asked. All must
  /// outlive this object.
  Dialogue(ModulePort& port, const Danger& danger, std::function<void()> hear)
      : port_(port), danger_(danger), hear_(std::move(hear)) {}

  /// One command and its reply. Errors: link_lost, timeout, and refused when the table forbids it now (FOTA was heard).
  Awaitable<Result<AtReply>> say(std::string text, Clock::duration limit = kAnswerLimit);

  /// A command that takes data (AT+QFUPL) and its reply. The table is asked before the command and before each piece.
  /// Errors: as say, and those of the source. `source` must outlive the call.
  Awaitable<Result<AtReply>> send_file(std::string text, DataSource& source, DataLimits limits);

  /// A piece of the package that AT+QFOTADL="FILE:<length>" announced, while the module waits for it (FILESTART).
  /// Errors: link_lost, timeout; refused: it does not wait for it any more. `bytes` must outlive the call.
  Awaitable<Result<void>> stream(std::string_view bytes);

  /// AT until it answers OK, a few times; then ATE0 and AT+CMEE=1, which every reboot undoes. Errors as say; timeout:
  /// no answer at all.
  Awaitable<Result<void>> synchronise();

  /// ATI, the version command of its family (`chosen`: a family's name, or auto), and AT+GSN. Errors as say; invalid:
  /// what it said is not well-formed.
  Awaitable<Result<Identity>> identify(const Profiles& profiles, std::string chosen);

  /// AT+QICSGP, and what binds AT+QFOTADL to it: AT+QCFG="fota/cid" (guide, section 3.2), AT+QFOTAPID, or nothing.
  /// Errors as say; io with the command's name when the module refuses it.
  Awaitable<Result<void>> set_pdp_context(PdpConfig pdp, PdpCommand command);

 private:
  [[nodiscard]] bool allowed(MaySend wanted);

  ModulePort& port_;
  const Danger& danger_;
  std::function<void()> hear_;
};

}  // namespace dfota
