// One artifact on its way into the cache, from its origin or from a file: hashed while it comes, into a temporary name,
// fsync, rename, fsync of the directory. What a cut leaves is gone on with, at once and by a later transfer. Under
// Fetch, on one of its threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "transport/artifact_cache.hpp"
#include "transport/base/result.hpp"
#include "transport/blake2b.hpp"
#include "transport/download.hpp"
#include "transport/part_file.hpp"

namespace dfota {

class ArtifactTransfer : private Download::Sink {
 public:
  static constexpr unsigned kContinuations = 5;  ///< of one fetch, each has to bring something

  ArtifactTransfer(ArtifactCache& cache, const FetchOptions& options, Download& download, std::string sha256,
                   std::optional<std::uint64_t> size);

  /// Once. Errors: as Fetch::fetch.
  Result<Artifact> from_origin(const std::string& url);
  /// Once. Errors: as Fetch::adopt.
  Result<Artifact> from_file(const std::filesystem::path& file);

 private:
  std::optional<Error> begin(const Download::Answer& answer) override;
  std::optional<Error> take(std::string_view bytes) override;

  std::optional<Error> open();
  std::optional<Error> start_anew();
  std::optional<Error> stream(const std::string& url);
  std::optional<Error> verified();
  Result<Artifact> finish();
  Error mismatch(const std::string& what) const;
  Error wrong_size(const std::string& found) const;
  Result<Artifact> given_up(const Error& error);

  ArtifactCache& cache_;
  const FetchOptions& options_;
  Download& download_;
  const std::string sha256_;
  const std::optional<std::uint64_t> size_;
  ArtifactCache::Room room_;
  PartFile part_;  ///< after its room
  Blake2b blake_;
  bool resumed_ = false;  ///< what is there came by more than one connection
  bool html_ = false;
  std::string first_bytes_;
};

}  // namespace dfota
