// What a replayed module makes of the commands that come: the recorded ones in their order, the others from the answers
// that were recorded to the same ones, from what an idle module knows, or not at all.
#include "modem/simulator/replay_module.hpp"
#include "transport/base/masked.hpp"

namespace dfota::sim {
namespace {

constexpr size_t kMaxQueuedCommands = 16;
constexpr auto kSleepBound = std::chrono::hours(24);
constexpr double kIdleAnswerSeconds = 0.1;
constexpr std::size_t kLoggedBytes = 120;

/// What an idle gateway asks, and what a person types to see whether the module is there.
bool is_idle_question(std::string_view command) {
  static constexpr std::string_view kWhole[] = {
      "AT",           "ATE0",   "ATE1",     "ATE",      "ATV1",      "ATI",       "AT+GSN",
      "AT+CGSN",      "AT+GMR", "AT+CGMR",  "AT+QGMR",  "AT+CMEE=0", "AT+CMEE=1", "AT+CMEE=2",
      "AT+CMEE?",     "AT+CSQ", "AT+CPIN?", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+QCFG=\"FOTA/CID\"",
      "AT+QFOTAPID?",
  };
  const auto folded = at_upper(command);
  for (const auto known : kWhole) {
    if (folded == known) return true;
  }
  const std::string_view context = "AT+QICSGP=";
  return folded.starts_with(context) && folded.find(',') == std::string::npos;
}

}  // namespace

void ReplayModule::received(std::string_view bytes) {
  if (!port_->is_open()) return;
  bytes = take_data(bytes);
  if (bytes.empty()) return;
  if (settings_.echo && !dialogue_.silent(happened())) port_->write(bytes);
  for (const auto& line : lines_.feed(bytes)) {
    if (commands_.size() < kMaxQueuedCommands) commands_.push_back(line);
  }
  command_came_.notify();
}

Awaitable<> ReplayModule::answer_commands() {
  for (;;) {
    while (commands_.empty()) {
      const auto until = Clock::now() + kSleepBound;
      co_await command_came_.wait_until(until);
    }
    const auto command = command_in(commands_.front());
    commands_.pop_front();
    if (!command) continue;
    const std::string text = *command;
    record("command", {{"text", masked_line(text)}});
    if (is_qfotadl(text)) {
      const auto parts = split_arguments(qfotadl_arguments(text).value_or(""));
      ++qfotadl_count_;
      record("qfotadl", {{"url", masked_url(parts.address)}, {"count", qfotadl_count_}});
    }
    if (take(text)) continue;
    if (dialogue_.silent(happened())) {
      bytes_while_flashing_ += text.size() + 1;
      record("bytes_while_flashing", {{"count", text.size() + 1}, {"text", masked_line(text).substr(0, kLoggedBytes)}});
      continue;
    }
    co_await answer_beside(text);
  }
}

/// False: it is none that was recorded at this point.
bool ReplayModule::take(const std::string& command) {
  auto place = dialogue_.find(next_, command);
  if (place) {
    catch_up(*place);
  } else if (!dialogue_.silent(happened())) {
    place = dialogue_.find_beginning(next_, command);
  }
  if (!place) return false;
  begin(*place, command);
  return true;
}

/// What stands before a command that is said now, and was not said yet, is said at once: URCs keep their places among
/// the commands. An AT+QFOTADL that comes early leaves it unsaid.
void ReplayModule::catch_up(std::size_t until) {
  const bool leaps = is_qfotadl(script_.events[until].text);
  bool asked = true;
  std::size_t skipped = 0;
  for (auto i = next_; i < until; ++i) {
    const auto& event = script_.events[i];
    if (event.kind == Kind::command) asked = false;
    const bool answer = event.kind == Kind::line || event.kind == Kind::final;
    const bool idle_talk = event.kind == Kind::urc || event.kind == Kind::noise;
    if (event.kind == Kind::command || (leaps && (answer || idle_talk))) ++skipped;
    if (leaps) continue;
    if (event.kind == Kind::urc) say_urc(event.text);
    if (event.kind == Kind::final && asked) say_final(event.text);
    if (event.kind == Kind::line && asked) say(with_sizes(event.text));
    if (event.kind == Kind::noise) say(event.text);
  }
  // Before the first update every gateway asks in an order of its own.
  if (skipped == 0 || until <= dialogue_.next_update(0)) return;
  record("replay_skip",
         {{"text", masked_line(script_.events[until].text)}, {"why", "asked before its turn"}, {"events", skipped}});
}

void ReplayModule::begin(std::size_t command, const std::string& sent) {
  const auto& recorded = script_.events[command];
  if (is_qfotadl(sent) || is_upload(sent)) {
    end_download();
    end_transfer();
    order_ = sent;
    recorded_order_ = recorded.text;
    data_seen_ = 0;
    download_over_ = false;
    departed_at_.reset();
  }
  const auto folded = at_upper(sent);
  if (folded == "ATE0" || folded == "ATE") settings_.echo = false;
  if (folded == "ATE1") settings_.echo = true;
  jump(command + 1, recorded.t);
}

/// Beside the player, which stays where it is.
Awaitable<> ReplayModule::answer_beside(std::string command) {
  const bool begins_something = is_qfotadl(command) || is_upload(command);
  const auto place = begins_something ? std::nullopt : dialogue_.find_nearest(happened(), command);
  if (place) {
    auto told = script_.events[*place].t;
    const auto answer = dialogue_.answer(*place);
    for (const auto i : answer) {
      const auto event = script_.events[i];
      const auto pause = seconds(std::max(0.0, event.t - told) / options_.speed);
      co_await sleep_for(loop_, pause);
      const auto line = with_sizes(event.text);
      port_->write(framed(line));
      told = event.t;
    }
    if (answer.empty()) miss(command, "was not answered when it was recorded");
    co_return;
  }
  const auto pause = seconds(kIdleAnswerSeconds / options_.speed);
  co_await sleep_for(loop_, pause);
  const auto idle = idle_answer(command);
  if (idle) {
    port_->write(idle->text);
    co_return;
  }
  miss(command, is_qfotadl(command) ? "no such update is left in the recording" : "was not recorded");
  port_->write(framed("ERROR"));
}

std::optional<AtAnswer> ReplayModule::idle_answer(const std::string& command) {
  if (!is_idle_question(command)) return std::nullopt;
  subject_.version = dialogue_.version(happened());
  return answer(command, Behaviour(), settings_, subject_);
}

void ReplayModule::miss(const std::string& command, const std::string& why) {
  record("replay_miss", {{"text", masked_line(command)}, {"why", why}, {"at", next_}});
}

}  // namespace dfota::sim
