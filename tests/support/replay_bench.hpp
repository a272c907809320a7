// One replayed module with a host that reads its port and a tiny HTTP server on loopback, all on one loop under a clock
// that is stepped: recorded delays pass at once, and are seen to be kept.
#pragma once

#include <initializer_list>

#include "modem/simulator/replay_module.hpp"
#include "tests/support/module_bench.hpp"
#include "tests/support/rack.hpp"

namespace dfota::test {

struct ReplayBench {
  static constexpr auto kStep = std::chrono::milliseconds(20);

  explicit ReplayBench(const std::string& name, double speed = 1)
      : ReplayBench(*load_replay(kept_transcript(name)), speed) {}
  explicit ReplayBench(ReplayScript script, double speed = 1) : host(dir / "m0"), server(loop), log(-1) {
    REQUIRE(log.redirect(dir / "events.log").ok());
    watch = std::move(*OpenWatch::create(loop));
    ReplayOptions options;
    options.name = "m0";
    options.speed = speed;
    auto port = std::make_unique<PtyPort>(loop, *watch, dir / "m0", 0);
    module = std::make_unique<ReplayModule>(loop, std::move(port), log, std::move(script), options);
    REQUIRE(module->start().ok());
    until([this] { return logged("\"opened\""); }, "the host at the port");
  }

  void turn() {
    const auto ran = loop.poll();
    host.turn();
    // Time goes on only where nothing happens: what the host and the server have to do takes none of it.
    if (ran > 0) return;
    loop.run_one_for(std::chrono::microseconds(50));
    clock.advance(kStep);
  }
  void until(const std::function<bool()>& reached, const std::string& what) {
    const auto give_up = std::chrono::steady_clock::now() + kBenchWatchdog;
    while (!reached()) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, what << "\nheard: " << host.heard << events());
      turn();
    }
  }
  void until_heard(const std::string& text) {
    until([&] { return host.has(text); }, text);
  }
  /// So much of the recorded time.
  void pass(std::chrono::milliseconds time) {
    const auto end = Clock::now() + time;
    while (Clock::now() < end) turn();
  }
  /// Written at once; what was heard before is forgotten.
  void say(const std::string& command) {
    until([&] { return host.port >= 0; }, "the port");
    host.heard.clear();
    host.say(command + "\r");
  }
  void ask(const std::string& command, const std::string& answer = "\r\nOK\r\n") {
    say(command);
    until_heard(answer);
  }
  void ask_all(std::initializer_list<const char*> commands) {
    for (const auto* command : commands) ask(command);
  }
  /// Who are you, as every gateway asks; what it runs.
  std::string identify() {
    ask_all({"AT", "ATE0", "AT+CMEE=1", "ATI"});
    const auto at = host.heard.find("Revision: ");
    REQUIRE(at != std::string::npos);
    const auto version = host.heard.substr(at + 10, host.heard.find('\r', at) - at - 10);
    ask("AT+GSN");
    return version;
  }
  void prepare() {
    identify();
    ask_all({"AT+CPIN?", "AT+CREG?", "AT+QCFG=\"fota/cid\"", "AT+QICSGP=1"});
  }
  [[nodiscard]] std::string address() const {
    return "HTTP://127.0.0.1:" + std::to_string(server.acceptor.local_endpoint().port()) + "/a/5f0c/other.bin";
  }
  void command_update() { ask("AT+QFOTADL=\"" + address() + "\""); }
  /// In pieces, as the port takes them.
  void pour(std::string_view bytes) {
    until(
        [&] {
          const auto size = ::write(host.port, bytes.data(), std::min<size_t>(bytes.size(), 2048));
          if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
          return bytes.empty();
        },
        "the port to take everything");
  }
  [[nodiscard]] std::string events() const {
    std::stringstream text;
    text << std::ifstream(dir / "events.log").rdbuf();
    return text.str();
  }
  [[nodiscard]] bool logged(const std::string& text) const { return events().find(text) != std::string::npos; }

  SteppedClock clock;
  asio::io_context loop;
  TempDir dir;
  Host host;
  FileServer server;
  EventLog log;
  std::unique_ptr<OpenWatch> watch;
  std::unique_ptr<ReplayModule> module;
};

}  // namespace dfota::test
