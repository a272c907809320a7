#include "modem/simulator/file_system.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dfota::sim {
namespace {

bool fits(std::string_view pattern, std::string_view name) {
  size_t at = 0;
  size_t in = 0;
  size_t star = std::string_view::npos;
  size_t retry = 0;
  while (in < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      retry = in;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[in])) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

Error absent(const std::string& name) {
  return {Errc::absent, "no file " + name};
}

}  // namespace

bool FileSystem::is_name(std::string_view name) {
  const auto allowed = [](unsigned char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"/\\*?:,").find(static_cast<char>(c)) == std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), allowed);
}

Result<void> FileSystem::load() {
  sizes_.clear();
  std::error_code failure;
  if (!std::filesystem::exists(dir_, failure)) return {};
  for (const auto& entry : std::filesystem::directory_iterator(dir_, failure)) {
    const auto name = entry.path().filename().string();
    if (is_name(name) && entry.is_regular_file() && sizes_.size() < kMaxFiles) sizes_[name] = entry.file_size();
  }
  if (failure) return Error(Errc::io, "cannot read the module's files in " + dir_ + ": " + failure.message());
  return {};
}

uint64_t FileSystem::free_bytes() const {
  uint64_t used = 0;
  for (const auto& [name, size] : sizes_) used += size;
  return used < capacity_bytes_ ? capacity_bytes_ - used : 0;
}

std::map<std::string, uint64_t> FileSystem::list(std::string_view pattern) const {
  auto found = sizes_;
  std::erase_if(found, [pattern](const auto& file) { return !fits(pattern, file.first); });
  return found;
}

Result<std::string> FileSystem::read(const std::string& name) const {
  if (!has(name)) return absent(name);
  const std::ifstream file(path_of(name), std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) return Error(Errc::io, "cannot read " + path_of(name));
  return content.str();
}

Result<void> FileSystem::write(const std::string& name, std::string_view content) {
  if (!is_name(name)) return Error(Errc::invalid, "no name for a file: " + name);
  const auto old = sizes_.find(name);
  const uint64_t replaced = old == sizes_.end() ? 0 : old->second;
  if (content.size() > free_bytes() + replaced || (old == sizes_.end() && sizes_.size() >= kMaxFiles)) {
    return Error(Errc::no_space, "no room for " + name);
  }
  std::error_code failure;
  std::filesystem::create_directories(dir_, failure);
  const auto fresh = path_of(".new");
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (file) std::filesystem::rename(fresh, path_of(name), failure);
  if (!file || failure) return Error(Errc::io, "cannot write " + path_of(name));
  sizes_[name] = content.size();
  return {};
}

Result<void> FileSystem::remove(const std::string& name) {
  if (sizes_.erase(name) == 0) return absent(name);
  std::error_code failure;
  std::filesystem::remove(path_of(name), failure);
  if (failure) return Error(Errc::io, "cannot remove " + path_of(name) + ": " + failure.message());
  return {};
}

}  // namespace dfota::sim
