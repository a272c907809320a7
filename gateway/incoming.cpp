#include "gateway/incoming.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "gateway/json_guard.hpp"
#include "gateway/manifest_files.hpp"
#include "transport/base/log.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostManifestBytes = 65536;
constexpr std::size_t kMostPairs = 1000;  // at one look; the others have their turn when these have gone
constexpr std::string_view kExtension = ".json", kRejected = ".rejected";
constexpr auto kMode = fs::perms::owner_all | fs::perms::group_all | fs::perms::set_gid;

/// Empty when it went well, or what did not.
std::string failure_of(int result) {
  return result == 0 || errno == ENOENT ? std::string() : std::generic_category().message(errno);
}

}  // namespace

Incoming::Incoming(asio::io_context& loop, Catalog& catalog, ReportFault report_fault, Clock::duration settled)
    : loop_(loop), catalog_(catalog), report_fault_(std::move(report_fault)), settled_(settled) {}

Awaitable<> Incoming::watch() {
  for (;;) {
    co_await look();
    co_await sleep_for(loop_, kEvery);
  }
}

Incoming::Stamp Incoming::stamp_of(const fs::path& file) {
  struct stat status {};
  Stamp stamp;
  if (::lstat(file.c_str(), &status) != 0) return stamp;
  constexpr std::int64_t kSecond = 1000000000;
  stamp.there = true;
  stamp.regular = S_ISREG(status.st_mode);
  stamp.inode = status.st_ino;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.changed_ns = status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec;
  return stamp;
}

Incoming::Scan Incoming::scan(const fs::path& directory) {
  Scan found;
  std::error_code error;
  // An operator's own directory keeps the mode that he gave it.
  if (fs::create_directories(directory, error)) fs::permissions(directory, kMode, error);
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end && found.pairs.size() < kMostPairs;
       entry.increment(error)) {
    const auto& file = entry->path();
    const auto name = file.filename().string();
    if (name.starts_with('.') || !name.ends_with(kExtension)) continue;
    Pair pair;
    pair.name = name.substr(0, name.size() - kExtension.size());
    pair.manifest = stamp_of(file);
    pair.delta = stamp_of(directory / pair.name);
    auto text = read_small_file(file, kMostManifestBytes);
    if (text) {
      pair.text = std::move(*text);
    } else {
      pair.text = text.error();
    }
    found.pairs.push_back(std::move(pair));
  }
  if (error) found.failure = error.message();
  return found;
}

Awaitable<> Incoming::look() {
  std::function<Scan()> work = [directory = catalog_.incoming()] { return scan(directory); };
  auto found = co_await disk_.run(std::move(work));
  if (found.failure != failure_ && !found.failure.empty()) {
    log::error("artifacts.incoming ", catalog_.incoming().string(), " cannot be read: ", found.failure);
  }
  failure_ = found.failure;
  std::map<std::string, Seen> seen;
  for (const auto& pair : found.pairs) {
    const auto before = seen_.find(pair.name);
    const bool same =
        before != seen_.end() && before->second.delta == pair.delta && before->second.manifest == pair.manifest;
    seen[pair.name] = same ? before->second : Seen{pair.delta, pair.manifest, Clock::now()};
  }
  seen_ = std::move(seen);
  for (auto& pair : found.pairs) {
    if (!seen_.at(pair.name).told) co_await take(std::move(pair));
  }
}

bool Incoming::is_settled(const std::string& name) const {
  return Clock::now() - seen_.at(name).since >= settled_;
}

