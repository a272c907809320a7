#include "gateway/places.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <filesystem>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

/// Its IMEI decides which module it is, and its port may move.
bool may_move(const Module& module) {
  return !module.config().imei.empty();
}

}  // namespace

Places::Places(asio::io_context& loop, const Config& config, Jobs::Modules& modules)
    : loop_(loop), config_(config), modules_(modules), watch_(loop), modem_manager_(loop) {}

void Places::make_modules(const std::map<std::string, ModuleFact>& known) {
  for (const auto& module : config_.modules) add(module);
  if (config_.discovery.ports.empty()) return;
  for (const auto& [id, fact] : known) {
    if (!fact.discovered || modules_.contains(id) || owner_of(fact.imei) != nullptr) continue;
    ModuleConfig module;
    module.id = id;
    module.port = fact.port;
    if (id == fact.imei) module.imei = fact.imei;
    module.discovered = true;
    add(std::move(module));
  }
}

Module& Places::add(ModuleConfig module) {
  auto& made = modules_[module.id];
  made = std::make_unique<Module>(loop_, std::move(module), config_.modem, config_.timeouts, *this);
  return *made;
}

void Places::start(ModuleObserver& jobs) {
  jobs_ = &jobs;
  started_ = true;
  for (auto& [id, module] : modules_) module->start();
  find_directories();
  for (const auto& directory : directories_) watch_.watch_directory(directory);
  watch_.on_change = [this] { ports_changed(); };
  watch_.start();
  ports_changed();
}

/// Where names come and go that udev does not tell of: pseudo-terminals.
void Places::find_directories() {
  std::vector<std::string> names = config_.discovery.ports;
  for (const auto& module : config_.modules) names.push_back(module.port);
  for (const auto& name : names) {
    const auto directory = std::filesystem::path(name).parent_path().string();
    if (directory.starts_with("/") && directory.find_first_of("*?[") == std::string::npos)
      directories_.insert(directory);
  }
}

void Places::module_changed(const Module& module) {
  if (jobs_ != nullptr) jobs_->module_changed(module);
  const auto& state = module.state();
  Sight sight{state.port, state.problem, state.online, module.port_open()};
  auto& seen = seen_[module.config().id];
  if (sight == seen) return;
  seen = std::move(sight);
  look_soon();
}

/// Those that wait for their port look at once, and then the others are looked for.
void Places::ports_changed() {
  wake_absent();
  for (const auto& directory : directories_) watch_.watch_directory(directory);
  ports_ = watch_.usb_ports();
  in_recovery_ = PortWatch::usb_devices(kRecoveryUsbId);
  look();
}

void Places::wake_absent() {
  for (auto& [id, module] : modules_) {
    if (!module->port_open()) module->wake();
  }
}

void Places::look_soon() {
  if (looking_soon_ || !started_) return;
  looking_soon_ = true;
  asio::co_spawn(loop_, look_later(), rethrow);
}

Awaitable<> Places::look_later() {
  co_await sleep_for(loop_, kGather);
  looking_soon_ = false;
  if (std::exchange(wake_soon_, false)) wake_absent();
  look();
}

void Places::look() {
  std::erase_if(forgotten_, [](const auto& module) { return module->is_over(); });
  leave_foreign_ports();
  learn_homes();
  tell_recovery();
  settle_strangers();
  ask();
  keep_others_away();
}

/// At a place where nobody but we had put the module there is something else now: not a word to that, and not even the
/// question of a module that flashes (law 3) to the wrong one. A place that the operator named is his to answer for.
void Places::leave_foreign_ports() {
  for (auto& [id, module] : modules_) {
    if (!module->config().discovered && module->state().port == module->config().port) continue;
    const auto* usb = usb_port_of(ports_, module->state().port);
    if (usb == nullptr || usb->usb_id == kRecoveryUsbId || may_ask(config_.discovery, *usb)) continue;
    const auto home = homes_.find(id);
    if (home != homes_.end() && home->second.usb_id == usb->usb_id) continue;
    if (may_move(*module) || module->config().discovered) {
      module->leave_port();
    } else {
      module->move_to(module->config().port);  // by whose name it had been followed here
    }
  }
}

/// The kernel's name of a port goes with the next reboot of its module: the one that stays is taken instead.
void Places::learn_homes() {
  for (auto& [id, module] : modules_) {
    if (!module->is_at_home()) continue;
    const auto* usb = usb_port_of(ports_, module->state().port);
    if (usb == nullptr) continue;
    // While an update runs its port is believed; who stands there is known only afterwards.
    if (!module->busy() || !homes_.contains(id)) homes_[id] = {usb->usb_device, usb->usb_id};
    if (module->state().port == usb->device) module->move_to(usb->name, true);
  }
}

