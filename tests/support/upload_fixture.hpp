// One upload to one scripted module on a stepped clock. For the tests of modem/upload.
#pragma once

#include <doctest/doctest.h>
#include <asio/co_spawn.hpp>
#include <fstream>
#include <sstream>
#include "modem/qind.hpp"
#include "modem/upload.hpp"
#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

inline constexpr auto kName = "UFS:dfota.bin";
inline constexpr auto kDel = "AT+QFDEL=\"UFS:dfota.bin\"";
inline constexpr auto kLst = "AT+QFLST=\"UFS:dfota.bin\"";
inline constexpr auto kLds = "AT+QFLDS=\"UFS\"";
inline constexpr auto kOk = "\r\nOK\r\n";
inline constexpr auto kAbsent = "\r\n+CME ERROR: 405\r\n";
inline constexpr auto kFotaStart = "\r\n+QIND: \"FOTA\",\"START\"\r\n";

inline std::string hex(unsigned number) {
  std::ostringstream out;
  out << std::hex << number;
  return out.str();
}

/// A file, an upload of it, and a module that the test plays.
struct UploadFixture {
  SteppedClock clock;
  asio::io_context loop{1};
  TempDir dir;
  ScriptedModule module{loop, dir.path()};
  Signal changed{loop};
  ModulePort port{loop, module.port(), LinkOptions(), changed, "module m0"};
  Danger danger;
  Dialogue dialogue{port, danger, [this] { hear(); }};
  UploadOrder order;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> progress;
  std::string content;
  std::optional<Result<void>> result;
  std::optional<Result<std::optional<std::uint64_t>>> size;

  UploadFixture() {
    order.file = dir.path() / "delta.bin";
    order.name = kName;
    order.storage = "UFS";
    spawn(open());
    REQUIRE(module.run_until([&] { return port.is_open(); }));
  }
  ~UploadFixture() {
    port.drop();
    module.settle();
  }
  void hear() {
    while (const auto line = port.take_unsolicited()) {
      const auto urc = parse_qind(*line);
      if (urc && urc->stage == FotaStage::start) danger.evidence = Evidence::fota_urc;
    }
  }
  void spawn(Awaitable<> work) {
    asio::co_spawn(loop, std::move(work), [](std::exception_ptr bug) {
      if (bug) std::rethrow_exception(bug);
    });
    module.settle();
  }
  Awaitable<> open() {
    const auto opened = co_await port.open();
    CHECK(opened.ok());
  }
  Awaitable<> upload() {
    UploadSource::Progress tell = [this](std::uint64_t sent, std::uint64_t all) { progress.emplace_back(sent, all); };
    auto outcome = co_await upload_file(dialogue, order, tell);
    result = std::move(outcome);
  }
  Awaitable<> remove() {
    auto outcome = co_await remove_file(dialogue, kName);
    result = std::move(outcome);
  }
  Awaitable<> ask_size(std::string name) {
    auto outcome = co_await file_size(dialogue, name);
    size = std::move(outcome);
  }

  void begin(std::string bytes) {
    content = std::move(bytes);
    std::ofstream(order.file, std::ios::binary) << content;
    spawn(upload());
  }
  std::string upload_command() const { return "AT+QFUPL=\"UFS:dfota.bin\"," + std::to_string(content.size()) + ",5,1"; }
  void to_connect() {
    module.expect(kDel, kAbsent);
    module.expect(kLds, "\r\n+QFLDS: 2097152,4194304\r\n\r\nOK\r\n");
    module.expect(upload_command(), "\r\nCONNECT\r\n");
  }
  /// Takes all of the data, one acknowledgement at a time; says where the gateway paused for it.
  std::vector<std::size_t> take_content() {
    std::string taken;
    std::vector<std::size_t> pauses;
    for (std::size_t acknowledged = 0;;) {
      const auto due = std::min(content.size(), acknowledged * 1024 + 2048);
      const auto missing = due - std::min(due, taken.size());
      taken += module.take_data(missing >= UploadSource::kShortest || due == content.size() ? missing : 0);
      if (taken.size() >= content.size()) break;
      pauses.push_back(taken.size());
      ++acknowledged;
      module.say("A");
    }
    CHECK(taken == content);
    return pauses;
  }
  unsigned checksum() const {
    QfuplChecksum sum;
    sum.add(content);
    return sum.value();
  }
  std::string received() const {
    return "\r\n+QFUPL: " + std::to_string(content.size()) + "," + hex(checksum()) + "\r\n\r\nOK\r\n";
  }
  void fails(Errc code, const std::string& with = {}) {
    REQUIRE(module.run_until([&] { return result.has_value(); }));
    REQUIRE_FALSE(result->ok());
    CHECK(result->error().code == code);
    CHECK_MESSAGE(result->error().message.find(with) != std::string::npos, result->error().message);
    CHECK_MESSAGE(module.unread().empty(), "something was written after the error");
  }
};

}  // namespace dfota::test
