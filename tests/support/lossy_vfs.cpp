#include "tests/support/lossy_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

namespace dfota::test {
namespace fs = std::filesystem;
using Kind = DiskOperation::Kind;

/// The VFS and its memory. SQLite takes a C struct of functions, each of which finds this in pAppData or in its file.
class LossyVfs::State {
 public:
  State();
  ~State() { sqlite3_vfs_unregister(&vfs); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// False: this one fails.
  bool record(DiskOperation operation) {
    if (operations.size() == failing) {
      failing.reset();
      return false;
    }
    operations.push_back(std::move(operation));
    return true;
  }

  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  sqlite3_vfs vfs;
  std::vector<DiskOperation> operations;
  std::optional<std::size_t> failing;
};

namespace {

constexpr std::int64_t kSector = 512;

/// What SQLite holds of an open file. The real one's lies behind it, in the same piece of SQLite's memory.
struct LossyFile : sqlite3_file {
  LossyVfs::State* state;
  std::string* name;    ///< null: a temporary file, which nobody reads after a loss of power
  bool sync_directory;  ///< with the next sync, as the real one does for a new WAL or rollback journal

  [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  bool record(Kind kind, std::int64_t offset, std::string bytes = {}) {
    return name == nullptr || state->record({kind, *name, offset, std::move(bytes)});
  }
};

LossyFile& lossy(sqlite3_file* file) {
  return *static_cast<LossyFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return lossy(file).real();
}

int close_file(sqlite3_file* file) {
  const int code = real(file)->pMethods->xClose(real(file));
  delete lossy(file).name;
  return code;
}

int write_file(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (!lossy(file).record(Kind::write, offset, std::string(static_cast<const char*>(bytes), size)))
    return SQLITE_IOERR_WRITE;
  return real(file)->pMethods->xWrite(real(file), bytes, size, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (!lossy(file).record(Kind::truncate, size)) return SQLITE_IOERR_TRUNCATE;
  return real(file)->pMethods->xTruncate(real(file), size);
}

/// Recorded only: what a test reads after a loss of power is what write_disk() makes of the record.
int sync_file(sqlite3_file* file, int /*flags*/) {
  if (!lossy(file).record(Kind::sync, 0)) return SQLITE_IOERR_FSYNC;
  if (std::exchange(lossy(file).sync_directory, false)) lossy(file).record(Kind::sync_directory, 0);
  return SQLITE_OK;
}

/// Version 1: without shared memory, which an exclusive WAL does not need, and without memory-mapped files, whose
/// writes nobody would see.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = [](sqlite3_file* file, void* into, int size,
                sqlite3_int64 offset) { return real(file)->pMethods->xRead(real(file), into, size, offset); },
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = [](sqlite3_file* file,
                    sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); },
    .xLock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); },
    .xUnlock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); },
    .xCheckReservedLock = [](sqlite3_file* file,
                             int* locked) { return real(file)->pMethods->xCheckReservedLock(real(file), locked); },
    .xFileControl = [](sqlite3_file* file, int what,
                       void* argument) { return real(file)->pMethods->xFileControl(real(file), what, argument); },
    .xSectorSize = [](sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto& state = *static_cast<LossyVfs::State*>(vfs->pAppData);
  auto* opened = new (file) LossyFile{};
  const int code = state.real->xOpen(state.real, name, opened->real(), flags, out_flags);
  // xClose is called, after a failure too, when there are methods.
  if (opened->real()->pMethods == nullptr) return code;
  opened->pMethods = &kMethods;
  opened->state = &state;
  const int synced = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
  opened->sync_directory = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & synced) != 0;
  if (name != nullptr) opened->name = new std::string(fs::path(name).filename().string());
  return code;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  auto& state = *static_cast<LossyVfs::State*>(vfs->pAppData);
  const auto file = fs::path(name).filename().string();
  if (!state.record({Kind::remove, file, 0, {}})) return SQLITE_IOERR_DELETE;
  if (sync_directory != 0) state.record({Kind::sync_directory, file, 0, {}});
  return state.real->xDelete(state.real, name, 0);
}

/// A file on the disk, and what was done to it and may still be in the cache.
struct DiskFile {
  std::optional<std::string> durable;  ///< nothing: not there
  std::vector<const DiskOperation*> unsynced;
};

void put(std::optional<std::string>& file, std::int64_t offset, const char* bytes, std::int64_t size) {
  if (!file) file.emplace();
  if (static_cast<std::int64_t>(file->size()) < offset + size) file->resize(offset + size);
  std::copy_n(bytes, size, file->begin() + offset);
}

void apply(std::optional<std::string>& file, const DiskOperation& operation, const Survives& survives) {
  const auto size = static_cast<std::int64_t>(operation.bytes.size());
  switch (operation.kind) {
    case Kind::write:
      for (std::int64_t done = 0; done < size;) {
        const auto at = operation.offset + done;
        const auto piece = std::min(kSector - at % kSector, size - done);
        if (survives()) put(file, at, operation.bytes.data() + done, piece);
        done += piece;
      }
      break;
    case Kind::truncate:
      if (file && survives()) file->resize(operation.offset);
      break;
    case Kind::remove:
      if (survives()) file.reset();
      break;
    case Kind::sync:
    case Kind::sync_directory:
      break;
  }
}

void apply_all(DiskFile& file, const Survives& survives) {
  for (const auto* operation : file.unsynced) apply(file.durable, *operation, survives);
  file.unsynced.clear();
}

/// What is gone stays gone; what was written before matters no more.
void apply_removal(DiskFile& file) {
  const auto removal = std::find_if(file.unsynced.rbegin(), file.unsynced.rend(),
                                    [](const DiskOperation* one) { return one->kind == Kind::remove; });
  if (removal == file.unsynced.rend()) return;
  file.durable.reset();
  file.unsynced.erase(file.unsynced.begin(), removal.base());
}
}  // namespace

LossyVfs::State::State() : vfs(*real) {
  vfs.zName = "lossy";
  vfs.pNext = nullptr;
  vfs.pAppData = this;
  vfs.szOsFile = static_cast<int>(sizeof(LossyFile)) + real->szOsFile;
  vfs.xOpen = open_file;
  vfs.xDelete = remove_file;
  if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) throw std::runtime_error("SQLite takes no VFS");
}

LossyVfs::LossyVfs() : state_(std::make_unique<State>()) {}
LossyVfs::~LossyVfs() = default;

const std::vector<DiskOperation>& LossyVfs::operations() const {
  return state_->operations;
}

void LossyVfs::fail(std::size_t operation) {
  state_->failing = operation;
}

void write_disk(const std::vector<DiskOperation>& operations, std::size_t count, const fs::path& dir,
                const Survives& survives) {
  std::map<std::string, DiskFile> files;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& operation = operations.at(i);
    auto& file = files[operation.file];
    if (operation.kind == Kind::sync) {
      apply_all(file, [] { return true; });
    } else if (operation.kind == Kind::sync_directory) {
      for (auto& each : files) apply_removal(each.second);
    } else {
      file.unsynced.push_back(&operation);
    }
  }
  for (auto& [name, file] : files) {
    apply_all(file, survives);
    if (file.durable) std::ofstream(dir / name, std::ios::binary) << *file.durable;
  }
}

}  // namespace dfota::test
