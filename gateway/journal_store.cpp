#include "gateway/journal_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>

#include "gateway/journal_schema.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {
namespace fs = std::filesystem;

constexpr int kMaxSetAside = 10000;

constexpr const char* kPutJob =
    "INSERT INTO job (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document";
constexpr const char* kPutPart =
    "INSERT INTO part (job, run, module, document) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (job, run, module) DO UPDATE SET document = excluded.document";
constexpr const char* kPutOutbox =
    "INSERT OR REPLACE INTO outbox (seq, job, topic, payload, retained) VALUES (?, ?, ?, ?, ?)";
/// Once it was published, the last word of a job that is forgotten has nobody left who could ask for it.
constexpr const char* kForgetStrays =
    "DELETE FROM outbox WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = outbox.job)";
/// Of jobs that run once more, it is not the newest state.
constexpr const char* kLastStates =
    "SELECT max(seq), job, topic, payload, retained FROM outbox WHERE retained = 1 AND sent = 1 AND payload != '' "
    "GROUP BY job ORDER BY 1";
constexpr const char* kHistory =
    "SELECT seq, job, topic, payload, retained FROM outbox WHERE seq > ? AND retained = 0 ORDER BY seq LIMIT ?";

fs::path with_suffix(const fs::path& file, const std::string& suffix) {
  return fs::path(file.native() + suffix);
}

