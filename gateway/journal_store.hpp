// The journal's file: opening, putting a broken one aside, migrating, reading, and one transaction a batch. Private to
// journal.cpp, and the only file pair that knows SQLite. Everything blocks; one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/forgotten_ids.hpp"
#include "gateway/journal.hpp"
#include "transport/base/result.hpp"

namespace dfota {

struct ForgetJob {
  std::string id;
};
struct ForgetRuns {
  std::string job;
  unsigned before;  ///< the parts of runs below this
};
struct MarkSent {
  std::uint64_t seq;
};
/// Those without a time (0) get this one: nobody knew it when they were put.
struct ForgetTombstones {
  std::int64_t before_ms, now_ms;
};
/// A Job, Part, OutboxRow, Tombstone or Fact is put under its key, in the place of an older one.
using JournalWrite = std::variant<JournalContents::Job, JournalContents::Part, OutboxRow, JournalContents::Tombstone,
                                  JournalContents::Fact, ForgetJob, ForgetRuns, MarkSent, ForgetTombstones>;

class JournalStore {
 public:
  /// As Journal::open. The file stays locked (PRAGMA locking_mode=EXCLUSIVE) until the store is destroyed.
  static Result<std::unique_ptr<JournalStore>> open(const std::filesystem::path& file);
  ~JournalStore();

  JournalContents take_contents() { return std::move(contents_); }
  ForgottenIds take_forgotten() { return std::move(forgotten_); }     ///< of every tombstone
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }  ///< the highest ever put, 0 for none
  [[nodiscard]] std::string set_aside() const { return set_aside_.string(); }

  /// All of `writes`, in order, or nothing. On return without error they are on the disk. Errors: no_space, io.
  Result<void> commit(const std::vector<JournalWrite>& writes);

  /// As Journal::history, Journal::last_states and Journal::tombstone.
  Result<std::vector<OutboxRow>> history(std::uint64_t after, std::size_t limit);
  Result<std::vector<OutboxRow>> last_states();
  Result<std::optional<std::string>> tombstone(const std::string& id);

 private:
  struct Connection;
  explicit JournalStore(std::filesystem::path file);
  void connect();
  void load();
  void begin_seqs_anew();

  std::filesystem::path file_, set_aside_;
  std::unique_ptr<Connection> connection_;
  JournalContents contents_;
  ForgottenIds forgotten_;
  std::uint64_t last_seq_ = 0;
};

}  // namespace dfota
