// The transcripts on the disk: <directory>/<module>/<job>-<run>.jsonl, for their owner's eyes only. They block:
// DiskThread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota {

struct TranscriptInfo {
  std::string job;
  unsigned run = 0;
  std::string started_at;  ///< RFC 3339
};

constexpr std::size_t kMostTranscriptBytes = 4 << 20;  ///< of one file that is read; what is written stays below

std::filesystem::path transcript_file(const std::filesystem::path& module_directory, const std::string& job,
                                      unsigned run);

/// The whole file, or none; its directory is made. Errors: no_space, io.
std::optional<Error> write_transcript(const std::filesystem::path& file, const std::string& text);
/// To a file that is there. What was appended in part is for the next write_transcript() to put right; a reader leaves
/// a half line out.
std::optional<Error> append_transcript(const std::filesystem::path& file, const std::string& text);
/// Nothing when there is none that can be read.
std::optional<std::string> read_transcript_file(const std::filesystem::path& file);

/// Of one module, newest first.
std::vector<TranscriptInfo> list_transcripts(const std::filesystem::path& module_directory);

/// Leaves the `keep` files of a module that were written last.
void prune_transcripts(const std::filesystem::path& module_directory, std::size_t keep);
/// Removes those of all modules that were written longest ago, until the others have at most so many bytes.
void prune_all_transcripts(const std::filesystem::path& directory, std::uint64_t most_bytes);
void remove_transcripts(const std::filesystem::path& module_directory);

}  // namespace dfota
