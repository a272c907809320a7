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
    // What was published stays as long as its job (replay); what is forgotten leaves its id and its state behind.
    R"sql(
      ALTER TABLE outbox ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent = 0;
      CREATE INDEX outbox_job ON outbox (job);
      CREATE TABLE tombstone (id TEXT PRIMARY KEY, forgotten_at_ms INTEGER NOT NULL, document TEXT NOT NULL)
             WITHOUT ROWID;
      CREATE INDEX tombstone_age ON tombstone (forgotten_at_ms);
      CREATE TABLE fact (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    )sql",
};

}  // namespace dfota