Awaitable<> Incoming::take(Pair pair) {
  if (const auto* error = std::get_if<Error>(&pair.text)) {
    CommandFault fault{"invalid", "the manifest cannot be read: " + error->message, ""};
    if (error->code == Errc::absent) co_return;  // it went meanwhile
    co_await reject(pair, std::move(fault));
    co_return;
  }
  const auto document = parse_untrusted(std::get<std::string>(pair.text), kMostManifestBytes);
  if (const auto* wrong = std::get_if<JsonFault>(&document)) {
    CommandFault fault{wrong->code, wrong->message, wrong->pointer};
    co_await wait_or_reject(pair, std::move(fault));  // it may be being written
    co_return;
  }
  auto parsed = parse_manifest(std::get<json>(document), false);
  if (const auto* wrong = std::get_if<CommandFault>(&parsed)) {
    auto fault = *wrong;
    co_await reject(pair, std::move(fault));
    co_return;
  }
  auto manifest = std::get<Manifest>(std::move(parsed));
  if (manifest.name != pair.name) {
    auto fault = invalid("/name", "must be the name of the file beside it, without .json");
    co_await reject(pair, std::move(fault));
    co_return;
  }
  co_await take_manifest(pair, std::move(manifest));
}

Awaitable<> Incoming::take_manifest(const Pair& pair, Manifest manifest) {
  const auto* known = catalog_.find(manifest.name);
  const bool taken_before = known != nullptr && known->sha256 == manifest.sha256;  // and stopped before this one went
  if (!pair.delta.there && !taken_before) {
    if (!is_settled(pair.name)) co_return;
    seen_.at(pair.name).told = true;
    log::warning("artifacts.incoming: ", pair.name, ".json waits for the file ", pair.name, " beside it");
    co_return;
  }
  if (pair.delta.there && !pair.delta.regular) {
    auto fault = invalid("", "what is beside it is no regular file");
    co_await reject(pair, std::move(fault));
    co_return;
  }
  if (pair.delta.there && pair.delta.size != *manifest.size) {
    CommandFault fault{
        "artifact_hash_mismatch",
        "the file has " + std::to_string(pair.delta.size) + " bytes, and size says " + std::to_string(*manifest.size),
        "/size"};
    co_await wait_or_reject(pair, std::move(fault));  // it may be being copied
    co_return;
  }
  auto fault = co_await catalog_.add(std::move(manifest));
  if (!fault) {
    co_await remove_manifest(pair);
    co_return;
  }
  const bool still_written = stamp_of(catalog_.incoming() / pair.name) != pair.delta;
  if (fault->code == "busy" || still_written) co_return;  // again at the next look
  auto refusal = std::move(*fault);
  co_await reject(pair, std::move(refusal));
}

Awaitable<> Incoming::wait_or_reject(const Pair& pair, CommandFault fault) {
  if (is_settled(pair.name)) co_await reject(pair, std::move(fault));
}

/// Told once, also when it cannot be renamed.
Awaitable<> Incoming::reject(const Pair& pair, CommandFault fault) {
  seen_.at(pair.name).told = true;
  const auto place = fault.pointer.empty() ? std::string() : " " + fault.pointer;
  auto text = "artifacts.incoming: " + pair.name + ".json is refused:" + place + " " + fault.message;
  const auto file = catalog_.incoming() / (pair.name + std::string(kExtension));
  std::function<std::string()> work = [file] {
    return failure_of(::rename(file.c_str(), (file.string() + std::string(kRejected)).c_str()));
  };
  const auto failure = co_await disk_.run(std::move(work));
  if (!failure.empty()) text += " (and it cannot be renamed: " + failure + ")";
  log::error(text);
  report_fault_(fault.code, text);
}

/// The catalog has it. One that stays is not taken again.
Awaitable<> Incoming::remove_manifest(const Pair& pair) {
  seen_.at(pair.name).told = true;
  std::function<std::string()> work = [file = catalog_.incoming() / (pair.name + std::string(kExtension))] {
    return failure_of(::unlink(file.c_str()));
  };
  const auto failure = co_await disk_.run(std::move(work));
  if (!failure.empty()) {
    log::warning("artifacts.incoming: ", pair.name, ".json is taken and cannot be removed: ", failure);
  }
}

}  // namespace dfota
