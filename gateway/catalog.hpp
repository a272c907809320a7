// The artifacts that are known by name: their manifests, kept in state_dir/catalog, while Fetch keeps the files. Only
// what has the promised hash and size, and the signature where one is wanted, gets in. An artifact that can be fetched
// again stays known when its file had to go for others; one that came as a file goes with it. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "gateway/disk_thread.hpp"
#include "gateway/manifest.hpp"
#include "gateway/trust.hpp"
#include "transport/fetch.hpp"

namespace dfota {

class Catalog {
 public:
  static constexpr std::size_t kMost = 10000;

  /// `directory`: of the manifests. `incoming`: where files come that have no URL. All must outlive it; the loop must
  /// outlive it by whatever is still awaited.
  Catalog(asio::io_context& loop, Fetch& fetch, const Trust& trust, std::filesystem::path directory,
          std::filesystem::path incoming);
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  /// What was known before. Once, before the loop runs.
  void load();
  /// Those that came as a file which is not in the cache any more go. Once, after load().
  Awaitable<> drop_lost();

  /// Stays where it is, and changes when others are awaited.
  [[nodiscard]] const Manifests& all() const { return manifests_; }
  [[nodiscard]] const Manifest* find(const std::string& name) const;
  [[nodiscard]] const std::filesystem::path& incoming() const { return incoming_; }

  /// all() is another now. On the loop.
  std::function<void()> on_changed;

  /// Fetched by its URL; without one it lies in `incoming` under its name, and goes from there; or its bytes are in the
  /// cache already. One that is there already with the same content is added well. Faults: artifact_unavailable,
  /// artifact_hash_mismatch, no_space, signature_invalid, signature_unverifiable, artifact_conflict, busy.
  Awaitable<std::optional<CommandFault>> add(Manifest manifest);
  /// With its file, unless another artifact has the same bytes. Faults: unknown_artifact, artifact_in_use, busy, and
  /// artifact_unavailable when the disk does not let it go.
  Awaitable<std::optional<CommandFault>> remove(std::string name);

 private:
  using Fault = std::optional<CommandFault>;

  [[nodiscard]] Fault conflict(const Manifest& manifest) const;
  Awaitable<Result<Artifact>> bring(const Manifest& manifest);
  Awaitable<Fault> keep(Manifest manifest);
  Awaitable<Fault> remove_now(std::string name);
  Awaitable<> drop(std::string name, std::string why);
  void evicted(const std::string& sha256);
  void changed();
  [[nodiscard]] bool is_shared(const Manifest& manifest) const;

  asio::io_context& loop_;
  Fetch& fetch_;
  const Trust& trust_;
  const std::filesystem::path directory_, incoming_;
  Manifests manifests_;
  std::set<std::string> changing_;  ///< names whose manifest is being written or removed
  DiskThread disk_;
};

}  // namespace dfota
