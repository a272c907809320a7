// The catalog on the disk: one <name>.json for each artifact, in a directory of its own. Whole files or none. They
// block: main's thread before the loop runs, DiskThread after.
#pragma once

#include <filesystem>
#include <optional>

#include "gateway/manifest.hpp"
#include "transport/base/result.hpp"

namespace dfota {

/// Those that can be read; what cannot is told in the log and left alone. The directory is made when missing.
Manifests read_manifests(const std::filesystem::path& directory);
/// Errors: no_space, io.
std::optional<Error> write_manifest(const std::filesystem::path& directory, const Manifest& manifest);
/// None of that name is no error.
std::optional<Error> remove_manifest(const std::filesystem::path& directory, const std::string& name);

/// A text file of up to `most` bytes, and no symbolic link. Errors: absent, refused (something else, or longer), io.
Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t most);

}  // namespace dfota
