#include "transport/artifact_transfer.hpp"

#include <strings.h>

#include <algorithm>

#include "transport/base/crash_point.hpp"
#include "transport/file_reader.hpp"

namespace dfota {
namespace {

constexpr std::size_t kFirstBytes = 64;

/// The beginning of a page, behind blanks and a byte order mark.
bool looks_like_html(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  for (const std::string_view word : {"<!doctype html", "<html"}) {
    if (text.size() >= word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0) return true;
  }
  return false;
}

Error too_long() {
  return Error(Errc::refused, "longer than artifacts.max_bytes");
}

Error canceled() {
  return Error(Errc::canceled, "the program ends");
}

}  // namespace

ArtifactTransfer::ArtifactTransfer(ArtifactCache& cache, const FetchOptions& options, Download& download,
                                   std::string sha256, std::optional<std::uint64_t> size)
    : cache_(cache),
      options_(options),
      download_(download),
      sha256_(std::move(sha256)),
      size_(size),
      room_(cache, sha256_),
      part_(cache.path_of(sha256_)) {}

Error ArtifactTransfer::mismatch(const std::string& what) const {
  const bool page = html_ || looks_like_html(first_bytes_);
  return Error(Errc::mismatch, what + (page ? ": it is an HTML page (a login page, a link that has expired?)" : ""));
}

Error ArtifactTransfer::wrong_size(const std::string& found) const {
  return mismatch("its size should be " + std::to_string(*size_) + ", but is " + found);
}

/// With what an earlier transfer left, when that can be the beginning.
std::optional<Error> ArtifactTransfer::open() {
  if (download_.stopped()) return canceled();
  const bool found = part_.resume([this](std::string_view bytes) {
    blake_.update(bytes);
    first_bytes_ += bytes.substr(0, kFirstBytes - first_bytes_.size());
    return !download_.stopped();
  });
  if (download_.stopped()) return canceled();
  if (!found) {
    blake_ = Blake2b();
    first_bytes_.clear();
    return part_.create();
  }
  resumed_ = part_.size() > 0;
  if (part_.size() > size_.value_or(options_.max_bytes) || part_.size() > options_.max_bytes) return start_anew();
  return std::nullopt;
}

std::optional<Error> ArtifactTransfer::start_anew() {
  blake_ = Blake2b();
  first_bytes_.clear();
  resumed_ = false;
  return part_.restart();
}

std::optional<Error> ArtifactTransfer::begin(const Download::Answer& answer) {
  html_ = answer.html;
  resumed_ = answer.from > 0;
  if (answer.from == 0 && part_.size() > 0) {
    if (auto error = start_anew()) return error;
  }
  // Room for all that is promised, before it comes; but not for more than the origin itself says that it has.
  if (!size_ || *size_ > options_.max_bytes) return std::nullopt;
  return room_.grow(answer.length ? std::min(*size_, answer.from + *answer.length) : *size_);
}

std::optional<Error> ArtifactTransfer::take(std::string_view bytes) {
  first_bytes_ += bytes.substr(0, kFirstBytes - first_bytes_.size());
  const auto size = part_.size() + bytes.size();
  if (size_ && size > *size_) return wrong_size("more");
  if (size > options_.max_bytes) return too_long();
  if (auto error = room_.grow(size)) return error;
  blake_.update(bytes);
  if (auto error = part_.append(bytes)) return error;
  crash_point("artifact_part");
  return std::nullopt;
}

/// Until the origin has no more. An answer that is cut is gone on with, as long as that brings something.
std::optional<Error> ArtifactTransfer::stream(const std::string& url) {
  const auto deadline = Clock::now() + options_.total_limit;
  auto best = part_.size();
  for (unsigned left = kContinuations;; --left) {
    auto end = download_.get(url, part_.size(), deadline, *this);
    if (!end.error) return std::nullopt;
    if (end.start_anew && left > 0) {
      if (auto error = start_anew()) return error;
      best = 0;
      continue;
    }
    if (!end.cut || left == 0 || part_.size() <= best) return end.error;
    best = part_.size();
    download_.pause(options_.resume_pause);
  }
}

std::optional<Error> ArtifactTransfer::verified() {
  if (size_ && part_.size() != *size_) return wrong_size(std::to_string(part_.size()));
  const std::string hash = part_.sha256();
  if (hash != sha256_) return mismatch("its sha256 is " + hash + ", not " + sha256_);
  return std::nullopt;
}

Result<Artifact> ArtifactTransfer::finish() {
  if (auto error = part_.sync()) return *error;
  crash_point("artifact_synced");
  Artifact artifact;
  artifact.path = cache_.path_of(sha256_);
  artifact.size = part_.size();
  artifact.blake2b = blake_.hash();
  if (auto error = part_.commit()) return *error;
  crash_point("artifact_renamed");
  return artifact;
}

/// What is wrong goes; what is only not all of it stays for the next time.
Result<Artifact> ArtifactTransfer::given_up(const Error& error) {
  const bool go_on = error.code == Errc::absent || error.code == Errc::timeout || error.code == Errc::canceled;
  if (go_on && part_.size() > 0) part_.keep();
  return error;
}

Result<Artifact> ArtifactTransfer::from_origin(const std::string& url) {
  if (auto error = open()) return given_up(*error);
  // Killed between its last byte and its name: it is all there.
  if (resumed_ && !verified()) return finish();
  auto error = stream(url);
  const bool had_parts = resumed_;
  if (!error) error = verified();
  if (error && error->code == Errc::mismatch && had_parts) {
    // Parts of different files, perhaps; what the origin has now is told by one piece.
    error = start_anew();
    if (!error) error = stream(url);
    if (!error) error = verified();
  }
  if (error) return given_up(*error);
  return finish();
}

Result<Artifact> ArtifactTransfer::from_file(const std::filesystem::path& file) {
  if (download_.stopped()) return canceled();
  if (auto error = part_.create()) return *error;
  const auto failed = read_file(file, [this](std::string_view bytes) -> std::optional<Error> {
    if (download_.stopped()) return canceled();
    return take(bytes);
  });
  if (failed) return *failed;
  if (auto error = verified()) return *error;
  return finish();
}

}  // namespace dfota