std::uintmax_t size_or_zero(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

/// SQLite itself says FULL for ENOSPC in a write only: not for quotas, limits, or ENOSPC that comes late, from fsync.
bool is_no_room(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

bool is_damage(const SQLite::Exception& what) {
  const int code = what.getErrorCode() & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/// The database goes first: without its WAL it could pass for a sound, older one.
Result<fs::path> move_aside(const fs::path& file, const std::string& why) {
  int n = 1;
  std::error_code error;
  const auto taken = [&](const fs::path& name) { return fs::exists(fs::symlink_status(name, error)); };
  fs::path name = with_suffix(file, ".corrupt-1");
  while ((taken(name) || taken(with_suffix(name, "-wal"))) && n < kMaxSetAside)
    name = with_suffix(file, ".corrupt-" + std::to_string(++n));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::rename(with_suffix(file, suffix), with_suffix(name, suffix), error);
    if (error && error != std::errc::no_such_file_or_directory)
      return Error(Errc::io, "journal " + file.string() + " is damaged (" + why + ") and cannot be renamed to " +
                                 name.string() + ": " + error.message());
  }
  log::error("journal ", file.string(), ": damaged (", why, "); put aside as ", name.string(), ", a new one is begun");
  return name;
}

/// It holds the tokens of downloads, so it is nobody else's to read; SQLite gives its WAL the same mode. Never opens a
/// file that is there: closing it again would drop the locks this process has on it (POSIX).
Result<void> create_private(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const int error = errno;
  if (fd >= 0)
    ::close(fd);
  else if (error != EEXIST)
    return Error(is_no_room(error) ? Errc::no_space : Errc::io,
                 "journal " + file.string() + ": cannot create it: " + std::strerror(error));
  return {};
}

Error explain(const char* tried, const fs::path& file, int system, const SQLite::Exception& what) {
  const int code = what.getErrorCode() & 0xff;
  std::string message = "journal " + file.string() + ": cannot " + tried + " it: " + what.what();
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return {Errc::busy, message + "; another gateway (or a database tool) holds it"};
  const bool with_errno = code == SQLITE_IOERR && system != 0;
  if (with_errno) message += std::string(" (") + std::strerror(system) + ")";
  if (code == SQLITE_FULL || (with_errno && is_no_room(system))) return {Errc::no_space, message + "; free some space"};
  return {Errc::io, message};
}

void run(SQLite::Statement& statement) {
  statement.exec();
  statement.reset();
}

OutboxRow row_of(SQLite::Statement& from) {
  OutboxRow row;
  row.seq = static_cast<std::uint64_t>(from.getColumn(0).getInt64());
  row.job = from.getColumn(1).getString();
  row.topic = from.getColumn(2).getString();
  row.payload = from.getColumn(3).getString();
  row.retained = from.getColumn(4).getInt() != 0;
  return row;
}

std::uint64_t seconds_since_1970() {
  return static_cast<std::uint64_t>(std::max<std::time_t>(0, std::time(nullptr)));
}

std::int64_t stored(std::uint64_t seq) {
  return static_cast<std::int64_t>(seq);
}
}  // namespace

struct JournalStore::Connection {
  explicit Connection(const fs::path& file) : database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {}

  void prepare();
  void reset_all() noexcept;
  void apply(const JournalContents::Job& job);
  void apply(const JournalContents::Part& part);
  void apply(const OutboxRow& row);
  void apply(const JournalContents::Tombstone& tombstone);
  void apply(const JournalContents::Fact& fact);
  void apply(const ForgetJob& job);
  void apply(const ForgetRuns& runs);
  void apply(const MarkSent& row);
  void apply(const ForgetTombstones& tombstones);

  SQLite::Database database;
  /// Kept prepared: preparing costs more than running them.
  struct Statements {
    explicit Statements(SQLite::Database& database)
        : begin(database, "BEGIN IMMEDIATE"),
          commit(database, "COMMIT"),
          put_job(database, kPutJob),
          put_part(database, kPutPart),
          put_outbox(database, kPutOutbox),
          put_tombstone(database, "INSERT OR REPLACE INTO tombstone (id, forgotten_at_ms, document) VALUES (?, ?, ?)"),
          put_fact(database, "INSERT OR REPLACE INTO fact (name, document) VALUES (?, ?)"),
          forget_job(database, "DELETE FROM job WHERE id = ?"),
          forget_parts(database, "DELETE FROM part WHERE job = ?"),
          forget_sent(database, "DELETE FROM outbox WHERE job = ? AND sent = 1"),
          forget_runs(database, "DELETE FROM part WHERE job = ? AND run < ?"),
          mark_sent(database, "UPDATE outbox SET sent = 1 WHERE seq = ?"),
          forget_strays(database, kForgetStrays),
          date_tombstones(database, "UPDATE tombstone SET forgotten_at_ms = ? WHERE forgotten_at_ms = 0"),
          forget_tombstones(database, "DELETE FROM tombstone WHERE forgotten_at_ms < ?"),
          history(database, kHistory),
          tombstone(database, "SELECT document FROM tombstone WHERE id = ?") {}
    SQLite::Statement begin, commit, put_job, put_part, put_outbox, put_tombstone, put_fact, forget_job, forget_parts,
        forget_sent, forget_runs, mark_sent, forget_strays, date_tombstones, forget_tombstones, history, tombstone;
  };
  std::unique_ptr<Statements> statements;  // the tables must be there before
};

void JournalStore::Connection::reset_all() noexcept {
  auto& s = *statements;
  for (auto* statement : {&s.begin, &s.commit, &s.put_job, &s.put_part, &s.put_outbox, &s.put_tombstone, &s.put_fact,
                          &s.forget_job, &s.forget_parts, &s.forget_sent, &s.forget_runs, &s.mark_sent,
                          &s.forget_strays, &s.date_tombstones, &s.forget_tombstones, &s.history, &s.tombstone})
    statement->tryReset();
}

void JournalStore::Connection::apply(const JournalContents::Job& job) {
  auto& put = statements->put_job;
  put.bindNoCopy(1, job.id);
  put.bindNoCopy(2, job.document);
  run(put);
}

void JournalStore::Connection::apply(const JournalContents::Part& part) {
  auto& put = statements->put_part;
  put.bindNoCopy(1, part.job);
  put.bind(2, part.run);
  put.bindNoCopy(3, part.module);
  put.bindNoCopy(4, part.document);
  run(put);
}

void JournalStore::Connection::apply(const OutboxRow& row) {
  auto& put = statements->put_outbox;
  put.bind(1, stored(row.seq));
  put.bindNoCopy(2, row.job);
  put.bindNoCopy(3, row.topic);
  put.bindNoCopy(4, row.payload);
  put.bind(5, row.retained ? 1 : 0);
  run(put);
}

void JournalStore::Connection::apply(const JournalContents::Tombstone& tombstone) {
  auto& put = statements->put_tombstone;
  put.bindNoCopy(1, tombstone.id);
  put.bind(2, tombstone.forgotten_at_ms);
  put.bindNoCopy(3, tombstone.document);
  run(put);
}

void JournalStore::Connection::apply(const JournalContents::Fact& fact) {
  auto& put = statements->put_fact;
  put.bindNoCopy(1, fact.name);
  put.bindNoCopy(2, fact.document);
  run(put);
}

void JournalStore::Connection::apply(const ForgetJob& job) {
  for (auto* forget : {&statements->forget_parts, &statements->forget_sent, &statements->forget_job}) {
    forget->bindNoCopy(1, job.id);
    run(*forget);
  }
}

void JournalStore::Connection::apply(const ForgetRuns& runs) {
  statements->forget_runs.bindNoCopy(1, runs.job);
  statements->forget_runs.bind(2, runs.before);
  run(statements->forget_runs);
}

void JournalStore::Connection::apply(const MarkSent& row) {
  for (auto* mark : {&statements->mark_sent, &statements->forget_strays}) {
    mark->bind(1, stored(row.seq));
    run(*mark);
  }
}

void JournalStore::Connection::apply(const ForgetTombstones& tombstones) {
  statements->date_tombstones.bind(1, tombstones.now_ms);
  run(statements->date_tombstones);
  statements->forget_tombstones.bind(1, tombstones.before_ms);
  run(statements->forget_tombstones);
}

JournalStore::JournalStore(fs::path file) : file_(std::move(file)) {}
JournalStore::~JournalStore() = default;

Result<std::unique_ptr<JournalStore>> JournalStore::open(const fs::path& file) {
  fs::path aside;
  // A WAL begins only after its database did (one byte is empty to SQLite). SQLite would delete this one and begin anew
  // without a word.
  if (size_or_zero(file) <= 1 && size_or_zero(with_suffix(file, "-wal")) != 0) {
    auto moved = move_aside(file, "emptied, but its WAL is not");
    if (!moved) return moved.error();
    aside = *moved;
  }
  for (bool again = true;; again = false) {
    const auto created = create_private(file);
    if (!created) return created.error();
    std::unique_ptr<JournalStore> store(new JournalStore(file));
    try {
      store->connect();
      store->set_aside_ = aside;
      if (!aside.empty()) store->begin_seqs_anew();
      return store;
    } catch (const SQLite::Exception& what) {
      if (!again || !is_damage(what)) return explain("open", file, 0, what);
      // Renamed while we still have it open and locked: nobody comes in between, and SQLite leaves a moved file as it
      // is.
      auto moved = move_aside(file, what.what());
      if (!moved) return moved.error();
      aside = *moved;
    }
  }
}

void JournalStore::connect() {
  connection_ = std::make_unique<Connection>(file_);
  auto& database = connection_->database;
  // The lock is taken with the first access, before a byte is judged, and WAL then needs no shared memory.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA synchronous = FULL");
  const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") throw SQLite::Exception("its journal mode stays '" + mode + "'", SQLITE_IOERR);
  const std::string check = database.execAndGet("PRAGMA quick_check(1)").getString();
  if (check != "ok") throw SQLite::Exception(check, SQLITE_CORRUPT);

  constexpr int kNewest = std::size(kJournalMigrations);
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version < 0 || version > kNewest)
    throw SQLite::Exception("it was written by a newer gateway (schema " + std::to_string(version) +
                                ", this one knows up to " + std::to_string(kNewest) + "): run that, or move it away",
                            SQLITE_ERROR);
  for (int next = version; next < kNewest; ++next) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(kJournalMigrations[next]);
    database.exec("PRAGMA user_version = " + std::to_string(next + 1));
    transaction.commit();
  }
  connection_->statements = std::make_unique<Connection::Statements>(database);
  load();
}

