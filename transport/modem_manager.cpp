#include "transport/modem_manager.hpp"

#include <fcntl.h>
#include <poll.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

constexpr const char* kName = "org.freedesktop.ModemManager1";
constexpr const char* kPath = "/org/freedesktop/ModemManager1";
constexpr const char* kModem = "org.freedesktop.ModemManager1.Modem";
constexpr const char* kOwnerChanged =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='org.freedesktop.ModemManager1'";
constexpr auto kAnswerLimit = std::chrono::seconds(10);
constexpr int kMessagesAtOnce = 64;  // the loop has other work, too

struct SlotFree {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Slot = std::unique_ptr<sd_bus_slot, SlotFree>;

struct MessageFree {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageFree>;

/// One connection to the system bus, driven by the loop.
class SystemBus : public std::enable_shared_from_this<SystemBus> {
 public:
  SystemBus(asio::io_context& loop, sd_bus* bus, std::function<void()> lost)
      : bus_(bus), descriptor_(loop), timer_(loop), lost_(std::move(lost)) {}
  /// Not flushed, which could block.
  ~SystemBus() { sd_bus_close_unref(bus_); }
  SystemBus(const SystemBus&) = delete;
  SystemBus& operator=(const SystemBus&) = delete;

  [[nodiscard]] sd_bus* get() const { return bus_; }

  /// A descriptor of our own: sd-bus closes its one when it likes.
  bool start() {
    const int own = ::fcntl(sd_bus_get_fd(bus_), F_DUPFD_CLOEXEC, 0);
    asio::error_code error;
    if (own >= 0) descriptor_.assign(own, error);
    if (own >= 0 && error) ::close(own);
    if (own < 0 || error) return false;
    go_on();
    return true;
  }

  /// To be called after something was sent: it may wait for room.
  void go_on() {
    watch(POLLIN, asio::posix::descriptor_base::wait_read, reading_);
    watch(POLLOUT, asio::posix::descriptor_base::wait_write, writing_);
    std::uint64_t at = 0;
    if (sd_bus_get_timeout(bus_, &at) < 0 || at == UINT64_MAX) {
      timer_.cancel();
      return;
    }
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto now_us =
        static_cast<std::uint64_t>(now.tv_sec) * 1000000U + static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
    timer_.expires_after(std::chrono::microseconds(at > now_us ? at - now_us : 0));
    timer_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (self && !error) self->work();
    });
  }

 private:
  void watch(short event, asio::posix::descriptor_base::wait_type what, bool& watched) {
    const int wanted = sd_bus_get_events(bus_);
    if (watched || wanted < 0 || (wanted & event) == 0) return;
    watched = true;
    descriptor_.async_wait(what, [weak = weak_from_this(), &watched](const asio::error_code& error) {
      const auto self = weak.lock();
      if (!self) return;
      watched = false;
      if (!error) self->work();
    });
  }

  void work() {
    int done = 1;
    for (int i = 0; i < kMessagesAtOnce && done > 0; ++i) done = sd_bus_process(bus_, nullptr);
    if (done < 0) {
      lost_();
    } else {
      go_on();  // what is left over is due at once, by its timeout
    }
  }

  sd_bus* bus_;
  asio::posix::stream_descriptor descriptor_;
  Timer timer_;
  std::function<void()> lost_;
  bool reading_ = false, writing_ = false;
};

/// The uid of a modem that InterfacesAdded announces; empty when that is something else.
std::string announced_device(sd_bus_message* message) {
  std::string device;
  if (sd_bus_message_skip(message, "o") < 0 || sd_bus_message_enter_container(message, 'a', "{sa{sv}}") < 0) return {};
  while (sd_bus_message_enter_container(message, 'e', "sa{sv}") > 0) {
    const char* interface = nullptr;
    if (sd_bus_message_read(message, "s", &interface) < 0) return {};
    if (std::strcmp(interface, kModem) != 0) {
      if (sd_bus_message_skip(message, "a{sv}") < 0) return {};
    } else {
      if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return {};
      while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char* property = nullptr;
        const char* value = nullptr;
        if (sd_bus_message_read(message, "s", &property) < 0) return {};
        const bool wanted = std::strcmp(property, "Device") == 0;
        const int read = wanted ? sd_bus_message_read(message, "v", "s", &value) : sd_bus_message_skip(message, "v");
        if (read < 0 || sd_bus_message_exit_container(message) < 0) return {};
        if (value != nullptr) device = value;
      }
      if (sd_bus_message_exit_container(message) < 0) return {};
    }
    if (sd_bus_message_exit_container(message) < 0) return {};
  }
  return device;
}

}  // namespace

