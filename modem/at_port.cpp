#include "modem/at_port.hpp"

#include <array>
#include <asio/co_spawn.hpp>

#include "modem/qind.hpp"
#include "transport/base/log.hpp"
#include "transport/base/masked.hpp"

namespace dfota {

/// Shared with the reader, which outlives the AtPort by the one turn in which its read ends.
struct AtPort::State {
  State(std::unique_ptr<Link> link, Signal& changed, std::string subject)
      : link(std::move(link)), changed(&changed), subject(std::move(subject)) {}

  std::unique_ptr<Link> link;
  Signal* changed;  ///< null once the AtPort is gone
  std::string subject;
  AtParser parser;
  bool lost = false;
  std::optional<AtReply> reply;  ///< of the command in flight
  bool final_seen = false;
  bool wants_data = false;  ///< CONNECT does not end the command in flight
  bool connected = false;
  bool restarted = false;  ///< since CONNECT
  std::uint64_t acks = 0;
  std::deque<std::string> unsolicited;
  PortObserver* observer = nullptr;
  Clock::time_point last_heard;
};

AtPort::AtPort(asio::io_context& loop, std::unique_ptr<Link> link, Signal& changed, std::string subject)
    : state_(std::make_shared<State>(std::move(link), changed, std::move(subject))), opened_at_(Clock::now()) {
  state_->last_heard = opened_at_;
  asio::co_spawn(loop, read_on(state_), [subject = state_->subject](std::exception_ptr bug) {
    if (bug) log::error(subject, ": the reader of the port ended by an exception, which is a bug");
  });
}

AtPort::~AtPort() {
  if (state_->observer != nullptr && !state_->lost) state_->observer->port_closed("by the gateway");
  state_->observer = nullptr;
  state_->changed = nullptr;
  state_->link->close();
}

Awaitable<> AtPort::read_on(std::shared_ptr<State> state) {
  std::array<char, 4096> bytes;
  for (;;) {
    const auto got = co_await state->link->read(bytes);
    if (state->changed == nullptr) co_return;
    if (!got) {
      state->lost = true;
      if (state->observer != nullptr) state->observer->port_closed(got.error().message);
      state->link->close();
      state->changed->notify();
      co_return;
    }
    state->last_heard = Clock::now();
    auto events = state->parser.feed(std::string_view(bytes.data(), got.value()));
    for (auto& event : events) take(*state, std::move(event));
    if (!events.empty()) state->changed->notify();
  }
}

void AtPort::take(State& state, AtEvent event) {
  const bool told = event.kind != AtEvent::Kind::ack && log::enabled(log::Level::debug);
  if (told) log::debug(state.subject, ": < ", masked_line(event.text));
  if (state.observer != nullptr && event.kind != AtEvent::Kind::ack) state.observer->heard(event);
  switch (event.kind) {
    case AtEvent::Kind::ack:
      ++state.acks;
      return;
    case AtEvent::Kind::connect:
      state.connected = true;
      if (state.wants_data) return;
      [[fallthrough]];
    case AtEvent::Kind::ok:
    case AtEvent::Kind::error:
    case AtEvent::Kind::cme_error:
    case AtEvent::Kind::cms_error:
      if (!state.reply || state.final_seen) return;
      state.reply->final = event.kind;
      state.reply->text = std::move(event.text);
      state.reply->code = event.code;
      state.final_seen = true;
      return;
    case AtEvent::Kind::info:
      if (state.reply && state.reply->lines.size() < kMaxReplyLines)
        state.reply->lines.push_back(std::move(event.text));
      return;
    case AtEvent::Kind::urc:
    case AtEvent::Kind::noise:
      if (state.connected && is_boot_urc(event.text)) state.restarted = true;
      if (state.unsolicited.size() == kMaxUrcs) state.unsolicited.pop_front();
      state.unsolicited.push_back(std::move(event.text));
      return;
  }
}

void AtPort::begin(State& state, const std::string& text) {
  if (log::enabled(log::Level::debug)) log::debug(state.subject, ": > ", masked_line(text));
  if (state.observer != nullptr) state.observer->command_sent(text);
  state.reply.emplace();
  state.final_seen = state.wants_data = state.connected = state.restarted = false;
  state.acks = 0;
  state.parser.begin_command(text);
}

/// The reply, if the final line has come; else why it has not. `sent`: what became of the writing.
Result<AtReply> AtPort::end(State& state, Result<void> sent) {
  state.parser.end_command();
  state.connected = false;
  AtReply reply = std::move(*state.reply);
  state.reply.reset();
  if (state.final_seen) return reply;
  if (state.lost || (!sent && sent.error().code == Errc::link_lost)) {
    return Error(Errc::link_lost, sent ? "the port hung up before the answer" : sent.error().message);
  }
  if (!sent && sent.error().code != Errc::timeout) return sent.error();
  return Error(Errc::timeout, "no answer in time");
}

Awaitable<Result<AtReply>> AtPort::command(std::string text, Clock::duration limit) {
  const auto state = state_;  // the port may be dropped by its owner's next step, never while a command is awaited
  const auto deadline = Clock::now() + limit;
  if (state->lost) co_return Error(Errc::link_lost, "the port hung up");
  begin(*state, text);
  const std::string line = text + "\r";
  const auto written = co_await state->link->write(line, deadline);
  if (written) {
    while (!state->final_seen && !state->lost && Clock::now() < deadline) {
      co_await state->changed->wait_until(deadline);
    }
  }
  co_return end(*state, written);
}

Awaitable<Result<AtReply>> AtPort::send_data(std::string text, DataSource& source, DataLimits limits) {
  const auto state = state_;
  const auto deadline = Clock::now() + limits.connect;
  if (state->lost) co_return Error(Errc::link_lost, "the port hung up");
  begin(*state, text);
  state->wants_data = true;
  const std::string line = text + "\r";
  auto sent = co_await state->link->write(line, deadline);
  if (sent) {
    while (!state->connected && !state->final_seen && !state->lost && Clock::now() < deadline) {
      co_await state->changed->wait_until(deadline);
    }
    if (state->connected) sent = co_await stream(state, source, limits.idle);
  }
  source.acknowledged(state->acks);
  co_return end(*state, sent);
}

/// From CONNECT to the final line, the hang-up or a deadline.
Awaitable<Result<void>> AtPort::stream(std::shared_ptr<State> state, DataSource& source, Clock::duration limit) {
  auto deadline = Clock::now() + limit;
  std::uint64_t acks = 0;
  while (!state->final_seen) {
    if (state->lost) co_return Error(Errc::link_lost, "the port hung up in the middle of the data");
    if (state->restarted) co_return Error(Errc::link_lost, "the module restarted in the middle of the data");
    if (state->acks != acks) deadline = Clock::now() + limit;
    acks = state->acks;
    source.acknowledged(acks);
    const auto piece = source.next();
    if (!piece) co_return piece.error();
    if (!piece.value().empty()) {
      deadline = Clock::now() + limit;
      const auto written = co_await state->link->write(piece.value(), deadline);
      if (!written) co_return written.error();
      if (state->observer != nullptr) state->observer->data_sent(piece.value().size());
      deadline = Clock::now() + limit;
      continue;
    }
    if (Clock::now() >= deadline) co_return Error(Errc::timeout, "no acknowledgement in time");
    co_await state->changed->wait_until(deadline);
  }
  co_return Result<void>();
}

Awaitable<Result<void>> AtPort::write_raw(std::string_view bytes, Clock::duration limit) {
  const auto state = state_;
  if (state->lost) co_return Error(Errc::link_lost, "the port hung up");
  if (state->reply) co_return Error(Errc::busy, "a command is in flight");
  const auto deadline = Clock::now() + limit;
  const auto written = co_await state->link->write(bytes, deadline);
  if (written && state->observer != nullptr) state->observer->data_sent(bytes.size());
  co_return written;
}

void AtPort::observe(PortObserver* observer) {
  state_->observer = observer;
}

void AtPort::hang_up() {
  state_->link->close();
}

bool AtPort::lost() const {
  return state_->lost;
}

std::optional<std::string> AtPort::take_unsolicited() {
  if (state_->unsolicited.empty()) return std::nullopt;
  auto line = std::move(state_->unsolicited.front());
  state_->unsolicited.pop_front();
  return line;
}

Clock::time_point AtPort::last_heard() const {
  return state_->last_heard;
}

}  // namespace dfota
