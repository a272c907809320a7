// What a person orders of a module beside its updates (the rest of Module): its port given away and taken
// back, a download rehearsed.
#include "modem/module.hpp"
#include "transport/base/log.hpp"

namespace dfota {

void Module::mark_released() {
  released_ = true;
  port_.give_away();
}

void Module::release() {
  mark_released();
  log::notice(port_.subject(), ": its port ", port_.name(), " is released to somebody's own terminal");
  change(state_);
  changed_.notify();
}

void Module::claim() {
  if (!released_) return;
  log::notice(port_.subject(), ": its port is claimed back");
  // The port went because we closed it: that is no sign of life of a lost module.
  if (is_lost()) lost_opening_ = port_.openings() + 1;
  released_ = false;
  port_.take_back();
  greeted_opening_ = 0;
  auto next = state_;
  next.problem.clear();
  change(std::move(next));
  changed_.notify();
}

/// Somebody else's terminal has its port.
Awaitable<> Module::stay_released() {
  port_.drop();
  change(state_);
  while (released_ && !work_) {
    refuse_scans(state_.problem);
    const auto later = Clock::now() + seconds(modem_.poll_s);
    co_await changed_.wait_until(later);
  }
}

/// It can download, as far as it was asked: let it show.
Awaitable<> Module::rehearse(const Scan& scan, int cid) {
  Rehearsal rehearsal(port_, dialogue_, [this] { hear_fota(); });
  rehearsal_ = &rehearsal;
  const auto rehearsed = co_await rehearsal.run(cid, scan.url);
  rehearsal_ = nullptr;
  if (rehearsed.error) greeted_opening_ = 0;  // what it still says of that is not an answer to the next question
  scan.fetched(rehearsed);
}

}  // namespace dfota