/// Speaks with ModemManager. It knows a device only when it has probed it and shows it as a modem on the bus: an
/// earlier call is answered by an error (NotFound, WrongState), and the announcement of the modem (InterfacesAdded) is
/// when to call again. From then on it remembers the uid, plugged in or not, until our connection or itself is gone
/// (ModemManager 1.20, mm-base-manager.c).
class ModemManager::Agent : public std::enable_shared_from_this<Agent> {
 public:
  explicit Agent(asio::io_context& loop) : loop_(loop), again_(loop) {}

  void inhibit(const std::string& uid) {
    const auto [entry, added] = devices_.try_emplace(uid);
    auto& device = entry->second;
    device.released = false;
    if (!added) return;
    device.agent = this;
    device.uid = uid;
    if (!bus_ && !trying_) connect();
    if (running_) ask(device);
  }

  void release(const std::string& uid) {
    const auto entry = devices_.find(uid);
    if (entry == devices_.end()) return;
    auto& device = entry->second;
    // ModemManager might take the second word before the first one: not before it has answered.
    device.released = true;
    if (device.stage != Stage::asked) give_back(device);
  }

  [[nodiscard]] bool keeps_away(const std::string& uid) const {
    const auto entry = devices_.find(uid);
    return entry != devices_.end() && entry->second.stage == Stage::away;
  }

 private:
  enum class Stage { idle, asked, refused, away };
  struct Device {
    Agent* agent = nullptr;
    std::string uid;
    Stage stage = Stage::idle;
    bool released = false;
    Slot call;  ///< the answer that is awaited; without it there is none
  };