/// ModemManager leaves the devices alone at which modules stand, or are asked who they are, and has the others back.
/// One that is unplugged for a moment stays kept: it would be probed when it comes back.
void Places::keep_others_away() {
  std::set<std::string> keep = asking_devices_;
  for (const auto& [id, module] : modules_) {
    if (const auto* usb = usb_port_of(ports_, module->state().port)) keep.insert(usb->usb_device);
    if (const auto home = homes_.find(id); home != homes_.end()) keep.insert(home->second.device);
  }
  std::erase_if(keep, [](const std::string& device) { return !device.starts_with("/sys/"); });
  for (const auto& device : keep) {
    if (!kept_.contains(device)) modem_manager_.inhibit(device);
  }
  for (const auto& device : kept_) {
    if (!keep.contains(device)) modem_manager_.release(device);
  }
  kept_ = std::move(keep);
}

void Places::tell_recovery() {
  std::set<std::string> devices = in_recovery_, sockets;
  for (const auto& port : ports_) {
    if (port.usb_id != kRecoveryUsbId) continue;
    devices.insert(port.usb_device);
    sockets.insert(socket_of(port.name));
  }
  sockets.erase("");
  for (auto& [id, module] : modules_) {
    const auto* usb = usb_port_of(ports_, module->state().port);
    const auto home = homes_.find(id);
    const bool here = usb != nullptr && devices.contains(usb->usb_device);
    // The device has other interfaces now: the port's name is gone, its socket is not.
    const bool was_here = usb == nullptr && ((home != homes_.end() && devices.contains(home->second.device)) ||
                                             sockets.contains(socket_of(module->state().port)));
    module->set_recovery(here || was_here);
  }
}

bool Places::may_discover(const std::string& port) const {
  const auto choices = choose_ports(config_.discovery, ports_, false, {});
  const auto* usb = usb_port_of(ports_, port);
  const auto choice = choices.find(usb != nullptr ? usb->name : port);
  return choice != choices.end() && choice->second.discover;
}

/// Others answer at the ports of modules that have an IMEI of their own: who they are decides who gets the port. Two
/// may have changed places, so all is decided before anything is done.
void Places::settle_strangers() {
  std::map<Module*, std::string> moves;
  std::vector<Module*> guests;
  std::vector<std::pair<std::string, Identity>> strangers;
  for (auto& [id, module] : modules_) {
    if (!may_move(*module) || !module->has_stranger()) continue;
    const auto& state = module->state();
    auto* owner = owner_of(state.identity.imei);
    if (owner != nullptr && may_move(*owner) && !owner->is_at_home()) {
      moves[owner] = state.port;
    } else if (owner == nullptr && may_discover(state.port)) {
      strangers.emplace_back(state.port, state.identity);
    } else {
      continue;
    }
    guests.push_back(module.get());
  }
  for (auto* guest : guests) {
    if (!moves.contains(guest)) guest->leave_port();
  }
  for (const auto& [owner, port] : moves) owner->move_to(port);
  for (const auto& [port, identity] : strangers) discover(port, identity);
  if (guests.empty()) return;
  wake_soon_ = true;  // who gets a port finds it held until the other has let it go
  look_soon();
}

Module* Places::owner_of(const std::string& imei) const {
  if (imei.empty()) return nullptr;
  const auto found = std::find_if(modules_.begin(), modules_.end(),
                                  [&](const auto& entry) { return entry.second->expected_imei() == imei; });
  return found == modules_.end() ? nullptr : found->second.get();
}

/// Of these nobody is asked: a module stands there, or is on its way back.
std::set<std::string> Places::taken_devices() const {
  std::set<std::string> taken;
  for (const auto& [id, module] : modules_) {
    const auto& port = module->state().port;
    const auto* usb = usb_port_of(ports_, port);
    if (!port.empty()) taken.insert(usb != nullptr ? usb->usb_device : port);
    const auto home = homes_.find(id);
    if (home != homes_.end() && module->busy() && !port.empty()) taken.insert(home->second.device);
  }
  return taken;
}

