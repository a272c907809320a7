// The journal's schema as numbered migrations: entry n takes a file from user_version n to n + 1, in one transaction.
// An entry that was released is never edited; what changes is appended.
#pragma once

namespace dfota {

/// No foreign keys: a part without its job must not make every later commit fail. `ordinal` keeps the order of the
/// first put; AUTOINCREMENT keeps the highest seq over an emptied outbox.
inline constexpr const char* kJournalMigrations[] = {
    R"sql(
      CREATE TABLE job (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
      CREATE TABLE part (ordinal INTEGER PRIMARY KEY, job TEXT NOT NULL, run INTEGER NOT NULL, module TEXT NOT NULL,
                         document TEXT NOT NULL, UNIQUE (job, run, module));
      CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, topic TEXT NOT NULL,
                           payload TEXT NOT NULL, retained INTEGER NOT NULL);
    )sql",
};

}  // namespace dfota
