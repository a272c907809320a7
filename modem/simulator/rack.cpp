#include "modem/simulator/rack.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "modem/simulator/chardev_port.hpp"
#include "modem/simulator/tcp_port.hpp"

namespace dfota::sim {
namespace {

constexpr int kLastTcpPort = 65535;

void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Error unknown_model(const std::string& model, const Profiles& profiles) {
  std::string known;
  for (const auto& profile : profiles.all()) {
    known += "\n  " + profile.name + ":";
    for (const auto& beginning : profile.models) known += " " + beginning;
  }
  return {Errc::invalid, "no family of modules has a model '" + model + "'; known are" + known +
                             "\n--profiles-dir adds families; --fault model=" + model + " plays UC20's ways"};
}

}  // namespace

Rack::~Rack() {
  if (lock_ >= 0) ::close(lock_);
}

Result<void> Rack::take_dir(const std::string& dir) {
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  const auto path = dir + "/.rack.lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) return Error(Errc::io, "cannot use " + dir + " for the rack: " + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  return Error(Errc::busy, "another rack runs in " + dir + "; stop it or choose another --dir");
}

Result<void> Rack::prepare_ports(const RackOptions& options) {
  if (!options.chardev.empty()) return {};
  if (options.tcp.empty()) {
    auto watch = OpenWatch::create(loop_);
    if (!watch) return watch.error();
    watch_ = std::move(*watch);
    return {};
  }
  const auto first = listening_address(loop_, options.tcp);
  if (!first) return first.error();
  if (first->port() != 0 && first->port() + options.modules() - 1 > kLastTcpPort) {
    return Error(Errc::invalid,
                 "there are not " + std::to_string(options.modules()) + " ports from " + options.tcp + " on");
  }
  first_ = *first;
  return {};
}

Result<std::unique_ptr<Port>> Rack::make_port(const RackOptions& options, int index, const std::string& name) {
  if (!options.chardev.empty()) {
    return std::unique_ptr<Port>(
        std::make_unique<ChardevPort>(loop_, options.chardev + "/m" + std::to_string(index) + ".sock"));
  }
  if (options.tcp.empty()) return make_pty(options, options.dir + "/" + name);
  auto address = first_;
  if (first_.port() != 0) address.port(static_cast<uint16_t>(first_.port() + index));
  return std::unique_ptr<Port>(std::make_unique<TcpPort>(loop_, address));
}

Result<std::unique_ptr<Port>> Rack::make_pty(const RackOptions& options, const std::string& link) {
  const auto there = std::filesystem::symlink_status(link);
  if (std::filesystem::exists(there) && !std::filesystem::is_symlink(there)) {
    return Error(Errc::invalid, link + " exists and is no symlink; remove it");
  }
  std::error_code ignored;
  std::filesystem::remove(link, ignored);
  return std::unique_ptr<Port>(std::make_unique<PtyPort>(loop_, *watch_, link, options.baud));
}

Result<void> Rack::start(const RackOptions& options) {
  const auto& module_options = options.module;
  if (options.count > 0 && module_options.profiles->by_model(module_options.model) == nullptr) {
    return unknown_model(module_options.model, *module_options.profiles);
  }
  std::vector<ReplayScript> scripts;
  for (const auto& file : options.replays) {
    auto script = load_replay(file);
    if (!script) return script.error();
    scripts.push_back(std::move(*script));
  }
  raise_open_files_limit();
  auto taken = take_dir(options.dir);
  if (!taken) return taken;
  auto prepared = prepare_ports(options);
  if (!prepared) return prepared;
  for (int index = 0; index < options.count; ++index) {
    auto module = options.module;
    module.index = index;
    module.dir = options.dir;
    module.name = options.link_prefix + std::to_string(index);
    auto port = make_port(options, index, module.name);
    if (!port) return port.error();
    modules_.push_back(std::make_unique<VirtualModule>(loop_, std::move(*port), log_, std::move(module)));
    auto started = modules_.back()->start();
    if (!started) return started;
  }
  return start_replays(options, std::move(scripts));
}

Result<void> Rack::start_replays(const RackOptions& options, std::vector<ReplayScript> scripts) {
  int index = options.count;
  for (auto& script : scripts) {
    ReplayOptions replay;
    replay.name = options.link_prefix + std::to_string(index);
    replay.profiles = options.module.profiles;
    replay.speed = options.replay_speed;
    auto port = make_port(options, index, replay.name);
    if (!port) return port.error();
    replays_.push_back(std::make_unique<ReplayModule>(loop_, std::move(*port), log_, std::move(script), replay));
    auto started = replays_.back()->start();
    if (!started) return started;
    ++index;
  }
  return {};
}

void Rack::finish() {
  for (const auto& module : replays_) module->finish();
  for (const auto& module : modules_) module->finish();
}

}  // namespace dfota::sim
