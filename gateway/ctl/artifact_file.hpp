// `dfota artifact add`: what is asked of the gateway, and how a file gets into its directory for incoming files. The
// directory must be on this host. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gateway/ctl/json_fields.hpp"
#include "transport/base/result.hpp"

namespace dfota::ctl {

struct ArtifactAddCall {
  std::string file;         ///< of this host; empty: `url`
  std::string url, sha256;  ///< sha256 and size are the file's own where there is one
  std::optional<std::uint64_t> size;
  std::string name, model, from, to;
  std::string released, from_released, notes;  ///< empty: not said
  std::string signature_file;                  ///< a .minisig; empty: none
  std::string incoming;                        ///< the directory; empty: the gateway says it
};

/// The manifest that it makes. Error: the signature cannot be read.
Result<Json> manifest_of(const ArtifactAddCall& call);

struct FileFacts {
  std::uint64_t size = 0;
  std::string sha256;
};
/// Copies `file` to `directory`/`name`, whole or not at all, and says what was copied. Errors: absent (no such file, or
/// no such directory here), refused (not a regular file, empty, not writable), no_space, io; they say what to do.
Result<FileFacts> copy_into(const std::filesystem::path& directory, const std::string& name,
                            const std::filesystem::path& file);

}  // namespace dfota::ctl
