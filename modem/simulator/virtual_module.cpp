#include "modem/simulator/virtual_module.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>

#include "transport/base/masked.hpp"

namespace dfota::sim {
namespace {

constexpr size_t kMaxQueuedCommands = 16;
constexpr size_t kMaxUnsentBytes = 16384;
constexpr size_t kLoggedBytes = 120;
constexpr auto kSleepBound = std::chrono::hours(24);
constexpr double kPieceGapSeconds = 0.001;
constexpr double kUrcGapSeconds = 0.3;
/// The port is back before the firmware has booted: a host that asks for it five times a second has it open for RDY.
constexpr double kPortBackAt = 0.6;
constexpr double kBounceSeconds = 3;
/// A port that goes with its last words unread takes them with it; a host that does not read is not waited for.
constexpr auto kHeardWithin = std::chrono::milliseconds(500);
constexpr auto kHeardEvery = std::chrono::milliseconds(5);
constexpr std::string_view kGarbage("\x00\xff\xfe\x80\x1b[\x00\x7fU\xc3\x28 \xf0\x9f\r\x00\n+QI\x00", 21);

void end_on_bug(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

VirtualModule::VirtualModule(asio::io_context& loop, std::unique_ptr<Port> port, EventLog& log, ModuleOptions options)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      behaviour_(behaviour_of(options_.faults, options_.index, 0)),
      state_path_(options_.dir + "/" + options_.name + ".json"),
      files_(options_.dir + "/" + options_.name + ".ufs", static_cast<uint64_t>(behaviour_.ufs_bytes)),
      port_(std::move(port)),
      command_came_(loop),
      update_came_(loop),
      data_came_(loop),
      chance_(static_cast<unsigned>(options_.index) + 1) {
  subject_.files = &files_;
  port_->tell({[this](std::string_view bytes) { received(bytes); },
               [this](bool opened) { record(opened ? "opened" : "closed"); }});
}

Result<void> VirtualModule::start() {
  const auto kept = load_memory(state_path_);
  subject_.model = behaviour_.model.empty() ? options_.model : behaviour_.model;
  subject_.family = Family::of(*options_.profiles, subject_.model);
  subject_.has_efs_package = !options_.efs_package.empty();
  if (!kept && kept.error().code != Errc::absent) return kept.error();
  if (kept)
    memory_ = *kept;
  else
    memory_.version = first_version();
  if (!behaviour_.imei.empty())
    memory_.imei = behaviour_.imei;
  else if (!kept)
    memory_.imei = imei_of(options_.index);
  subject_.imei = memory_.imei;
  auto loaded = files_.load();
  if (!loaded) return loaded;
  if (behaviour_.absent) return {};
  auto opened = open_port();
  if (!opened) return opened;
  asio::co_spawn(loop_, answer_commands(), end_on_bug);
  asio::co_spawn(loop_, live(), end_on_bug);
  return {};
}

Result<void> VirtualModule::open_port() {
  auto opened = port_->open();
  if (!opened) return opened;
  Json fields = {{"port", port_->name()}};
  if (!port_->pts().empty()) fields["pts"] = port_->pts();
  record("ready", fields);
  return opened;
}

std::string VirtualModule::first_version() const {
  if (!behaviour_.version.empty()) return behaviour_.version;
  return options_.version.empty() ? subject_.family.first_version(subject_.model) : options_.version;
}

void VirtualModule::finish() {
  port_->close();
  record("summary", {{"qfotadl", qfotadl_count_},
                     {"bytes_while_flashing", bytes_while_flashing_},
                     {"version", memory_.version},
                     {"imei", memory_.imei},
                     {"boots", memory_.boots}});
}

void VirtualModule::remember() {
  const auto saved = save_memory(state_path_, memory_);
  if (!saved) record("fault", {{"text", saved.error().message}});
}

Awaitable<> VirtualModule::pause(double duration_s) {
  co_await sleep_for(loop_, seconds(duration_s / options_.pace.speed));
}

Awaitable<> VirtualModule::hang() {
  for (;;) co_await sleep_for(loop_, kSleepBound);
}

Awaitable<> VirtualModule::live() {
  co_await boot();
  for (;;) {
    while (!accepted_) {
      const auto until = Clock::now() + kSleepBound;
      co_await update_came_.wait_until(until);
    }
    const auto order = *accepted_;
    accepted_.reset();
    updating_ = true;
    co_await update(order);
    updating_ = false;
  }
}

std::vector<std::string> VirtualModule::boot_urcs() const {
  auto urcs = subject_.family.boot_urcs(options_.index);
  const auto sim = std::find(urcs.begin(), urcs.end(), "+CPIN: READY");
  if (behaviour_.sim == Sim::pin) *sim = "+CPIN: SIM PIN";
  if (behaviour_.sim == Sim::absent || behaviour_.sim == Sim::failure) *sim = "+CPIN: NOT READY";
  const auto ready = std::find(urcs.begin(), urcs.end(), "RDY");
  const bool said = std::find(urcs.begin(), urcs.end(), "APP RDY") != urcs.end();
  if (behaviour_.boot_noise && !said && ready != urcs.end()) urcs.insert(ready + 1, "APP RDY");
  return urcs;
}

Awaitable<> VirtualModule::boot() {
  booting_ = true;
  settings_ = AtSettings();
  commands_.clear();
  accepted_.reset();
  subject_.http_url.clear();
  subject_.http_body.reset();
  subject_.active_contexts = {1};
  transfer_.reset();
  data_came_.notify();
  ++memory_.boots;
  remember();
  subject_.version = memory_.version;
  mode_ = Mode::ready;
  updating_ = false;
  record("boot", {{"version", memory_.version}, {"boots", memory_.boots}});
  if (behaviour_.garbage_boot) send(kGarbage);
  if (behaviour_.boot_noise) send(kBootNoise);
  const auto urcs = boot_urcs();
  for (const auto& text : urcs) {
    urc(text);
    co_await pause(kUrcGapSeconds);
  }
  booting_ = false;
}

Awaitable<> VirtualModule::last_words_heard() {
  const auto unheard_until = Clock::now() + kHeardWithin;
  do {
    co_await sleep_for(loop_, kHeardEvery);
  } while (port_->has_unread() && Clock::now() < unheard_until);
}

/// False: it will never come back.
Awaitable<bool> VirtualModule::reboot(double duration_s) {
  record("reboot");
  ++generation_;
  if (mode_ == Mode::ready) mode_ = Mode::off;
  port_->write(unsent_);
  unsent_.clear();
  co_await last_words_heard();
  if (!behaviour_.uart) port_->close();
  if (behaviour_.no_return && mode_ == Mode::flashing) co_return false;
  const double until_port_s = duration_s * kPortBackAt;
  co_await pause(until_port_s);
  if (!behaviour_.uart) {
    const auto opened = open_port();
    if (!opened) {
      record("fault", {{"text", opened.error().message}});
      co_return false;
    }
  }
  const double until_boot_s = duration_s * (1 - kPortBackAt);
  co_await pause(until_boot_s);
  co_return true;
}

/// The port goes and returns, the firmware runs on.
Awaitable<> VirtualModule::bounce_port() {
  port_->close();
  co_await pause(kBounceSeconds);
  const auto opened = open_port();
  if (!opened) record("fault", {{"text", opened.error().message}});
}

/// A stage that the family does not say has no text.
void VirtualModule::urc(const std::string& text) {
  if (text.empty()) return;
  const bool heard = send(framed(text));
  record("urc", {{"text", text}, {"heard", heard}});
}

bool VirtualModule::send(std::string_view bytes) {
  if (!behaviour_.split_writes) return port_->write(bytes);
  if (!port_->is_open() || unsent_.size() + bytes.size() > kMaxUnsentBytes) return false;
  unsent_ += bytes;
  if (!sending_) {
    sending_ = true;
    asio::co_spawn(loop_, write_in_pieces(), end_on_bug);
  }
  return true;
}

Awaitable<> VirtualModule::write_in_pieces() {
  while (!unsent_.empty()) {
    const size_t size = std::min<size_t>(unsent_.size(), 1 + chance_() % 7);
    port_->write(std::string_view(unsent_).substr(0, size));
    unsent_.erase(0, size);
    co_await pause(kPieceGapSeconds);
  }
  sending_ = false;
}

void VirtualModule::received(std::string_view bytes) {
  switch (mode_) {
    case Mode::off:
      return;
    case Mode::flashing:
      bytes_while_flashing_ += bytes.size();
      record("bytes_while_flashing", {{"count", bytes.size()}, {"text", masked_line(bytes).substr(0, kLoggedBytes)}});
      return;
    case Mode::ready:
      take_commands(take_data(bytes));
      return;
  }
}

void VirtualModule::take_commands(std::string_view bytes) {
  if (bytes.empty()) return;
  if (settings_.echo && !behaviour_.no_answer) {
    std::string echo;
    for (const char c : bytes) echo += c == '\r' && behaviour_.echo_crcrlf ? "\r\r\n" : std::string(1, c);
    send(echo);
  }
  for (const auto& line : lines_.feed(bytes)) {
    if (commands_.size() < kMaxQueuedCommands) commands_.push_back(line);
  }
  command_came_.notify();
}

Awaitable<> VirtualModule::answer_commands() {
  for (;;) {
    while (commands_.empty()) {
      const auto until = Clock::now() + kSleepBound;
      co_await command_came_.wait_until(until);
    }
    const auto generation = generation_;
    const auto line = commands_.front();
    commands_.pop_front();
    co_await pause(options_.pace.answer_s);
    if (generation != generation_ || mode_ != Mode::ready) continue;
    const auto done = run_command(line);
    if (done.upload) co_await upload(*done.upload);
    if (done.http) co_await serve(*done.http);
  }
}

/// What is still to be done for it: a transfer whose bytes come next, a download.
AtAnswer VirtualModule::run_command(const std::string& line) {
  const auto command = command_in(line);
  if (!command) return {};
  record("command", {{"text", masked_line(*command)}});
  const auto arguments = qfotadl_arguments(*command);
  if (arguments) {
    const auto parts = split_arguments(*arguments);
    ++qfotadl_count_;
    Json fields = {{"url", masked_url(parts.address)}, {"count", qfotadl_count_}};
    if (!parts.parameters.empty()) fields["parameters"] = masked_line(parts.parameters);
    record("qfotadl", fields);
    behaviour_ = behaviour_of(options_.faults, options_.index, qfotadl_count_);
  }
  if (behaviour_.no_answer) return {};
  subject_.busy = updating_ || accepted_;
  auto reply = answer(*command, behaviour_, settings_, subject_);
  if (behaviour_.urc_in_answer) {
    const auto at = reply.text.rfind("\r\n", reply.text.size() - 3);
    reply.text.insert(at == std::string::npos ? 0 : at, framed("+CREG: 1"));
  }
  send(reply.text);
  if (reply.update) {
    accepted_ = *reply.update;
    update_came_.notify();
  }
  return reply;
}

}  // namespace dfota::sim
