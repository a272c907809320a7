// The directory that the operator's FTP server shows to the modules (delivery "ftp"): each delta stands there under a
// name made of its hash while somebody needs it, whole or not at all. Beside update_run, which puts before the command
// and drops at the end of the attempt. All public functions: loop thread; the disk is touched by one thread of its own
// (open() excepted). The loop must outlive it.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

class FtpShelf {
 public:
  static constexpr std::size_t kMaxQueued = 256;         ///< deltas that wait to be copied
  static constexpr std::chrono::seconds kPutLimit{600};  ///< a disk that takes longer does not answer

  /// Tries whether a file can be made in the directory, and holds it for this process. Errors: absent (no such
  /// directory), busy (another gateway has it), no_space, io.
  static Result<std::unique_ptr<FtpShelf>> open(asio::io_context& loop, const FtpConfig& config);
  /// Leaves the files that are in use: modules go on fetching them. Who still waits gets Errc::canceled.
  ~FtpShelf();
  FtpShelf(const FtpShelf&) = delete;
  FtpShelf& operator=(const FtpShelf&) = delete;

  /// The name that put() gives.
  static std::string name_of(const std::string& sha256, const std::string& extension);

  /// `artifact` is on the shelf, readable for the server, when this ends; its name there, to be dropped once:
  /// "dfota-<first 24 digits of sha256><extension>". A file of that name is used when it is of that hash, and replaced
  /// when not; puts of one delta at a time share one copy. `extension`: ".bin", at most 4 bytes. Errors: invalid (no
  /// sha256, no extension), absent (no artifact), mismatch (the artifact has another hash), no_space, io, busy
  /// (kMaxQueued wait already), timeout (kPutLimit), canceled. Each says what to do.
  Awaitable<Result<std::string>> put(std::string sha256, std::filesystem::path artifact, std::string extension);
  /// One use less; the file goes with the last one.
  void drop(const std::string& name);
  /// Removes what an earlier process left: files of our form of name that nobody put since. Once everything that was
  /// recovered has been put again.
  void sweep();

 private:
  class Impl;
  explicit FtpShelf(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace dfota
