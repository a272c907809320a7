#include "transport/port_holder.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "transport/link.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr int kMostProcesses = 4096;
constexpr auto kLongestLook = std::chrono::milliseconds(100);
constexpr std::size_t kLongestName = 15;
constexpr std::size_t kMostLocks = 1U << 20U;  // bytes of /proc/locks

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// At most `most` bytes of a file; empty when it cannot be read.
std::string contents(const std::string& file, std::size_t most) {
  std::ifstream in(file, std::ios::binary);
  std::string text(most, '\0');
  in.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// Another user's process cannot be signalled (EPERM), but is there.
bool is_another(pid_t pid) {
  return pid > 0 && pid != ::getpid() && (::kill(pid, 0) == 0 || errno == EPERM);
}

/// A process may call itself what it likes, and its name is published.
std::string program_name(pid_t pid) {
  auto name = contents("/proc/" + std::to_string(pid) + "/comm", kLongestName);
  if (const auto end = name.find('\n'); end != std::string::npos) name.resize(end);
  for (auto& character : name) {
    if (character < ' ' || character > '~') character = '?';
  }
  return name;
}

PortHolder holder(pid_t pid, PortHolder::Evidence evidence) {
  PortHolder found;
  found.pid = pid;
  found.name = program_name(pid);
  found.evidence = evidence;
  return found;
}

/// "2: FLOCK  ADVISORY  WRITE 1234 00:05:678 0 EOF": process, then major:minor (hexadecimal) of the file system, and
/// inode. A line with "->" is one who waits.
std::optional<PortHolder> by_lock(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  std::istringstream lines(contents("/proc/locks", kMostLocks));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string index, kind, manner, access, process, file;
    words >> index >> kind >> manner >> access >> process >> file;
    const auto first = file.find(':'), second = file.rfind(':');
    if (kind != "FLOCK" || first == second) continue;
    const std::string_view place = file;
    const auto device_major = number<unsigned>(place.substr(0, first), 16);
    const auto device_minor = number<unsigned>(place.substr(first + 1, second - first - 1), 16);
    const auto inode = number<ino_t>(place.substr(second + 1));
    if (device_major != major(status.st_dev) || device_minor != minor(status.st_dev) || inode != status.st_ino)
      continue;
    const auto pid = number<pid_t>(process);
    if (pid && is_another(*pid)) return holder(*pid, PortHolder::Evidence::lock);
  }
  return std::nullopt;
}

/// Ten digits and a newline (FHS 5.9), with the program's name behind them at times; or, of old, the number itself.
std::optional<PortHolder> by_lock_file(const std::string& path, const std::string& directory) {
  const auto text = contents(directory + "/LCK.." + fs::path(path).filename().string(), 64);
  std::optional<pid_t> pid;
  if (text.size() == sizeof(pid_t)) {
    std::memcpy(&pid.emplace(), text.data(), sizeof(pid_t));
  } else {
    std::string word;
    std::istringstream(text) >> word;
    pid = number<pid_t>(word);
  }
  if (!pid || !is_another(*pid)) return std::nullopt;
  return holder(*pid, PortHolder::Evidence::lock_file);
}

/// Counts the time of this thread alone: a busy machine is no reason to look at less.
class Patience {
 public:
  [[nodiscard]] bool ended() const { return used() - began_ >= kLongestLook; }

 private:
  static std::chrono::nanoseconds used() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  std::chrono::nanoseconds began_ = used();
};

/// readlink and not stat: what a stranger's descriptor leads to may be a server that does not answer.
bool has_open(const fs::path& descriptors, const std::string& path, const Patience& patience) {
  std::error_code error;
  for (fs::directory_iterator entry(descriptors, error), end; !error && entry != end; entry.increment(error)) {
    std::array<char, 256> target{};
    const auto size = ::readlink(entry->path().c_str(), target.data(), target.size());
    if (size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == path) return true;
    if (patience.ended()) return false;
  }
  return false;
}

std::optional<PortHolder> by_descriptor(const std::string& path) {
  const Patience patience;
  int left = kMostProcesses;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const auto pid = number<pid_t>(entry->path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    if (left-- == 0 || patience.ended()) return std::nullopt;
    if (has_open(entry->path() / "fd", path, patience)) return holder(*pid, PortHolder::Evidence::open_descriptor);
  }
  return std::nullopt;
}

}  // namespace

std::string PortHolder::text() const {
  const auto process = "process " + std::to_string(pid);
  return name.empty() ? process : name + " (" + process + ")";
}

std::optional<PortHolder> find_port_holder(const std::string& real_path, const std::string& lock_files) {
  if (auto found = by_lock(real_path)) return found;
  if (auto found = by_lock_file(real_path, lock_files)) return found;
  return by_descriptor(real_path);
}

std::optional<PortHolder> find_holder_of(const std::string& port) {
  return port_present(port) && !port.starts_with("tcp://") ? find_port_holder(real_port(port)) : std::nullopt;
}

Error with_holder(const Error& error, const std::string& port) {
  if (error.code != Errc::busy) return error;
  const auto found = find_holder_of(port);
  return found ? Error(error.code, real_port(port) + " is held by " + found->text()) : error;
}

}  // namespace dfota
