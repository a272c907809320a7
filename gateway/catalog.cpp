#include "gateway/catalog.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>

#include "gateway/manifest_files.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;
using Fault = std::optional<CommandFault>;

CommandFault busy(const std::string& name) {
  return {"busy", "\"" + name + "\" is being added or removed; send the command again", "/name"};
}

CommandFault fault_of(const Error& error) {
  if (error.code == Errc::busy) return {"busy", error.message, ""};
  return {std::string(explain(artifact_finding(error.code)).word), error.message,
          error.code == Errc::mismatch ? "/sha256" : ""};
}

/// Whether they say the same of the same bytes, wherever those come from.
bool same_content(Manifest one, Manifest other) {
  one.url.clear();
  other.url.clear();
  return to_json(one) == to_json(other);
}

}  // namespace

Catalog::Catalog(asio::io_context& loop, Fetch& fetch, const Trust& trust, fs::path directory, fs::path incoming)
    : loop_(loop), fetch_(fetch), trust_(trust), directory_(std::move(directory)), incoming_(std::move(incoming)) {
  fetch_.on_evicted = [this](const std::string& sha256) { evicted(sha256); };
}

void Catalog::load() {
  manifests_ = read_manifests(directory_);
}

const Manifest* Catalog::find(const std::string& name) const {
  const auto found = manifests_.find(name);
  return found == manifests_.end() ? nullptr : &found->second;
}

Awaitable<> Catalog::drop_lost() {
  const auto contents = co_await fetch_.contents();
  if (!contents) {
    log::warning("artifacts: the cache cannot be read: ", contents.error().message);
    co_return;
  }
  std::set<std::string> there;
  for (const auto& file : *contents) there.insert(file.sha256);
  std::vector<std::string> lost;
  for (const auto& [name, manifest] : manifests_) {
    if (manifest.url.empty() && !there.contains(manifest.sha256)) lost.push_back(name);
  }
  const std::string why = "its file is not in the cache any more, and it has no url";
  for (const auto& name : lost) co_await drop(name, why);
}

/// Its file is gone for good.
Awaitable<> Catalog::drop(std::string name, std::string why) {
  if (changing_.contains(name) || manifests_.erase(name) == 0) co_return;
  changed();
  log::notice("artifact ", name, " goes: ", why);
  changing_.insert(name);
  std::function<std::optional<Error>()> work = [directory = directory_, name] {
    return remove_manifest(directory, name);
  };
  const auto failed = co_await disk_.run(std::move(work));
  changing_.erase(name);
  if (failed) log::warning("artifact ", name, ": ", failed->message);
}

void Catalog::changed() {
  if (on_changed) on_changed();
}

/// Said by Fetch when others needed the room.
void Catalog::evicted(const std::string& sha256) {
  std::vector<std::string> lost;
  for (const auto& [name, manifest] : manifests_) {
    if (manifest.sha256 == sha256 && manifest.url.empty()) lost.push_back(name);
  }
  for (const auto& name : lost) {
    asio::co_spawn(loop_, drop(name, "its file had to go from the cache, and it has no url"), rethrow);
  }
}

Fault Catalog::conflict(const Manifest& manifest) const {
  const auto* known = find(manifest.name);
  if (known != nullptr && !same_content(*known, manifest)) {
    return CommandFault{"artifact_conflict",
                        "there is another artifact \"" + manifest.name + "\": remove it first, or take another name",
                        "/name"};
  }
  if (known == nullptr && manifests_.size() >= kMost) {
    return CommandFault{"no_space", "there are " + std::to_string(kMost) + " artifacts: remove some", ""};
  }
  return {};
}

Awaitable<Result<Artifact>> Catalog::bring(const Manifest& manifest) {
  if (manifest.url.empty()) {
    const auto file = incoming_ / manifest.name;
    const auto size = *manifest.size;
    auto adopted = co_await fetch_.adopt(file, manifest.sha256, size);
    if (adopted || adopted.error().code != Errc::absent) co_return adopted;
  }
  FetchRequest request;
  request.url = manifest.url;
  request.sha256 = manifest.sha256;
  request.size = manifest.size;
  auto fetched = co_await fetch_.fetch(request);
  if (!fetched && manifest.url.empty() && fetched.error().code == Errc::absent) {
    co_return Error(Errc::absent, "it has no url, and there is no " + (incoming_ / manifest.name).string());
  }
  co_return fetched;
}