/// What the broken one had given out is not known; seconds since 1970 are more than that, and grow for ever, too.
/// Written down: the next process finds a sound file, and nothing may have been published until then.
void JournalStore::begin_seqs_anew() {
  last_seq_ = seconds_since_1970();
  SQLite::Statement begin(connection_->database, "INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)");
  begin.bind(1, stored(last_seq_));
  begin.exec();
}

void JournalStore::load() {
  auto& database = connection_->database;
  SQLite::Statement jobs(database, "SELECT id, document FROM job ORDER BY ordinal");
  while (jobs.executeStep()) contents_.jobs.push_back({jobs.getColumn(0).getString(), jobs.getColumn(1).getString()});

  SQLite::Statement parts(database, "SELECT job, run, module, document FROM part ORDER BY ordinal");
  while (parts.executeStep())
    contents_.parts.push_back({parts.getColumn(0).getString(), parts.getColumn(1).getUInt(),
                               parts.getColumn(2).getString(), parts.getColumn(3).getString()});

  SQLite::Statement outbox(database,
                           "SELECT seq, job, topic, payload, retained FROM outbox WHERE sent = 0 ORDER BY seq");
  while (outbox.executeStep()) contents_.outbox.push_back(row_of(outbox));

  SQLite::Statement facts(database, "SELECT name, document FROM fact");
  while (facts.executeStep()) contents_.facts[facts.getColumn(0).getString()] = facts.getColumn(1).getString();

  SQLite::Statement tombstones(database, "SELECT id FROM tombstone");
  while (tombstones.executeStep()) forgotten_.add(tombstones.getColumn(0).getString());

  SQLite::Statement sequence(database, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
  if (sequence.executeStep()) last_seq_ = static_cast<std::uint64_t>(sequence.getColumn(0).getInt64());
}

Result<void> JournalStore::commit(const std::vector<JournalWrite>& writes) {
  auto& connection = *connection_;
  errno = 0;  // what is there after a failure is the disk's: sqlite3_system_errno() stays 0 when a COMMIT fails
  try {
    run(connection.statements->begin);
    for (const auto& write : writes) std::visit([&](const auto& one) { connection.apply(one); }, write);
    run(connection.statements->commit);
    return {};
  } catch (const SQLite::Exception& what) {
    const int system = errno;
    const Error error = explain("write", file_, system, what);
    connection.reset_all();
    connection.database.tryExec("ROLLBACK");
    return error;
  }
}

Result<std::vector<OutboxRow>> JournalStore::history(std::uint64_t after, std::size_t limit) {
  auto& select = connection_->statements->history;
  errno = 0;
  try {
    select.bind(1, stored(after));
    select.bind(2, static_cast<std::int64_t>(limit));
    std::vector<OutboxRow> rows;
    while (select.executeStep()) rows.push_back(row_of(select));
    select.reset();
    return rows;
  } catch (const SQLite::Exception& what) {
    const int system = errno;
    connection_->reset_all();
    return explain("read", file_, system, what);
  }
}

Result<std::vector<OutboxRow>> JournalStore::last_states() {
  errno = 0;
  try {
    SQLite::Statement select(connection_->database, kLastStates);
    std::vector<OutboxRow> rows;
    while (select.executeStep()) rows.push_back(row_of(select));
    return rows;
  } catch (const SQLite::Exception& what) {
    return explain("read", file_, errno, what);
  }
}

Result<std::optional<std::string>> JournalStore::tombstone(const std::string& id) {
  auto& select = connection_->statements->tombstone;
  errno = 0;
  try {
    select.bindNoCopy(1, id);
    std::optional<std::string> document;
    if (select.executeStep()) document = select.getColumn(0).getString();
    select.reset();
    return document;
  } catch (const SQLite::Exception& what) {
    const int system = errno;
    connection_->reset_all();
    return explain("read", file_, system, what);
  }
}

}  // namespace dfota
