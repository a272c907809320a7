// A whole module over a real pseudo-terminal, against a tiny HTTP server on loopback, on one loop. Nothing sleeps: the
// loop runs until the state is reached, or until the bound of real time shows that it never will be.
#include "modem/simulator/virtual_module.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

using namespace dfota;
using namespace dfota::sim;
using Tcp = asio::ip::tcp;

namespace {

constexpr auto kWatchdog = std::chrono::seconds(60);
constexpr uint64_t kDeltaBytes = 20000;

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
  Awaitable<> serve(Tcp::socket socket) {
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
  Tcp::acceptor acceptor;
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

std::string make_dir() {
  char dir[] = "/tmp/dfota-module-XXXXXX";
  REQUIRE(::mkdtemp(dir) != nullptr);
  return dir;
}

struct Bench {
  explicit Bench(const std::string& fault = "", std::string use_dir = "")
      : dir(use_dir.empty() ? make_dir() : use_dir), host(dir + "/m0"), server(loop), log(-1) {
    ModuleOptions options;
    options.name = "m0";
    options.dir = dir;
    options.pace.speed = 2000;
    if (!fault.empty()) options.faults.push_back(*Fault::parse(fault));
    REQUIRE(log.redirect(dir + "/events.log").ok());
    watch = std::move(*OpenWatch::create(loop));
    module = std::make_unique<VirtualModule>(loop, *watch, log, options);
    REQUIRE(module->start().ok());
  }
  ~Bench() {
    if (!keep) std::filesystem::remove_all(dir);
  }
  void until(const std::function<bool()>& reached, const std::string& what) {
    const auto give_up = std::chrono::steady_clock::now() + kWatchdog;
    while (!reached()) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, what << "\nheard: " << host.heard);
      // One handler, then the host: however busy the machine, the host never misses a port that came back.
      loop.run_one_for(std::chrono::milliseconds(1));
      host.turn();
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
  void command_update() {
    ask("ATE0");
    until_heard("\r\nOK\r\n");
    ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(server.acceptor.local_endpoint().port()) + "/d.bin\"");
    until_heard("\r\nOK\r\n");
  }
  std::string events() const {
    std::stringstream text;
    text << std::ifstream(dir + "/events.log").rdbuf();
    return text.str();
  }
  asio::io_context loop;
  std::string dir;
  Host host;
  FileServer server;
  EventLog log;
  std::unique_ptr<OpenWatch> watch;
  std::unique_ptr<VirtualModule> module;
  bool keep = false;
};

const std::string kNew = "UC20GQBR03A12E1G";
const std::string kOld = "UC20GQBR03A11E1G";

void updates_with(const std::string& fault) {
  INFO(fault);
  Bench bench(fault);
  bench.command_update();
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.module->qfotadl_count() == 1);
  CHECK(bench.module->bytes_while_flashing() == 0);
  CHECK(bench.module->memory().boots == 2);
}

void ends_with(const std::string& fault, const std::string& last_words) {
  INFO(fault);
  Bench bench(fault);
  bench.command_update();
  bench.until_heard(last_words);
  bench.until([&] { return bench.module->ready(); }, "ready again");
  CHECK(bench.module->memory().version == kOld);
}

}  // namespace

TEST_CASE("the whole story of an update, as the guide tells it") {
  Bench bench;
  bench.command_update();
  bench.until_heard("RDY");
  const auto& heard = bench.host.heard;
  size_t at = 0;
  for (const auto* words : {"OK", "\"HTTPSTART\"\r\n", "\"HTTPEND\",0\r\n", "\"START\"\r\n", "\"UPDATING\",1\r\n",
                            "\"UPDATING\",100\r\n", "\"END\",0\r\n", "RDY\r\n"}) {
    at = heard.find(words, at);
    REQUIRE_MESSAGE(at != std::string::npos, words << "\nheard: " << heard);
  }
  CHECK(bench.host.count("\"UPDATING\",") == 100);
  CHECK(bench.host.opens == 3);
  bench.ask("ATI");
  bench.until_heard("Revision: " + kNew + "\r\n\r\nOK");
  CHECK(bench.host.has("ATI\rQ") == false);
  CHECK(bench.host.has("ATI\r\r\nQuectel"));  // the echo is on again after a boot
  CHECK(bench.server.requests.size() == 1);
  CHECK(bench.events().find("\"event\":\"flashing_end\",\"bytes_while_flashing\":0") != std::string::npos);
}

TEST_CASE("every habit of a client ends in the new version") {
  for (const auto* client :
       {"range0", "chunks:7000", "chunks-keep:7000", "head", "barelf", "slow:100000", "http10", "resume"}) {
    updates_with(std::string("client=") + client);
  }
}

TEST_CASE("faults that a module survives") {
  for (const auto* fault :
       {"lost-start", "lost-updating", "lost-end", "end-twice", "percent-back", "garbage-boot", "boot-noise",
        "split-writes", "echo=crcrlf", "echo-always", "uart", "hangup-download=50", "urc-in-answer"}) {
    updates_with(fault);
  }
}