Awaitable<Fault> Catalog::add(Manifest manifest) {
  if (auto fault = conflict(manifest)) co_return fault;
  const auto hold = fetch_.hold(manifest.sha256);  // until it is known: others must not push it out
  const auto brought = co_await bring(manifest);
  if (!brought) co_return fault_of(brought.error());
  const auto checked = trust_.check(manifest, brought->blake2b);
  if (const auto* untrusted = std::get_if<UpdateError>(&checked)) {
    co_return CommandFault{untrusted->name, untrusted->meaning + ": " + untrusted->message, "/signature"};
  }
  // Meanwhile another may have come, or gone.
  if (auto fault = conflict(manifest)) co_return fault;
  if (!changing_.insert(manifest.name).second) co_return busy(manifest.name);
  auto fault = co_await keep(manifest);
  changing_.erase(manifest.name);
  co_return fault;
}

/// On the disk, then in the catalog.
Awaitable<Fault> Catalog::keep(Manifest manifest) {
  const auto* known = find(manifest.name);
  const bool news = known == nullptr || (known->url != manifest.url && !manifest.url.empty());
  const bool brought_as_file = manifest.url.empty();
  std::function<std::optional<Error>()> work = [directory = directory_, manifest, news,
                                                file = incoming_ / manifest.name,
                                                brought_as_file]() -> std::optional<Error> {
    if (news) {
      if (auto error = write_manifest(directory, manifest)) return error;
    }
    std::error_code error;
    if (brought_as_file) fs::remove(file, error);
    if (error) log::warning("artifact ", manifest.name, ": ", file.string(), " cannot be removed: ", error.message());
    return std::nullopt;
  };
  const auto failed = co_await disk_.run(std::move(work));
  if (failed) co_return fault_of(*failed);
  if (!news) co_return std::nullopt;
  log::notice("artifact ", manifest.name, " is there: ", manifest.model, " ", manifest.from, " -> ", manifest.to, ", ",
              *manifest.size, " bytes");
  const auto name = manifest.name;
  manifests_[name] = std::move(manifest);
  changed();
  co_return std::nullopt;
}

bool Catalog::is_shared(const Manifest& manifest) const {
  return std::any_of(manifests_.begin(), manifests_.end(), [&](const auto& other) {
    return other.first != manifest.name && other.second.sha256 == manifest.sha256;
  });
}

Awaitable<Fault> Catalog::remove(std::string name) {
  if (!manifests_.contains(name)) {
    co_return CommandFault{"unknown_artifact", "there is no artifact \"" + name + "\"", "/name"};
  }
  if (!changing_.insert(name).second) co_return busy(name);
  auto fault = co_await remove_now(name);
  changing_.erase(name);
  co_return fault;
}

/// The file first: without it the manifest is harmless, and without the manifest nobody would remove the file.
Awaitable<Fault> Catalog::remove_now(std::string name) {
  const auto manifest = manifests_.at(name);
  if (!is_shared(manifest)) {
    const auto removed = co_await fetch_.remove(manifest.sha256);
    if (!removed && removed.error().code == Errc::busy) {
      co_return CommandFault{"artifact_in_use", "a job that has not ended needs \"" + name + "\"", "/name"};
    }
    if (!removed && removed.error().code != Errc::absent) co_return fault_of(removed.error());
  }
  std::function<std::optional<Error>()> work = [directory = directory_, name] {
    return remove_manifest(directory, name);
  };
  const auto failed = co_await disk_.run(std::move(work));
  if (failed) co_return fault_of(*failed);
  manifests_.erase(name);
  changed();
  log::notice("artifact ", name, " is removed");
  co_return std::nullopt;
}

}  // namespace dfota
