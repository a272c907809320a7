#include "gateway/transcript_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "gateway/manifest_files.hpp"
#include "gateway/text.hpp"
#include "gateway/transcript_text.hpp"
#include "transport/part_file.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".jsonl";
constexpr std::string_view kTemporary = "~";  // no job's id begins so
constexpr std::size_t kMostHead = 4096;

struct Named {
  std::string job;
  unsigned run = 0;
};

/// What <job>-<run>.jsonl is of; nothing for any other name.
std::optional<Named> named(const fs::path& file) {
  auto name = file.filename().string();
  if (!name.ends_with(kExtension)) return {};
  name.resize(name.size() - kExtension.size());
  const auto dash = name.rfind('-');
  if (dash == std::string::npos) return {};
  Named out{name.substr(0, dash), 0};
  const auto* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + dash + 1, end, out.run);
  if (read.ptr != end || read.ec != std::errc() || out.run == 0 || !is_job_id(out.job)) return {};
  return out;
}

std::vector<fs::path> files_in(const fs::path& module_directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(module_directory, error), end; !error && entry != end; entry.increment(error)) {
    if (named(entry->path())) files.push_back(entry->path());
  }
  return files;
}

struct Written {
  fs::path file;
  fs::file_time_type at;
  std::uint64_t bytes = 0;
};

/// Those that were written last come first.
std::vector<Written> by_time(const std::vector<fs::path>& files) {
  std::vector<Written> out;
  for (const auto& file : files) {
    std::error_code error;
    const auto at = fs::last_write_time(file, error);
    const auto bytes = error ? 0 : fs::file_size(file, error);
    if (!error) out.push_back({file, at, bytes});
  }
  std::ranges::sort(out, [](const Written& one, const Written& other) { return one.at > other.at; });
  return out;
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMostHead, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text.substr(0, text.find('\n'));
}

Error append_error(const fs::path& file) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return Error(full ? Errc::no_space : Errc::io, file.string() + ": " + std::generic_category().message(code));
}

}  // namespace

fs::path transcript_file(const fs::path& module_directory, const std::string& job, unsigned run) {
  return module_directory / (job + "-" + std::to_string(run) + std::string(kExtension));
}

std::optional<Error> write_transcript(const fs::path& file, const std::string& text) {
  const auto directory = file.parent_path();
  std::error_code error;
  fs::create_directories(directory, error);
  for (const auto& made : {directory.parent_path(), directory}) {
    if (!error) fs::permissions(made, fs::perms::owner_all, error);
  }
  if (error) return Error(Errc::io, directory.string() + ": " + error.message());
  PartFile part(file, kTemporary, 0600);
  if (auto failed = part.create()) return failed;
  if (auto failed = part.append(text)) return failed;
  return part.commit();
}

std::optional<Error> append_transcript(const fs::path& file, const std::string& text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return append_error(file);
  std::optional<Error> failed;
  for (std::string_view rest = text; !rest.empty() && !failed;) {
    const auto written = ::write(descriptor, rest.data(), rest.size());
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) failed = append_error(file);
  }
  ::close(descriptor);
  return failed;
}

std::optional<std::string> read_transcript_file(const fs::path& file) {
  auto text = read_small_file(file, kMostTranscriptBytes);
  if (!text) return {};
  return std::move(text.value());
}

std::vector<TranscriptInfo> list_transcripts(const fs::path& module_directory) {
  std::vector<TranscriptInfo> out;
  for (const auto& file : files_in(module_directory)) {
    const auto head = head_from_json(nlohmann::json::parse(first_line(file), nullptr, false));
    const auto name = named(file);
    if (head && name) out.push_back({name->job, name->run, rfc3339(head->started_at)});
  }
  std::ranges::sort(out, [](const TranscriptInfo& one, const TranscriptInfo& other) {
    return std::tie(one.started_at, one.run) > std::tie(other.started_at, other.run);
  });
  return out;
}

void prune_transcripts(const fs::path& module_directory, std::size_t keep) {
  const auto files = by_time(files_in(module_directory));
  std::error_code ignored;
  for (std::size_t i = keep; i < files.size(); ++i) fs::remove(files[i].file, ignored);
  std::vector<fs::path> half;  // of a gateway that was killed
  for (fs::directory_iterator entry(module_directory, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->path().filename().string().starts_with(kTemporary)) half.push_back(entry->path());
  }
  for (const auto& file : half) fs::remove(file, ignored);
}

void prune_all_transcripts(const fs::path& directory, std::uint64_t most_bytes) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const auto of_module = files_in(entry->path());
    files.insert(files.end(), of_module.begin(), of_module.end());
  }
  std::uint64_t bytes = 0;
  for (const auto& file : by_time(files)) {
    bytes += file.bytes;
    std::error_code ignored;
    if (bytes > most_bytes) fs::remove(file.file, ignored);
  }
}

void remove_transcripts(const fs::path& module_directory) {
  std::error_code ignored;
  fs::remove_all(module_directory, ignored);
}

}  // namespace dfota
