#include "modem/simulator/rack.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace dfota::sim {
namespace {

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

Result<void> Rack::start(const RackOptions& options) {
  const auto& module_options = options.module;
  if (module_options.profiles->by_model(module_options.model) == nullptr) {
    return unknown_model(module_options.model, *module_options.profiles);
  }
  raise_open_files_limit();
  auto taken = take_dir(options.dir);
  if (!taken) return taken;
  auto watch = OpenWatch::create(loop_);
  if (!watch) return watch.error();
  watch_ = std::move(*watch);
  for (int index = 0; index < options.count; ++index) {
    auto module = options.module;
    module.index = index;
    module.dir = options.dir;
    module.name = options.link_prefix + std::to_string(index);
    const auto link = std::filesystem::symlink_status(options.dir + "/" + module.name);
    if (std::filesystem::exists(link) && !std::filesystem::is_symlink(link)) {
      return Error(Errc::invalid, options.dir + "/" + module.name + " exists and is no symlink; remove it");
    }
    std::error_code ignored;
    std::filesystem::remove(options.dir + "/" + module.name, ignored);
    modules_.push_back(std::make_unique<VirtualModule>(loop_, *watch_, log_, std::move(module)));
    auto started = modules_.back()->start();
    if (!started) return started;
  }
  return {};
}

void Rack::finish() {
  for (const auto& module : modules_) module->finish();
}

}  // namespace dfota::sim