  void connect() {
    sd_bus* opened = nullptr;
    int code = sd_bus_open_system(&opened);
    if (code >= 0) {
      // Not from within: it is in the midst of its own work.
      const auto lost = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) asio::post(self->loop_, [self] { self->lose(); });
      };
      bus_ = std::make_shared<SystemBus>(loop_, opened, lost);
      code = listen();
    }
    if (code >= 0 && bus_->start()) return;
    log::debug("ModemManager: no system bus: ", std::strerror(code < 0 ? -code : errno));
    lose();
  }

  int listen() {
    auto* const bus = bus_->get();
    sd_bus_set_method_call_timeout(bus, std::chrono::microseconds(kAnswerLimit).count());
    int code = sd_bus_add_match_async(bus, nullptr, kOwnerChanged, &Agent::on_owner_changed, nullptr, this);
    if (code < 0) return code;
    code = sd_bus_match_signal_async(bus, nullptr, kName, kPath, "org.freedesktop.DBus.ObjectManager",
                                     "InterfacesAdded", &Agent::on_announced, nullptr, this);
    if (code < 0) return code;
    return sd_bus_call_method_async(bus, nullptr, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                    "org.freedesktop.DBus", "GetNameOwner", &Agent::on_owner, this, "s", kName);
  }

  /// The connection is gone, and with it all inhibitions.
  void lose() {
    set_running(false);
    bus_.reset();
    try_again();
  }

  void try_again() {
    if (trying_ || devices_.empty()) return;
    trying_ = true;
    again_.expires_after(kTryAgain);
    again_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (!self || error) return;
      self->trying_ = false;
      if (self->devices_.empty()) return;
      if (!self->bus_) return self->connect();
      for (auto& [uid, device] : self->devices_) {
        if (device.stage == Stage::refused) self->ask(device);
      }
    });
  }

  /// Another ModemManager knows nothing of what the one before was told.
  void set_running(bool running) {
    running_ = running;
    for (auto entry = devices_.begin(); entry != devices_.end();) {
      auto& device = entry->second;
      device.call.reset();
      device.stage = Stage::idle;
      entry = device.released ? devices_.erase(entry) : std::next(entry);
    }
    if (!running) return;
    for (auto& [uid, device] : devices_) ask(device);
  }

  /// Never starts ModemManager, which the bus would do for a call.
  Message order(const std::string& uid, bool inhibit) {
    sd_bus_message* made = nullptr;
    if (sd_bus_message_new_method_call(bus_->get(), &made, kName, kPath, kName, "InhibitDevice") < 0) return nullptr;
    Message message(made);
    sd_bus_message_set_auto_start(made, 0);
    if (sd_bus_message_append(made, "sb", uid.c_str(), inhibit ? 1 : 0) < 0) return nullptr;
    return message;
  }

  void ask(Device& device) {
    const auto message = order(device.uid, true);
    sd_bus_slot* slot = nullptr;
    if (!message || sd_bus_call_async(bus_->get(), &slot, message.get(), &Agent::on_answer, &device, 0) < 0) {
      log::debug("ModemManager: it could not be asked to leave ", device.uid, " alone");
      device.stage = Stage::refused;
      return try_again();
    }
    device.call.reset(slot);
    device.stage = Stage::asked;
    bus_->go_on();
  }

  void give_back(Device& device) {
    if (device.stage == Stage::away) {
      const auto message = order(device.uid, false);
      if (message) sd_bus_call_async(bus_->get(), nullptr, message.get(), nullptr, nullptr, 0);
      bus_->go_on();
      log::info("ModemManager: it may have ", device.uid, " again");
    }
    devices_.erase(std::string(device.uid));
  }

  void take_answer(Device& device, const sd_bus_error* error) {
    device.call.reset();
    if (error == nullptr) {
      device.stage = Stage::away;
      told_ = false;
      log::info("ModemManager: it leaves ", device.uid, " alone");
    } else {
      device.stage = is_unready(error) ? Stage::idle : Stage::refused;
      tell(device, *error);
    }
    if (device.released) return give_back(device);
    if (device.stage == Stage::refused) try_again();
  }

  /// It will announce the device when that is one for it; or another program has made it leave the device alone.
  static bool is_unready(const sd_bus_error* error) {
    for (const auto* name : {"NotFound", "WrongState", "InProgress"}) {
      if (error->name == std::string(kName) + ".Error.Core." + name) return true;
    }
    return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) != 0 ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) != 0;
  }

  void tell(const Device& device, const sd_bus_error& error) {
    const std::string what = error.message != nullptr ? error.message : error.name;
    if (device.stage == Stage::idle || sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) != 0) {
      log::debug("ModemManager: ", device.uid, ": ", what);
    } else if (!std::exchange(told_, true)) {
      log::warning("ModemManager: it does not let us keep it away from ", device.uid, " (", what,
                   "): install this program's udev rule (ID_MM_DEVICE_IGNORE), or allow our user InhibitDevice in the "
                   "bus's policy and polkit's action org.freedesktop.ModemManager1.Control");
    }
  }

  static int on_owner_changed(sd_bus_message* message, void* self, sd_bus_error*) {
    const char *name = nullptr, *before = nullptr, *now = nullptr;
    if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0) return 0;
    static_cast<Agent*>(self)->set_running(*now != '\0');
    return 0;
  }

  static int on_owner(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& agent = *static_cast<Agent*>(self);
    const bool owned = sd_bus_message_is_method_error(message, nullptr) == 0;
    if (owned && !agent.running_) agent.set_running(true);  // else on_owner_changed was first
    return 0;
  }

  static int on_announced(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& agent = *static_cast<Agent*>(self);
    const auto entry = agent.devices_.find(announced_device(message));
    if (entry != agent.devices_.end() && entry->second.stage != Stage::asked && agent.running_)
      agent.ask(entry->second);
    return 0;
  }

  static int on_answer(sd_bus_message* message, void* asked, sd_bus_error*) {
    auto& device = *static_cast<Device*>(asked);
    device.agent->take_answer(device, sd_bus_message_get_error(message));
    return 0;
  }

  asio::io_context& loop_;
  Timer again_;
  std::shared_ptr<SystemBus> bus_;
  std::map<std::string, Device> devices_;  ///< nodes stay where they are: answers point to them
  bool running_ = false;                   ///< ModemManager is on the bus
  bool trying_ = false;                    ///< again_ runs
  bool told_ = false;                      ///< that it refuses
};

ModemManager::ModemManager(asio::io_context& loop) : agent_(std::make_shared<Agent>(loop)) {}
ModemManager::~ModemManager() = default;

void ModemManager::inhibit(const std::string& uid) {
  agent_->inhibit(uid);
}

void ModemManager::release(const std::string& uid) {
  agent_->release(uid);
}

bool ModemManager::keeps_away(const std::string& uid) const {
  return agent_->keeps_away(uid);
}

}  // namespace dfota