void Places::ask() {
  bool missing = false;
  std::vector<std::string> places;
  for (const auto& [id, module] : modules_) {
    if (!may_move(*module) || module->port_open() || module->is_released()) continue;
    missing = true;
    // The place of one that was found is nobody's word: there may be something foreign now.
    const bool named = !module->config().discovered && !module->config().port.empty();
    if (named && module->state().port.empty()) places.push_back(module->config().port);
  }
  const auto choices = choose_ports(config_.discovery, ports_, missing, places);
  std::erase_if(asked_, [&](const auto& entry) { return !entry.second.asking && !choices.contains(entry.first); });
  const auto taken = taken_devices();
  std::vector<std::pair<std::string, PortChoice>> due(choices.begin(), choices.end());
  std::stable_sort(due.begin(), due.end(), [&](const auto& a, const auto& b) {
    const auto failures = [&](const auto& choice) { return asked_[choice.first].failures; };
    return std::pair(failures(a), a.second.rank) < std::pair(failures(b), b.second.rank);
  });
  for (const auto& [port, choice] : due) {
    auto& asked = asked_[port];
    if (asking_devices_.size() >= kMostAsked) return;
    if (asked.asking || asked.due > Clock::now()) continue;
    if (taken.contains(choice.device) || asking_devices_.contains(choice.device)) continue;
    asked.asking = true;
    asking_devices_.insert(choice.device);
    asio::co_spawn(loop_, ask_one(port, choice), rethrow);
  }
}

AskLeave Places::leave_for(const std::string& device) const {
  if (taken_devices().contains(device)) return AskLeave::give_up;
  const bool one_flashes = std::any_of(modules_.begin(), modules_.end(),
                                       [](const auto& entry) { return entry.second->may_be_elsewhere_flashing(); });
  return one_flashes ? AskLeave::listen : AskLeave::ask;
}

Awaitable<> Places::ask_one(std::string port, PortChoice choice) {
  const std::function<AskLeave()> leave = [this, device = choice.device] { return leave_for(device); };
  const auto identity = co_await ask_port(loop_, port, config_.modem, config_.timeouts, leave);
  asking_devices_.erase(choice.device);
  auto& asked = asked_[port];
  asked.asking = false;
  const auto pause = std::min<Clock::duration>(kAskAgain * (1U << std::min(asked.failures, 8U)), kAskAgainAtMost);
  asked.due = Clock::now() + pause;
  ++asked.failures;
  if (identity) {
    found(port, choice, *identity);
  } else {
    log::debug("port ", port, ": no module there: ", identity.error().message);
  }
  look_soon();
}

void Places::found(const std::string& port, const PortChoice& choice, const Identity& identity) {
  auto* owner = owner_of(identity.imei);
  if (owner == nullptr && choice.discover) return discover(port, identity);
  const auto* why = owner == nullptr      ? "no module of this gateway, and [discovery] does not name the port"
                    : owner->is_at_home() ? "a module that stands elsewhere already (duplicate_imei)"
                    : !may_move(*owner)   ? "a module whose [[module]] names another port and no imei"
                                          : nullptr;
  if (why == nullptr) return owner->move_to(port);
  if (owner == nullptr) asked_[port].due = Clock::time_point::max();  // until something else is plugged in there
  warn_once("port " + port + ": IMEI " + identity.imei + " (" + identity.model + ") answers: " + why);
}

void Places::warn_once(const std::string& text) {
  if (told_.size() >= kMostTold) told_.clear();
  if (told_.insert(text).second) log::warning(text);
}

void Places::discover(const std::string& port, const Identity& identity) {
  ModuleConfig module;
  const bool by_imei = config_.discovery.identify == DiscoveryConfig::Identify::imei;
  module.id = by_imei ? identity.imei : id_of_port(port);
  module.port = port;
  if (by_imei) module.imei = identity.imei;
  module.discovered = true;
  if (const auto known = modules_.find(module.id); !by_imei && known != modules_.end() &&
                                                   known->second->config().discovered &&
                                                   known->second->state().port.empty()) {
    return known->second->move_to(port);  // for a while there was something else in its place
  }
  const auto discovered = std::count_if(modules_.begin(), modules_.end(),
                                        [](const auto& entry) { return entry.second->config().discovered; });
  if (modules_.contains(module.id) || static_cast<std::size_t>(discovered) >= kMostDiscovered) {
    const auto* why = modules_.contains(module.id) ? ": its id is taken" : ": there are as many as may be";
    warn_once("port " + port + ": a module was found and is left out" + why);
    return;
  }
  log::notice("module ", module.id, ": found at ", port, ": ", identity.model, " ", identity.version, " IMEI ",
              identity.imei);
  auto& made = add(std::move(module));
  made.start();
  module_changed(made);
}

bool Places::forget(const std::string& id) {
  const auto found = modules_.find(id);
  if (found == modules_.end() || !found->second->config().discovered) return false;
  auto& module = *found->second;
  if (module.busy() || module.port_open() || module.is_released()) return false;
  module.retire();
  forgotten_.push_back(std::move(found->second));
  modules_.erase(found);
  homes_.erase(id);
  seen_.erase(id);
  log::notice("module ", id, ": forgotten");
  return true;
}

}  // namespace dfota
