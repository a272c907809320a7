// Where the story of an update goes on after a restart of the gateway: at the journalled step. The rest of
// UpdateProcedure; the story is in update_procedure.cpp.
#include <algorithm>

#include "modem/update_procedure.hpp"
#include "transport/base/log.hpp"

namespace dfota {

/// After a restart the story goes on where the journal says it was.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::enter() {
  switch (checkpoint_.step) {
    case Step::preparing:
      co_await pause(checkpoint_.pause);
      co_return co_await attempt();
    case Step::commanded:
      co_return co_await resume_download();
    case Step::released:
      begin_deadlines_of_before(checkpoint_.age);
      env_.adopt_slot(true);
      if (!checkpoint_.token.empty()) serve_again();
      // One that fetches by itself may still be at it, at the port's next opening.
      if (!is_http()) openings_ = port_.openings() + (port_.is_open() ? 0 : 1);
      co_return co_await follow_flash();
  }
  co_return Fate::done;
}

/// After a restart before the last byte: when the module asks for its file again while it is listened to, the attempt
/// goes on; else the token is voided and the attempt is made again at no cost.
Awaitable<UpdateProcedure::Fate> UpdateProcedure::resume_download() {
  env_.adopt_slot(false);
  const auto offered = env_.offer(checkpoint_.token);
  start_deadline_ = Clock::now() + seconds(std::max(timeouts_.listen, 1.0));
  download_deadline_ = std::max(start_deadline_, Clock::now() + seconds(timeouts_.download) - checkpoint_.age);
  report(Phase::downloading);
  while (offered && Clock::now() < start_deadline_ && env_.transfer().requests == 0 && !transfer_error_ &&
         !downloaded_ && !flashing_ && !is_stopped()) {
    hear();
    co_await reopen_or_wait(start_deadline_);
  }
  if (offered && (env_.transfer().requests > 0 || downloaded_ || flashing_)) {
    const auto fate = co_await follow_download();
    if (fate != Fate::go_on) co_return fate;
    co_return co_await follow_flash();
  }
  if (is_stopped()) co_return cut_by_order();
  danger_.evidence = Evidence::token_void;
  co_return anew_at_no_cost();
}

/// After a restart the last byte may not have left, and the module may ask for the rest of its file: the token is
/// valid.
void UpdateProcedure::serve_again() {
  const auto offered = env_.offer(checkpoint_.token);
  if (offered) {
    env_.release_last_byte();
  } else {
    log::warning(port_.subject(), ": its delta cannot be served again: ", offered.error().message);
  }
}

/// After a restart: what is left of them. However long we were away, it is listened to, and asked once, also when its
/// port comes later than we do.
void UpdateProcedure::begin_deadlines_of_before(Clock::duration age) {
  begin_deadlines();
  update_deadline_ -= age;
  leave_time_to_ask();
  unheard_ = !port_.is_open();
}

/// Time for one silence, and for the answer that ends it.
void UpdateProcedure::leave_time_to_ask() {
  const auto least = Clock::now() + seconds(timeouts_.progress_gap) + seconds(timeouts_.listen);
  update_deadline_ = std::max(least, update_deadline_);
}

}  // namespace dfota
