#include "transport/port_watch.hpp"

#include <fcntl.h>
#include <libudev.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByPath = "/dev/serial/by-path/";

std::string text(const char* value) {
  return value == nullptr ? std::string() : std::string(value);
}

std::string lower(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return value;
}

int hex(const char* value) {
  const auto digits = text(value);
  int number = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

/// As udev has it in its database; without udev (a container) as the kernel says.
std::string usb_id_of(udev_device* device, udev_device* usb) {
  const auto said = [&](const char* property, const char* attribute) {
    const auto value = text(udev_device_get_property_value(device, property));
    return value.empty() ? text(udev_device_get_sysattr_value(usb, attribute)) : value;
  };
  return lower(said("ID_VENDOR_ID", "idVendor") + ":" + said("ID_MODEL_ID", "idProduct"));
}

std::string stable_name(udev_device* tty, const std::string& device) {
  udev_list_entry* link = nullptr;
  // Of several links to one port always the same one, or its name would not stay.
  std::string name;
  udev_list_entry_foreach(link, udev_device_get_devlinks_list_entry(tty)) {
    const auto path = text(udev_list_entry_get_name(link));
    if (path.starts_with(kByPath) && (name.empty() || path < name)) name = path;
  }
  return name.empty() ? device : name;
}

std::optional<UsbPort> usb_port(udev_device* tty) {
  auto* usb = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_device");
  if (usb == nullptr) return std::nullopt;
  auto* interface = udev_device_get_parent_with_subsystem_devtype(tty, "usb", "usb_interface");
  UsbPort port;
  port.device = text(udev_device_get_devnode(tty));
  if (port.device.empty()) return std::nullopt;
  port.name = stable_name(tty, port.device);
  port.usb_device = text(udev_device_get_syspath(usb));
  port.usb_id = usb_id_of(tty, usb);
  if (interface != nullptr) port.interface = hex(udev_device_get_sysattr_value(interface, "bInterfaceNumber"));
  return port;
}

std::string first_word(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return word;
}

}  // namespace

void PortWatch::Drop::operator()(udev* context) const {
  udev_unref(context);
}
void PortWatch::Drop::operator()(udev_monitor* monitor) const {
  udev_monitor_unref(monitor);
}
void PortWatch::Drop::operator()(udev_device* device) const {
  udev_device_unref(device);
}

PortWatch::PortWatch(asio::io_context& loop)
    : loop_(loop), udev_(udev_new()), udev_events_(loop), directory_events_(loop), rescan_(loop) {
  // What udev tells comes after its rules: the links in /dev/serial are there.
  if (udev_) monitor_.reset(udev_monitor_new_from_netlink(udev_.get(), "udev"));
  if (monitor_) {
    udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), "tty", nullptr);
    udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), "usb", "usb_device");
    const int descriptor = udev_monitor_enable_receiving(monitor_.get()) < 0
                               ? -1
                               : ::fcntl(udev_monitor_get_fd(monitor_.get()), F_DUPFD_CLOEXEC, 0);
    if (descriptor >= 0) udev_events_.assign(descriptor);
  }
  if (!udev_events_.is_open()) {
    log::notice("ports: udev tells nothing here; what is plugged in is seen every ",
                std::chrono::duration_cast<std::chrono::seconds>(kRescan).count(), " s");
  }
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor >= 0) directory_events_.assign(descriptor);
}

PortWatch::~PortWatch() = default;

void PortWatch::start() {
  if (udev_events_.is_open()) asio::co_spawn(loop_, follow_udev(), rethrow);
  if (directory_events_.is_open()) asio::co_spawn(loop_, follow_directories(), rethrow);
  asio::co_spawn(loop_, tell(), rethrow);
}

void PortWatch::watch_directory(const std::string& directory) {
  if (!directory_events_.is_open()) return;
  const auto what = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR;
  ::inotify_add_watch(directory_events_.native_handle(), directory.c_str(), what);
}

Awaitable<> PortWatch::follow_udev() {
  for (;;) {
    const auto [error] = co_await udev_events_.async_wait(asio::posix::descriptor_base::wait_read, kNoThrow);
    if (error) co_return;
    bool any = false;
    // What it was does not matter: what is there is looked at anew.
    while (const std::unique_ptr<udev_device, Drop> device{udev_monitor_receive_device(monitor_.get())}) any = true;
    if (any) changed();
  }
}

Awaitable<> PortWatch::follow_directories() {
  for (;;) {
    const auto [error, size] = co_await directory_events_.async_read_some(asio::buffer(buffer_), kNoThrow);
    if (error) co_return;
    if (size > 0) changed();
  }
}

void PortWatch::changed() {
  if (!changed_at_) changed_at_ = Clock::now();
  rescan_.cancel();
}

Awaitable<> PortWatch::tell() {
  for (;;) {
    const auto due = changed_at_ ? *changed_at_ + kGather : Clock::now() + kRescan;
    rescan_.expires_at(due);
    co_await rescan_.async_wait(kNoThrow);
    if (Clock::now() < due) continue;
    changed_at_.reset();
    if (on_change) on_change();
  }
}

std::vector<UsbPort> PortWatch::usb_ports() const {
  std::vector<UsbPort> ports;
  if (!udev_) return ports;
  std::error_code none;
  const bool has_udev = fs::exists("/run/udev/control", none);
  // Not by udev_enumerate, which reads some files of each of the seventy consoles that every machine has.
  std::error_code gone;
  for (fs::directory_iterator entry("/sys/class/tty", gone), end; !gone && entry != end; entry.increment(gone)) {
    std::error_code unreadable;
    const auto place = fs::read_symlink(entry->path(), unreadable).string();
    if (unreadable || place.find("/usb") == std::string::npos) continue;
    const std::unique_ptr<udev_device, Drop> tty(udev_device_new_from_syspath(udev_.get(), entry->path().c_str()));
    if (!tty) continue;  // it went meanwhile
    // Where udev works, what it has not been through yet has neither its names nor its properties; its event comes.
    if (has_udev && udev_device_get_is_initialized(tty.get()) <= 0) continue;
    if (auto port = usb_port(tty.get())) ports.push_back(std::move(*port));
  }
  return ports;
}

std::set<std::string> PortWatch::usb_devices(std::string_view usb_id) {
  std::set<std::string> places;
  std::error_code gone;
  for (fs::directory_iterator entry("/sys/bus/usb/devices", gone), end; !gone && entry != end; entry.increment(gone)) {
    const auto id = first_word(entry->path() / "idVendor") + ":" + first_word(entry->path() / "idProduct");
    if (id != usb_id) continue;
    std::error_code unreadable;
    const auto place = fs::canonical(entry->path(), unreadable);
    if (!unreadable) places.insert(place.string());
  }
  return places;
}

}  // namespace dfota
