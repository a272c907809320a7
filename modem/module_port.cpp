#include "modem/module_port.hpp"

#include "transport/base/log.hpp"

namespace dfota {

ModulePort::ModulePort(asio::io_context& loop, std::string name, LinkOptions options, Signal& changed,
                       std::string subject)
    : loop_(loop), name_(std::move(name)), options_(options), changed_(changed), subject_(std::move(subject)) {}

Awaitable<Result<void>> ModulePort::open() {
  if (is_open()) co_return Result<void>();
  drop();
  if (given_away_) co_return Error(Errc::busy, name_ + " is released");
  if (forbidden_since_) {
    co_return Error(Errc::refused, name_ + " shows a module in its recovery mode (05c6:9008), which takes no commands");
  }
  if (name_.empty()) co_return Error(Errc::absent, "nobody knows at which port the module is");
  if (!port_present(name_)) co_return Error(Errc::absent, name_ + " is not there");
  auto link = co_await open_link(loop_, name_, options_);
  if (!link) co_return link.error();
  if (given_away_) co_return Error(Errc::busy, name_ + " is released");
  at_ = std::make_unique<AtPort>(loop_, std::move(link.value()), changed_, subject_);
  ++openings_;
  observe(observer_);
  log::info(subject_, ": port ", name_, " opened");
  co_return Result<void>();
}

void ModulePort::observe(PortObserver* observer) {
  observer_ = observer;
  if (observer_ != nullptr && is_open()) observer_->port_opened(name_);
  if (at_) at_->observe(observer_);
}

void ModulePort::give_away() {
  given_away_ = true;
  if (at_) at_->hang_up();
}

void ModulePort::drop() {
  if (!at_) return;
  heard_before_ = at_->last_heard();
  at_.reset();
}

bool ModulePort::is_open() const {
  // What was said before the hang-up is still to be read, so a spent port stays until it has been.
  return at_ && !at_->lost();
}

void ModulePort::move(std::string name) {
  log::notice(subject_, ": ",
              name.empty() ? "something else is at its port now; it is looked for elsewhere" : "found at ", name);
  name_ = std::move(name);
  if (at_) at_->hang_up();
  changed_.notify();
}

void ModulePort::forbid(bool forbidden) {
  if (forbidden == forbidden_since_.has_value()) return;
  forbidden_since_.reset();
  if (forbidden) forbidden_since_ = Clock::now();
  if (forbidden && at_) at_->hang_up();
  changed_.notify();
}

Awaitable<Result<AtReply>> ModulePort::command(std::string text, Clock::duration limit) {
  if (!is_open()) co_return Error(Errc::link_lost, "the port is not open");
  co_return co_await at_->command(std::move(text), limit);
}

Awaitable<Result<AtReply>> ModulePort::send_data(std::string text, DataSource& source, DataLimits limits) {
  if (!is_open()) co_return Error(Errc::link_lost, "the port is not open");
  co_return co_await at_->send_data(std::move(text), source, limits);
}

Awaitable<Result<void>> ModulePort::write_raw(std::string_view bytes, Clock::duration limit) {
  if (!is_open()) co_return Error(Errc::link_lost, "the port is not open");
  co_return co_await at_->write_raw(bytes, limit);
}

std::optional<std::string> ModulePort::take_unsolicited() {
  if (!at_) return std::nullopt;
  auto line = at_->take_unsolicited();
  if (!line && at_->lost()) {
    log::info(subject_, ": port ", name_, " hung up");
    drop();
  }
  return line;
}

Clock::time_point ModulePort::opened_at() const {
  return at_ ? at_->opened_at() : Clock::now();
}

Clock::time_point ModulePort::last_heard() const {
  return at_ ? at_->last_heard() : heard_before_;
}

}  // namespace dfota