TEST_CASE("faults that end an attempt with the old version") {
  ends_with("httpend=703", "\"HTTPEND\",703\r\n");
  ends_with("httpend=608", "\"HTTPEND\",608\r\n");
  ends_with("ftpend=625", "\"FTPEND\",625\r\n");
  ends_with("httpend-after=50:717", "\"HTTPEND\",717\r\n");
  ends_with("no-request=728", "\"HTTPEND\",728\r\n");
  ends_with("httpend=0", "\"END\",505\r\n");
  ends_with("end=502", "\"END\",502\r\n");
  ends_with("keep-old", "\"END\",0\r\n");
  ends_with("reboot-download=50", "RDY");
}

TEST_CASE("a refusal starts nothing") {
  for (const auto* fault : {"refuse=error", "refuse=cme:30"}) {
    Bench bench(fault);
    bench.ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(bench.server.acceptor.local_endpoint().port()) +
              "/d\"");
    bench.until_heard("ERROR\r\n");
    CHECK(bench.module->qfotadl_count() == 1);
    CHECK(bench.module->ready());
    CHECK(bench.server.requests.empty());
  }
}

TEST_CASE("a package of another base or another model is refused after its reboot") {
  for (const auto& header :
       {DeltaHeader{"UC20", "UC20GQBR03A10E1G", kNew, kDeltaBytes}, DeltaHeader{"UC15", kOld, kNew, kDeltaBytes}}) {
    Bench bench;
    bench.server.body = *make_delta(header);
    bench.command_update();
    bench.until_heard("\"END\",510\r\n");
    bench.until_heard("RDY");
    CHECK(bench.module->memory().version == kOld);
    CHECK(bench.events().find("\"event\":\"refused\",\"code\":510") != std::string::npos);
  }
}

TEST_CASE("a corrupt package is refused without a reboot, and the module answers again") {
  Bench bench;
  bench.server.body[5000] = '!';
  bench.command_update();
  bench.until_heard("\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"END\",505\r\n");
  CHECK(bench.host.opens == 1);
  bench.ask("AT");
  bench.until_heard("\r\nOK\r\n");
}

TEST_CASE("what goes wrong on the network becomes a code of the guide") {
  SUBCASE("404") {
    Bench bench;
    bench.server.answer_status = "404 Not Found";
    bench.command_update();
    bench.until_heard("\"HTTPEND\",705\r\n");
  }
  SUBCASE("a redirect is not followed") {
    Bench bench;
    bench.server.answer_status = "302 Found";
    bench.command_update();
    bench.until_heard("\"HTTPEND\",723\r\n");
  }
  SUBCASE("the careless client stores the error page as a package") {
    Bench bench("client=barelf");
    bench.server.answer_status = "404 Not Found";
    bench.server.body = "<html>nothing here</html>";
    bench.command_update();
    bench.until_heard("\"END\",505\r\n");
  }
  SUBCASE("closed early") {
    Bench bench;
    bench.server.cut_off = 1;
    bench.command_update();
    bench.until_heard("\"HTTPEND\",719\r\n");
  }
  SUBCASE("nobody there") {
    Bench bench;
    const auto port = bench.server.acceptor.local_endpoint().port();
    bench.server.acceptor.close();
    bench.ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(port) + "/d.bin\"");
    bench.until_heard("\"HTTPEND\",716\r\n");
  }
}

TEST_CASE("a byte received while it flashes is counted, and not answered") {
  Bench bench("stall=3");
  bench.command_update();
  bench.until_heard("\"UPDATING\",3\r\n");
  bench.host.say("AT\r");
  bench.until([&] { return bench.module->bytes_while_flashing() == 3; }, "three bytes");
  CHECK(bench.events().find("\"event\":\"bytes_while_flashing\",\"count\":3,\"text\":\"AT\\r\"") != std::string::npos);
  CHECK_FALSE(bench.host.has("\"UPDATING\",3\r\n\r\nOK"));
}

TEST_CASE("a second AT+QFOTADL during a download is an error, and counted") {
  Bench bench("stall-download=50");
  bench.command_update();
  bench.until([&] { return bench.events().find("\"stalled\"") != std::string::npos; }, "the stall");
  bench.host.heard.clear();
  bench.host.say("AT+QFOTADL=\"HTTP://127.0.0.1:9/d\"\r");
  bench.until_heard("ERROR");
  CHECK(bench.module->qfotadl_count() == 2);
}

TEST_CASE("a fault bounded by once spares the second attempt") {
  Bench bench("httpend=703,once");
  bench.command_update();
  bench.until_heard("\"HTTPEND\",703\r\n");
  bench.command_update();
  bench.until([&] { return bench.module->memory().version == kNew; }, "the second attempt");
}

TEST_CASE("version, IMEI and boots outlive the program; what was said to nobody does not") {
  std::string dir;
  {
    Bench bench("imei=111");
    bench.keep = true;
    dir = bench.dir;
    bench.command_update();
    bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the update");
    bench.module->finish();
    CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(dir + "/m0")));
  }
  Bench bench("", dir);
  bench.host.link = "/nonexistent";
  bench.until([&] { return bench.events().rfind("PB DONE") > bench.events().rfind("\"boots\":3"); }, "a boot unheard");
  CHECK(bench.module->memory().version == kNew);
  CHECK(bench.module->memory().imei == "111");
  bench.host.link = dir + "/m0";
  bench.ask("AT");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "AT\r\r\nOK\r\n");
}
