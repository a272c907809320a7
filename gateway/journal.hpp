// The journal is the truth: what was accepted, which step each module is at, and what has still to be published. SQLite
// through SQLiteCpp: one connection, on a thread of its own, WAL, synchronous=FULL. What one turn of the loop puts
// shares one commit. put_..., remove_... and committed(): loop thread. Documents are JSON text of the caller's; the
// journal does not look inside.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

/// A publication that must arrive: a result, an error, a last job state.
struct OutboxRow {
  std::uint64_t seq = 0;  ///< grows for ever, over restarts too
  std::string job, topic, payload;
  bool retained = false;
};

struct JournalContents {
  struct Job {
    std::string id, document;
  };
  struct Part {
    std::string job;
    unsigned run = 1;
    std::string module, document;
  };
  std::vector<Job> jobs;          ///< in the order of acceptance
  std::vector<Part> parts;        ///< one for each module of each run
  std::vector<OutboxRow> outbox;  ///< by seq
};

class Journal {
 public:
  /// Opens or creates `file`, migrates it, and reads all of it into `contents`. A file that fails quick_check is put
  /// aside as FILE.corrupt-<n>, a new one is begun, and `set_aside` names it. Errors: busy (another gateway has it),
  /// io.
  static Result<std::unique_ptr<Journal>> open(asio::io_context& loop, const std::filesystem::path& file);
  /// Commits what waits, and ends each committed() that still waits with the outcome of that. `loop` must outlive it.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What was there at open(); moved out once.
  JournalContents take_contents();
  [[nodiscard]] std::string set_aside() const;  ///< empty unless a broken file was found

  void put_job(const std::string& id, std::string document);
  void put_part(const std::string& job, unsigned run, const std::string& module, std::string document);
  /// Forgets a job and its parts.
  void remove_job(const std::string& id);

  /// The next seq; used at once or never.
  std::uint64_t next_seq();
  void put_outbox(OutboxRow row);
  void remove_outbox(std::uint64_t seq);

  /// Goes on when everything put before is on the disk. Error no_space or io: it is not; the journal keeps the writes
  /// and tries them again with the next batch, and every second, in order. It keeps 64 MiB: beyond, nothing more is
  /// taken and every committed() is an error until the journal is opened again. A disk that does not answer for 30 s is
  /// an io error.
  Awaitable<Result<void>> committed();

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfota
