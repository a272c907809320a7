// A shelf over a directory of the test's, and an artifact whose copy waits for the test.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/ftp_shelf.hpp"
#include "tests/support/temp_dir.hpp"
#include "transport/sha256.hpp"

namespace dfota::test {

namespace fs = std::filesystem;

using Outcome = Result<std::string>;
using Names = std::vector<std::string>;

inline const std::string kBody(600000, 'd');

inline std::string hash_of(const std::string& bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

inline std::string name_of(const std::string& bytes, const std::string& extension = ".bin") {
  return "dfota-" + hash_of(bytes).substr(0, 24) + extension;
}

inline std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline struct stat status_of(const fs::path& file) {
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  return found;
}

inline ino_t inode(const fs::path& file) {
  return status_of(file).st_ino;
}

inline mode_t mode(const fs::path& file) {
  return status_of(file).st_mode & 07777;
}

inline Awaitable<> keep(FtpShelf& shelf, std::string sha256, fs::path artifact, std::string extension,
                        std::optional<Outcome>& outcome) {
  outcome = co_await shelf.put(std::move(sha256), std::move(artifact), std::move(extension));
}

struct Bench {
  Bench() {
    fs::create_directory(directory);
    open();
  }
  ~Bench() { shelf.reset(); }

  [[nodiscard]] FtpConfig config() const { return FtpConfig{{}, directory.string()}; }
  void open() {
    auto opened = FtpShelf::open(loop, config());
    REQUIRE(opened.ok());
    shelf = std::move(opened.value());
  }
  /// What was queued is done then.
  void reopen() {
    shelf.reset();
    open();
  }
  fs::path artifact(const std::string& bytes) const {
    const fs::path file = made.path() / hash_of(bytes);
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
  void start(const std::string& sha256, const fs::path& file, std::optional<Outcome>& outcome) {
    asio::co_spawn(loop, keep(*shelf, sha256, file, ".bin", outcome), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
    loop.restart();
    loop.poll();
  }
  Outcome finish(std::optional<Outcome>& outcome) {
    loop.restart();
    while (!outcome) REQUIRE(loop.run_one() > 0);
    return *outcome;
  }
  Outcome put(const std::string& bytes) { return put_file(hash_of(bytes), artifact(bytes)); }
  Outcome put_file(const std::string& sha256, const fs::path& file) {
    std::optional<Outcome> outcome;
    start(sha256, file, outcome);
    return finish(outcome);
  }
  Outcome put_as(const std::string& sha256, const std::string& extension) {
    std::optional<Outcome> outcome;
    asio::co_spawn(loop, keep(*shelf, sha256, artifact(kBody), extension, outcome), [](const std::exception_ptr&) {});
    return finish(outcome);
  }
  /// All that stands there, dotted names too.
  [[nodiscard]] Names names() const {
    Names found;
    for (const auto& entry : fs::directory_iterator(directory)) found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
  }

  asio::io_context loop;
  TempDir made;
  fs::path directory = made.path() / "srv";
  std::unique_ptr<FtpShelf> shelf;
};

/// An artifact whose copy waits for this test.
class SlowArtifact {
 public:
  explicit SlowArtifact(const Bench& bench) : path_(bench.made.path() / "fifo") {
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
  }
  ~SlowArtifact() {
    if (end_ >= 0) ::close(end_);
  }
  SlowArtifact(const SlowArtifact&) = delete;
  SlowArtifact& operator=(const SlowArtifact&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  /// Until the shelf reads it.
  void wait_for_reader() {
    end_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(end_ >= 0);
  }
  void give(const std::string& bytes) {
    REQUIRE(::write(end_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(std::exchange(end_, -1));
  }
  void give_until_nobody_reads() {
    std::signal(SIGPIPE, SIG_IGN);
    while (::write(end_, kBody.data(), kBody.size()) > 0) {
    }
    std::signal(SIGPIPE, SIG_DFL);
  }

 private:
  fs::path path_;
  int end_ = -1;
};

}  // namespace dfota::test
