// The journal is the truth: what was accepted, which step each module is at, and what has still to be published. SQLite
// through SQLiteCpp: one connection, on a thread of its own, WAL, synchronous=FULL. What one turn of the loop puts
// shares one commit. Everything here: loop thread. Documents are JSON text of the caller's; the journal does not look
// inside. Each write says what it is for: see journal_writes.hpp.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/journal_writes.hpp"
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
  struct Tombstone {
    std::string id;
    std::int64_t forgotten_at_ms = 0;  ///< of the wall clock; 0: it could not be trusted
    std::string document;
  };
  struct Fact {
    std::string name, document;
  };
  std::vector<Job> jobs;                     ///< in the order of acceptance
  std::vector<Part> parts;                   ///< one for each module of each run
  std::vector<OutboxRow> outbox;             ///< what was not acknowledged yet, by seq
  std::map<std::string, std::string> facts;  ///< single values, by name
};

class JournalStore;

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

  void put_job(Write kind, const std::string& id, std::string document);
  void put_part(Write kind, const std::string& job, unsigned run, const std::string& module, std::string document);
  /// Forgets a job, its parts, and what was published of it; what was not yet, still will be.
  void remove_job(Write kind, const std::string& id);
  /// Forgets the parts of the runs below this.
  void remove_runs(Write kind, const std::string& job, unsigned before);

  /// The next seq; used at once or never.
  std::uint64_t next_seq();
  [[nodiscard]] std::uint64_t last_seq() const;
  void put_outbox(Write kind, OutboxRow row);
  /// It was acknowledged; it stays for history() as long as its job does.
  void mark_sent(Write kind, std::uint64_t seq);

  /// What is left of a forgotten job.
  void put_tombstone(Write kind, JournalContents::Tombstone tombstone);
  /// Those from before; those whose time was not known (0) are from now.
  void remove_tombstones(Write kind, std::int64_t before_ms, std::int64_t now_ms);
  void put_fact(Write kind, const std::string& name, std::string document);

  /// Results and errors with a higher seq, by seq. Errors: io.
  Awaitable<Result<std::vector<OutboxRow>>> history(std::uint64_t after, std::size_t limit);
  /// The newest retained state of each job, of those that were published. Errors: io.
  Awaitable<Result<std::vector<OutboxRow>>> last_states();
  /// What is left of a forgotten job; nothing when there never was one of this id, and then at once. One that waits for
  /// the disk is waited for: nobody may take a job for a new one because its end is not written yet. Errors: io, and
  /// those of committed().
  Awaitable<Result<std::optional<std::string>>> tombstone(std::string id);

  /// The disk took a write again (nothing), or did not; told when that changes.
  std::function<void(const std::optional<Error>& failure)> on_disk;
  /// So much waits for the disk that nothing more is taken: end, and start again.
  std::function<void()> on_overrun;

  /// Of each commit, on the journal's thread: how long the disk took, and whether it took it. Set before anything is
  /// put; must not block, and must outlive the journal.
  std::function<void(std::chrono::nanoseconds took, bool written)> on_commit;

  /// Goes on when everything put before is on the disk. Error no_space or io: it is not; the journal keeps the writes
  /// and tries them again with the next batch, and every second, in order. It keeps 64 MiB: beyond, nothing more is
  /// taken and every committed() is an error until the journal is opened again. A disk that does not answer for 30 s is
  /// an io error.
  Awaitable<Result<void>> committed();
  /// Goes on when the journal's thread has come round; nothing is written. Error io: it has not for 30 s.
  Awaitable<Result<void>> turned();

 private:
  class Impl;
  Journal(asio::io_context& loop, std::unique_ptr<JournalStore> store);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfota
