#include "modem/simulator/replay_module.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>

namespace dfota::sim {
namespace {

constexpr auto kSleepBound = std::chrono::hours(24);
/// In the middle of an update a command of the recorded gateway is not waited for longer than this: this one may be
/// more patient, and the module goes on by itself.
constexpr auto kPatience = std::chrono::seconds(30);
/// A port that goes with its last words unread takes them with it; a host that does not read is not waited for.
constexpr auto kHeardWithin = std::chrono::milliseconds(500);
constexpr auto kHeardEvery = std::chrono::milliseconds(5);

void end_on_bug(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

ReplayModule::ReplayModule(asio::io_context& loop, std::unique_ptr<Port> port, EventLog& log, ReplayScript script,
                           ReplayOptions options)
    : loop_(loop),
      log_(log),
      script_(std::move(script)),
      options_(std::move(options)),
      dialogue_(script_),
      port_(std::move(port)),
      changed_(loop),
      command_came_(loop) {
  subject_.model = script_.model;
  subject_.imei = script_.imei;
  subject_.family = Family::of(*options_.profiles, script_.model);
  port_->tell({[this](std::string_view bytes) { received(bytes); },
               [this](bool opened) {
                 heard_ = opened;
                 record(opened ? "opened" : "closed");
                 changed_.notify();
               }});
}

Result<void> ReplayModule::start() {
  record("replay", {{"file", script_.file},
                    {"imei", script_.imei},
                    {"model", script_.model},
                    {"job", script_.job},
                    {"from", script_.from},
                    {"to", script_.to},
                    {"delivery", script_.delivery},
                    {"outcome", script_.outcome},
                    {"events", script_.events.size()},
                    {"notes", script_.notes}});
  auto opened = open_port();
  if (!opened) return opened;
  asio::co_spawn(loop_, answer_commands(), end_on_bug);
  asio::co_spawn(loop_, play(), end_on_bug);
  return {};
}

Result<void> ReplayModule::open_port() {
  auto opened = port_->open();
  if (!opened) return opened;
  Json fields = {{"port", port_->name()}};
  if (!port_->pts().empty()) fields["pts"] = port_->pts();
  record("ready", fields);
  return opened;
}

void ReplayModule::finish() {
  end_download();
  port_->close();
  record("summary", {{"qfotadl", qfotadl_count_},
                     {"bytes_while_flashing", bytes_while_flashing_},
                     {"version", dialogue_.version(happened())},
                     {"imei", script_.imei},
                     {"boots", boots_}});
}

Awaitable<> ReplayModule::play() {
  co_await wait_for_host();
  for (;;) {
    while (next_ < script_.events.size()) {
      over_ = false;
      seen_moves_ = moves_;
      const auto event = script_.events[next_];
      co_await ripen(event.kind);
      if (moved()) continue;
      co_await perform(event);
      if (moved()) continue;
      ++next_;
      // A step of the gateway takes no time of the module's.
      if (event.kind == Kind::step || event.kind == Kind::error || event.kind == Kind::dropped) continue;
      last_at_ = Clock::now();
      last_t_ = event.t;
    }
    over_ = true;
    seen_moves_ = moves_;
    record("replay_end", {{"outcome", script_.outcome}, {"version", dialogue_.version(happened())}});
    while (!moved()) co_await wait_for_change();
  }
}

/// Until its time has come, or until the host has moved the player elsewhere.
Awaitable<> ReplayModule::ripen(Kind kind) {
  switch (kind) {
    case Kind::command:
      co_return co_await wait_for_command();
    case Kind::open: {
      const auto time = due();
      if (!port_->is_open()) co_await wait_until(time);
      co_return;
    }
    case Kind::data:
      co_return co_await wait_for_data();
    case Kind::file:
      co_return co_await wait_for_download();
    case Kind::closed:
    case Kind::line:
    case Kind::final:
    case Kind::urc:
    case Kind::noise: {
      const auto time = due();
      co_await wait_until(time);
      if (kind == Kind::line) co_await wait_for_upload();
      co_return;
    }
    case Kind::step:
    case Kind::error:
    case Kind::dropped:
      co_return;
  }
}

Awaitable<> ReplayModule::perform(ReplayEvent event) {
  switch (event.kind) {
    case Kind::open:
      if (!port_->is_open()) {
        const auto opened = open_port();
        if (!opened) record("fault", {{"text", opened.error().message}});
      }
      co_return co_await wait_for_host();
    case Kind::closed:
      co_return co_await hang_up();
    case Kind::line: {
      const auto line = with_sizes(event.text);
      say(line);
      co_return;
    }
    case Kind::final:
      say_final(event.text);
      co_return;
    case Kind::noise:
      say(event.text);
      co_return;
    case Kind::urc:
      say_urc(event.text);
      co_return;
    case Kind::command:
    case Kind::data:
    case Kind::file:
    case Kind::step:
    case Kind::error:
    case Kind::dropped:
      co_return;
  }
}

Clock::time_point ReplayModule::due() const {
  return last_at_ + seconds(std::max(0.0, script_.events[next_].t - last_t_) / options_.speed);
}

/// The player goes on there, at once.
void ReplayModule::jump(std::size_t next, double t) {
  next_ = next;
  last_at_ = Clock::now();
  last_t_ = t;
  ++moves_;
  changed_.notify();
}

Awaitable<> ReplayModule::wait_for_change() {
  const auto until = Clock::now() + kSleepBound;
  co_await changed_.wait_until(until);
}

Awaitable<> ReplayModule::wait_until(Clock::time_point until) {
  while (!moved() && Clock::now() < until) co_await changed_.wait_until(until);
}

Awaitable<> ReplayModule::wait_for_host() {
  while (!heard_ && port_->is_open() && !moved()) co_await wait_for_change();
  last_at_ = Clock::now();
}

/// The answering moves the player on. Where the module is silent, and does more by itself later, it does so also when
/// this gateway does not ask what the recorded one asked.
Awaitable<> ReplayModule::wait_for_command() {
  if (dialogue_.silent(next_) && !dialogue_.answered(next_)) {
    const auto time = due();
    co_return co_await wait_until(time);
  }
  const auto act = dialogue_.silent(next_) ? dialogue_.next_act(next_) : std::nullopt;
  const auto patience = due() + kPatience;
  while (!moved() && (!act || Clock::now() < patience)) {
    const auto until = act ? patience : Clock::now() + kSleepBound;
    co_await changed_.wait_until(until);
  }
  if (moved()) co_return;
  record("replay_skip", {{"text", script_.events[next_].text}, {"why", "was not asked"}});
  jump(*act, script_.events[*act].t);
}

Awaitable<> ReplayModule::hang_up() {
  if (!heard_) co_return;  // the host has closed it by itself
  const auto unheard_until = Clock::now() + kHeardWithin;
  do {
    co_await sleep_for(loop_, kHeardEvery);
  } while (port_->has_unread() && Clock::now() < unheard_until);
  record("reboot");
  end_transfer();
  settings_ = AtSettings();
  commands_.clear();
  port_->close();
  heard_ = false;
}

void ReplayModule::say_final(const std::string& text) {
  say(text);
  if (!is_upload(order_)) return;
  end_transfer();
  if (text != "CONNECT") return;
  const auto values = at_values(order_);
  TransferRules rules;
  rules.size_bytes = declared_size(order_);
  if (values.size() > 2) rules.idle = std::chrono::seconds(std::max(1, std::atoi(values[2].c_str())));
  rules.acknowledged = values.size() > 3 && values[3] == "1";
  rules.escapable = true;
  begin_transfer(rules);
}

void ReplayModule::say_urc(const std::string& text) {
  const bool heard = say(text);
  record("urc", {{"text", text}, {"heard", heard}});
  switch (replay_stage(text)) {
    case ReplayStage::start_of_transfer:
      if (is_stream(order_)) {
        TransferRules rules;
        rules.size_bytes = declared_size(order_);
        rules.idle = kSleepBound;
        begin_transfer(rules);
      }
      return;
    case ReplayStage::booted:
      if (text == "RDY") ++boots_;
      settings_ = AtSettings();
      [[fallthrough]];
    case ReplayStage::transferred:
    case ReplayStage::transfer_failed:
    case ReplayStage::flashing:
    case ReplayStage::ended:
      end_download();
      end_transfer();
      return;
    case ReplayStage::none:
    case ReplayStage::other:
      return;
  }
}

}  // namespace dfota::sim
