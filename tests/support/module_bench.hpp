// One simulated module with a host that reads its port and a tiny HTTP server on loopback, all on one loop. Nothing
// sleeps: the loop runs until the state is reached, or until the bound of real time shows that it never will be.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>

#include "modem/simulator/pty_port.hpp"
#include "modem/simulator/virtual_module.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

using namespace dfota::sim;

inline constexpr auto kBenchWatchdog = std::chrono::seconds(60);
inline constexpr uint64_t kDeltaBytes = 20000;
inline const std::string kNew = "UC20GQBR03A12E1G";
inline const std::string kOld = "UC20GQBR03A11E1G";

/// Serves one body: 200, or 206 when a Range names its beginning; closes after each answer.
struct FileServer {
  explicit FileServer(asio::io_context& loop) : acceptor(loop, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(loop, accept(), asio::detached);
  }
  Awaitable<> accept() {
    for (;;) {
      auto [failure, socket] = co_await acceptor.async_accept(kNoThrow);
      if (failure) co_return;
      asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }
  Awaitable<> serve(asio::ip::tcp::socket socket) {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos && request.find("\n\n\n") == std::string::npos) {
      char room[1024];
      const auto [failure, size] = co_await socket.async_read_some(asio::buffer(room), kNoThrow);
      if (failure) co_return;
      request.append(room, size);
    }
    requests.push_back(request);
    const auto response = respond(request);
    co_await asio::async_write(socket, asio::buffer(response), kNoThrow);
  }
  std::string respond(const std::string& request) const {
    auto content = body;
    auto status = answer_status;
    std::string range;
    const auto at = request.find("Range: bytes=");
    if (at != std::string::npos && status == "200 OK") {
      size_t dash = 0;
      const auto begin = std::stoull(request.substr(at + 13), &dash);
      const auto end_text = request.substr(at + 13 + dash + 1);
      const auto last =
          std::isdigit(end_text[0]) ? std::min<size_t>(std::stoull(end_text), body.size() - 1) : body.size() - 1;
      content = body.substr(begin, last - begin + 1);
      status = "206 Partial Content";
      range = "Content-Range: bytes " + std::to_string(begin) + "-" + std::to_string(last) + "/" +
              std::to_string(body.size()) + "\r\n";
    }
    const auto head = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n" + range +
                      "Connection: close\r\n\r\n";
    return request.rfind("HEAD", 0) == 0 ? head : head + content.substr(0, content.size() - cut_off);
  }
  asio::ip::tcp::acceptor acceptor;
  std::string body = *make_delta({"UC20", "UC20GQBR03A11E1G", "UC20GQBR03A12E1G", kDeltaBytes});
  std::string answer_status = "200 OK";
  size_t cut_off = 0;
  std::vector<std::string> requests;
};

/// The host: holds the port open whenever it is there, as a gateway does.
struct Host {
  explicit Host(std::string link) : link(std::move(link)) {}
  ~Host() { hang_up(); }
  void hang_up() {
    if (port >= 0) ::close(port);
    port = -1;
  }
  void turn() {
    if (port < 0) {
      port = ::open(link.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
      if (port < 0) return;
      ++opens;
    }
    char room[4096];
    const auto size = ::read(port, room, sizeof room);
    if (size > 0) heard.append(room, static_cast<size_t>(size));
    pollfd probe{port, POLLIN, 0};
    if (size <= 0 && ::poll(&probe, 1, 0) >= 0 && (probe.revents & POLLHUP) != 0) hang_up();
  }
  void say(const std::string& text) {
    REQUIRE(::write(port, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] bool has(const std::string& text) const { return heard.find(text) != std::string::npos; }
  [[nodiscard]] size_t count(const std::string& text) const {
    size_t found = 0;
    for (auto at = heard.find(text); at != std::string::npos; at = heard.find(text, at + 1)) ++found;
    return found;
  }
  std::string link;
  int port = -1;
  int opens = 0;
  std::string heard;
};

struct Bench {
  /// The module keeps its things in `kept`, which outlives the bench, or in a directory of the bench's own.
  explicit Bench(const std::string& fault = "", const TempDir* kept = nullptr, int baud = 0)
      : Bench(options_with(fault), kept, baud) {}
  static ModuleOptions options_with(const std::string& fault) {
    ModuleOptions options;
    options.pace.speed = 2000;
    if (!fault.empty()) options.faults.push_back(*Fault::parse(fault));
    return options;
  }
  /// Name and directory are the bench's to fill.
  explicit Bench(ModuleOptions options, const TempDir* kept = nullptr, int baud = 0)
      : own_dir(kept == nullptr ? std::make_unique<TempDir>() : nullptr),
        dir((kept == nullptr ? *own_dir : *kept).path().string()),
        host(dir + "/m0"),
        server(loop),
        log(-1) {
    options.name = "m0";
    options.dir = dir;
    REQUIRE(log.redirect(dir + "/events.log").ok());
    watch = std::move(*OpenWatch::create(loop));
    auto port = std::make_unique<PtyPort>(loop, *watch, dir + "/m0", baud);
    module = std::make_unique<VirtualModule>(loop, std::move(port), log, options);
    REQUIRE(module->start().ok());
  }
  void until(const std::function<bool()>& reached, const std::string& what) {
    const auto give_up = std::chrono::steady_clock::now() + kBenchWatchdog;
    while (!reached()) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, what << "\nheard: " << host.heard);
      // One handler, then the host: however busy the machine, the host never misses a port that came back.
      loop.run_one_for(std::chrono::milliseconds(1));
      host.turn();
      if (clock != nullptr) clock->advance(std::chrono::milliseconds(1));
    }
  }
  void until_heard(const std::string& text) {
    until([&] { return host.has(text); }, text);
  }
  void ask(const std::string& command) {
    until([&] { return host.port >= 0 && module->ready(); }, "the port");
    host.heard.clear();
    host.say(command + "\r");
  }
  /// All of it, as fast as the port takes it.
  void pour(std::string_view bytes) {
    until(
        [&] {
          const auto size = ::write(host.port, bytes.data(), bytes.size());
          if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
          return bytes.empty();
        },
        "the port to take everything");
  }
  void be_quiet() {
    ask("ATE0");
    until_heard("\r\nOK\r\n");
  }
  void command_update() {
    be_quiet();
    ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(server.acceptor.local_endpoint().port()) + "/d.bin\"");
    until_heard("\r\nOK\r\n");
  }
  /// The next command, answered by OK.
  void command(const std::string& text) {
    ask(text);
    until_heard("\r\nOK\r\n");
  }
  [[nodiscard]] bool logged(const std::string& text) const { return events().find(text) != std::string::npos; }
  std::string events() const {
    std::stringstream text;
    text << std::ifstream(dir + "/events.log").rdbuf();
    return text.str();
  }
  asio::io_context loop;
  std::unique_ptr<TempDir> own_dir;
  std::string dir;
  Host host;
  FileServer server;
  EventLog log;
  std::unique_ptr<OpenWatch> watch;
  std::unique_ptr<VirtualModule> module;
  SteppedClock* clock = nullptr;  ///< moves on with each turn of the loop; made before the bench
};

}  // namespace dfota::test
