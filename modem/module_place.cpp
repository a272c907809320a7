// Where a module stands, as far as others find it out: its port is not there, moves, or shows something else (the rest
// of Module).
#include "modem/module.hpp"
#include "transport/base/log.hpp"
#include "transport/port_holder.hpp"

namespace dfota {

Awaitable<> Module::wait_for_port(Error why) {
  const auto finding = port_.forbidden_since()    ? Finding::recovery_needed
                       : why.code == Errc::absent ? Finding::absent
                                                  : Finding::port_busy;
  const std::string problem(explain(finding).word);
  if (problem != state_.problem) log::notice(port_.subject(), ": ", with_holder(why, port_.name()).message);
  set_problem(problem, false);
  refuse_scans(problem);
  const auto again = port_.name().starts_with("tcp://") ? Clock::duration(kConnectAgain) : Clock::duration(kLookAgain);
  const auto look = Clock::now() + again;
  co_await changed_.wait_until(look);
}

void Module::begin_at(const std::string& port) {
  if (port == port_.name()) return;
  port_.rename(port);
  state_.port = port;
}

void Module::move_to(const std::string& port, bool same_device) {
  if (port == port_.name()) return;
  if (same_device) {
    port_.rename(port);
  } else {
    port_.move(port);
  }
  auto next = state_;
  next.port = port;
  if (!same_device) set_absent(next);
  change(next);
}

void Module::leave_port() {
  port_.move("");
  auto next = state_;
  next.port.clear();
  set_absent(next);
  change(next);
}

/// Until it is opened again. An update under way says by itself how it is.
void Module::set_absent(ModuleState& state) const {
  if (busy()) return;
  state.online = state.present = false;
  state.problem = explain(Finding::absent).word;
}

void Module::set_recovery(bool recovery) {
  port_.forbid(recovery);
}

void Module::retire() {
  retired_ = true;
  refuse_scans(std::string(explain(Finding::absent).word));
  changed_.notify();
}

bool Module::may_be_elsewhere_flashing() const {
  return (busy() || danger_.evidence == Evidence::fota_urc) && !port_.is_open();
}

bool Module::has_stranger() const {
  const bool met = port_.is_open() && met_opening_ == port_.openings();
  return met && !busy() && state_.problem == explain(Finding::module_changed).word;
}

bool Module::is_at_home() const {
  if (!port_.is_open()) return false;
  const bool met = state_.online && met_opening_ == port_.openings();
  return busy() || (met && state_.identity.imei == expected_imei_);
}

}  // namespace dfota
