// artifacts.incoming, the directory in which somebody drops files: each NAME with its manifest NAME.json beside it is
// taken into the catalog once it is whole, and both go. A manifest that is refused becomes NAME.json.rejected. Symbolic
// links are not followed. Loop thread; what touches the disk is done on a thread of its own.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/catalog.hpp"
#include "gateway/disk_thread.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

class Incoming {
 public:
  static constexpr auto kEvery = std::chrono::seconds(1);
  /// What is not whole and has not changed for so long is refused.
  static constexpr auto kSettled = std::chrono::minutes(1);

  using ReportFault = std::function<void(const std::string& code, const std::string& message)>;

  /// All must outlive it.
  Incoming(asio::io_context& loop, Catalog& catalog, ReportFault report_fault, Clock::duration settled = kSettled);
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  /// Looks every second, for ever. The directory is made when it is missing, for the gateway's user and group.
  Awaitable<> watch();
  /// Once.
  Awaitable<> look();

 private:
  /// What a file was like at a look: while it is being written it is not the same at the next one.
  struct Stamp {
    bool there = false, regular = false;
    std::uint64_t inode = 0, size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Pair {
    std::string name;  ///< of the delta; its manifest is <name>.json
    Stamp delta, manifest;
    std::variant<std::string, Error> text = std::string();  ///< of the manifest
  };
  struct Seen {
    Stamp delta, manifest;
    Clock::time_point since;  ///< it has been like this
    bool told = false;        ///< nothing more is to be done with it as it is
  };
  struct Scan {
    std::vector<Pair> pairs;
    std::string failure;  ///< of the directory; empty: none
  };

  static Stamp stamp_of(const std::filesystem::path& file);
  static Scan scan(const std::filesystem::path& directory);
  Awaitable<> take(Pair pair);
  Awaitable<> take_manifest(const Pair& pair, Manifest manifest);
  Awaitable<> wait_or_reject(const Pair& pair, CommandFault fault);
  Awaitable<> reject(const Pair& pair, CommandFault fault);
  Awaitable<> remove_manifest(const Pair& pair);
  [[nodiscard]] bool is_settled(const std::string& name) const;

  asio::io_context& loop_;
  Catalog& catalog_;
  ReportFault report_fault_;
  const Clock::duration settled_;
  std::map<std::string, Seen> seen_;
  std::string failure_;  ///< of the last look at the directory
  DiskThread disk_;
};

}  // namespace dfota
