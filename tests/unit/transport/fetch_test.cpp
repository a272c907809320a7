#include "transport/fetch.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "transport/base/clock.hpp"
#include "transport/sha256.hpp"

using namespace dfota;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void wait_for_end(int socket) {
  char byte = 0;
  while (::recv(socket, &byte, 1, 0) > 0) {
  }
}

std::string answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string redirect(const std::string& to) {
  return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n";
}

/// An HTTP server on loopback that does with each connection what the test says, one after the other.
class Origin {
 public:
  using Play = std::function<void(int socket, const std::string& head)>;

  explicit Origin(Play play) : play_(std::move(play)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  explicit Origin(std::string reply) : Origin([reply](int socket, const std::string&) { send_all(socket, reply); }) {}
  ~Origin() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/delta.bin";
  }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void serve() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n") && ::recv(socket, &byte, 1, 0) > 0) head += byte;
      ++requests_;
      play_(socket, head);
      ::shutdown(socket, SHUT_WR);
      wait_for_end(socket);
      ::close(socket);
    }
  }

  Play play_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

std::string hash_of(const std::string& bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

using Outcome = Result<fs::path>;

Awaitable<> keep(Fetch& fetch, FetchRequest request, std::optional<Outcome>& outcome) {
  outcome = co_await fetch.fetch(request);
}

struct Bench {
  Bench() {
    std::string name = (fs::temp_directory_path() / "fetch_test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    options.directory = root / "cache" / "artifacts";
    options.allow_hosts = {"127.0.0.1"};
  }
  ~Bench() {
    fetch.reset();
    fs::remove_all(root);
  }

  void start(const std::string& url, const std::string& sha256, std::optional<Outcome>& outcome,
             std::optional<std::uint64_t> size = std::nullopt) {
    if (!fetch) fetch = std::make_unique<Fetch>(loop, options);
    FetchRequest request;
    request.url = url;
    request.sha256 = sha256;
    request.size = size;
    asio::co_spawn(loop, keep(*fetch, request, outcome), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  Outcome finish(std::optional<Outcome>& outcome) {
    loop.restart();
    while (!outcome) REQUIRE(loop.run_one() > 0);
    return *outcome;
  }
  Outcome get(const std::string& url, const std::string& sha256, std::optional<std::uint64_t> size = std::nullopt) {
    std::optional<Outcome> outcome;
    start(url, sha256, outcome, size);
    return finish(outcome);
  }
  /// The error, after which nothing must be left in the directory.
  Error failure(const std::string& url, const std::string& sha256, std::optional<std::uint64_t> size = std::nullopt) {
    auto outcome = get(url, sha256, size);
    REQUIRE_FALSE(outcome.ok());
    INFO(outcome.error().message);
    CHECK(files() == 0);
    return outcome.error();
  }
  [[nodiscard]] int files() const {
    return fs::exists(options.directory)
               ? static_cast<int>(std::distance(fs::directory_iterator(options.directory), fs::directory_iterator()))
               : 0;
  }

  asio::io_context loop;
  fs::path root;
  FetchOptions options;
  std::unique_ptr<Fetch> fetch;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string kBody(300000, 'd');

}  // namespace

TEST_CASE("fetch: a file comes whole, under its hash, read-only") {
  Bench bench;
  Origin origin(answer(kBody));
  auto path = bench.get(origin.url(), hash_of(kBody), kBody.size());
  REQUIRE(path.ok());
  CHECK(*path == bench.options.directory / hash_of(kBody));
  CHECK(content(*path) == kBody);
  CHECK((fs::status(*path).permissions() & fs::perms::owner_write) == fs::perms::none);
  CHECK(*sha256_of(*path) == hash_of(kBody));
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: sha256 of nothing, of abc, of no file") {
  CHECK(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of("/nonexistent").error().code == Errc::absent);
  CHECK(sha256_of("/tmp").error().code == Errc::io);
}

TEST_CASE("fetch: an upper-case hash is the same hash, and a second request is answered from the directory") {
  Bench bench;
  Origin origin(answer(kBody));
  std::string upper = hash_of(kBody);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  std::optional<Outcome> first;
  std::optional<Outcome> second;
  bench.start(origin.url(), upper, first);
  bench.start(origin.url(), hash_of(kBody), second);
  CHECK(bench.finish(first).ok());
  CHECK(bench.finish(second).ok());
  CHECK(**first == **second);
  CHECK(origin.requests() == 1);
  CHECK(bench.get(origin.url(), hash_of(kBody), kBody.size() + 1).error().code == Errc::mismatch);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: a damaged file is fetched again, and stale temporary files go") {
  Bench bench;
  Origin origin(answer(kBody));
  fs::create_directories(bench.options.directory);
  std::ofstream(bench.options.directory / hash_of(kBody)) << "damaged";
  std::ofstream(bench.options.directory / ".part-old") << "x";
  auto path = bench.get(origin.url(), hash_of(kBody));
  REQUIRE(path.ok());
  CHECK(content(*path) == kBody);
  CHECK(origin.requests() == 1);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: what is not what was promised is a mismatch, and leaves nothing") {
  Bench bench;
  Origin origin(answer(kBody));
  CHECK(bench.failure(origin.url(), hash_of("other")).code == Errc::mismatch);
  CHECK(bench.failure(origin.url(), hash_of(kBody), kBody.size() - 1).code == Errc::mismatch);
  CHECK(bench.failure(origin.url(), hash_of(kBody), kBody.size() + 1).code == Errc::mismatch);
}

TEST_CASE("fetch: a file over the cap is refused, announced or not") {
  Bench bench;
  bench.options.max_bytes = 1000;
  Origin announced(answer(kBody));
  CHECK(bench.failure(announced.url(), hash_of(kBody)).code == Errc::refused);
  CHECK(bench.failure(announced.url(), hash_of(kBody), kBody.size()).code == Errc::refused);
  CHECK(announced.requests() == 1);
  Origin endless([](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (send_all(socket, kBody)) {
    }
  });
  CHECK(bench.failure(endless.url(), hash_of(kBody)).code == Errc::refused);
  Origin endless_head([](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\n");
    while (send_all(socket, "X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  CHECK(bench.failure(endless_head.url(), hash_of(kBody)).code == Errc::refused);
}

TEST_CASE("fetch: errors of the server and a cut are absent: try again later") {
  Bench bench;
  for (const std::string status : {"404 Not Found", "503 Busy", "304 Not Modified"}) {
    Origin origin("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
    const auto error = bench.failure(origin.url(), hash_of(kBody));
    CHECK(error.code == Errc::absent);
    CHECK(error.message.find(status.substr(0, 3)) != std::string::npos);
  }
  for (const std::size_t cut : {0, 1, 16, 30, 40, 1000, 299999}) {
    Origin origin(answer(kBody).substr(0, cut));
    CHECK(bench.failure(origin.url(), hash_of(kBody)).code == Errc::absent);
  }
  std::string gone;
  {
    Origin origin("");
    gone = origin.url();
  }
  CHECK(bench.failure(gone, hash_of(kBody)).code == Errc::absent);
}

TEST_CASE("fetch: redirects are followed, over http and not for ever") {
  Bench bench;
  Origin origin(answer(kBody));
  Origin hop(redirect(origin.url()));
  CHECK(bench.get(hop.url(), hash_of(kBody)).ok());
  fs::remove_all(bench.options.directory / hash_of(kBody));
  for (const std::string to : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"}) {
    Origin elsewhere(redirect(to));
    CHECK(bench.failure(elsewhere.url(), hash_of(kBody)).code == Errc::refused);
  }
  Origin loop(redirect("/again"));
  CHECK(bench.failure(loop.url(), hash_of(kBody)).code == Errc::refused);
  CHECK(loop.requests() == 1 + bench.options.max_redirects);
}

TEST_CASE("fetch: loopback is refused unless named, at each hop") {
  Bench bench;
  bench.options.allow_hosts = {"LocalHost"};
  Origin origin(answer(kBody));
  Origin hop(redirect(origin.url()));
  const auto hash = hash_of(kBody);
  const auto port_on = origin.url().substr(std::string("http://127.0.0.1").size());
  for (const std::string host :
       {"127.0.0.1", "127.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]"}) {
    const auto error = bench.failure("http://" + host + port_on, hash);
    INFO(host << ": " << error.message);
    CHECK(error.code == Errc::refused);
    CHECK(error.message.find("allow_hosts") != std::string::npos);
  }
  CHECK(bench.failure("http://169.254.1.1:1/x", hash).code == Errc::refused);
  CHECK(bench.failure("http://[fe80::1]:1/x", hash).code == Errc::refused);
  CHECK(origin.requests() == 0);
  CHECK(bench.failure(hop.url("localhost"), hash).code == Errc::refused);
  CHECK(hop.requests() == 1);
  CHECK(origin.requests() == 0);
  CHECK(bench.get(origin.url("localhost"), hash).ok());
}

TEST_CASE("fetch: a proxy in the environment is not used") {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  Bench bench;
  Origin origin(answer(kBody));
  CHECK(bench.get(origin.url(), hash_of(kBody)).ok());
  ::unsetenv("http_proxy");
}

TEST_CASE("fetch: what is no http URL or no hash is refused before anything is asked") {
  Bench bench;
  const auto hash = hash_of(kBody);
  for (const std::string url : {"ftp://h/x", "file:///etc/passwd", "scp://h/x"}) {
    CHECK(bench.failure(url, hash).code == Errc::refused);
  }
  for (const std::string url : {"", "h/x", "http://", "http://h:99999/x", "http://a b/"}) {
    CHECK(bench.failure(url, hash).code == Errc::invalid);
  }
  CHECK(bench.failure("http://h/" + std::string(9000, 'x'), hash).code == Errc::invalid);
  for (const std::string& bad : {std::string(), hash.substr(1), hash + "0", "../" + hash.substr(3)}) {
    CHECK(bench.failure("http://h/x", bad).code == Errc::invalid);
  }
}

TEST_CASE("fetch: messages hold neither query nor user nor password") {
  Bench bench;
  Origin origin([](int socket, const std::string&) { send_all(socket, redirect("ftp://u2:hunter3@h/x?sig=hunter4")); });
  auto url = origin.url("user:hunter1@127.0.0.1") + "?sig=hunter2";
  const auto error = bench.failure(url, hash_of(kBody));
  CHECK(error.message.find("hunter") == std::string::npos);
  CHECK(error.message.find("user") == std::string::npos);
  CHECK(error.message.find(origin.url()) != std::string::npos);
}

TEST_CASE("fetch: a stalled transfer and one without end are given up") {
  SteppedClock clock;
  Bench bench;
  std::string word = "stalled";
  Origin::Play play = [](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc");
    wait_for_end(socket);
  };
  bench.options.total_limit = std::chrono::hours(1000000);
  SUBCASE("stalled") {}
  SUBCASE("total") {
    word = "total limit";
    bench.options.stall_limit = std::chrono::hours(1000000);
    bench.options.total_limit = 60s;
    play = [](int socket, const std::string&) {
      send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
      while (send_all(socket, "drop")) {
      }
    };
  }
  std::promise<void> asked;
  Origin origin([&](int socket, const std::string& head) {
    asked.set_value();
    play(socket, head);
  });
  std::optional<Outcome> outcome;
  bench.start(origin.url(), hash_of(kBody), outcome);
  bench.loop.poll();
  asked.get_future().wait();
  while (!outcome) {
    clock.advance(31s);
    bench.loop.restart();
    bench.loop.poll();
  }
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().code == Errc::timeout);
  CHECK(outcome->error().message.find(word) != std::string::npos);
  CHECK(bench.files() == 0);
}

TEST_CASE("fetch: destroyed in mid-transfer, all who wait get canceled and nothing is left") {
  Bench bench;
  std::promise<void> under_way;
  Origin origin([&](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc");
    under_way.set_value();
    wait_for_end(socket);
  });
  std::optional<Outcome> first;
  std::optional<Outcome> second;
  bench.start(origin.url(), hash_of(kBody), first);
  bench.start(origin.url(), hash_of("other"), second);
  bench.loop.poll();
  under_way.get_future().wait();
  bench.fetch.reset();
  CHECK(bench.finish(first).error().code == Errc::canceled);
  CHECK(bench.finish(second).error().code == Errc::canceled);
  CHECK(bench.files() == 0);
  CHECK(origin.requests() == 1);
}

TEST_CASE("fetch: the queue is bounded") {
  Bench bench;
  std::promise<void> under_way;
  Origin origin([&](int socket, const std::string&) {
    under_way.set_value();
    wait_for_end(socket);
  });
  std::vector<std::optional<Outcome>> outcomes(Fetch::kMaxQueued + 2);
  bench.start(origin.url(), hash_of(kBody), outcomes[0]);
  bench.loop.poll();
  under_way.get_future().wait();
  for (std::size_t i = 1; i < outcomes.size(); ++i) bench.start(origin.url(), hash_of(kBody), outcomes[i]);
  CHECK(bench.finish(outcomes.back()).error().code == Errc::busy);
  bench.fetch.reset();
  CHECK(bench.finish(outcomes[Fetch::kMaxQueued]).error().code == Errc::canceled);
}

TEST_CASE("fetch: a directory that cannot be written is io") {
  Bench bench;
  Origin origin(answer(kBody));
  std::ofstream(bench.root / "file") << "x";
  bench.options.directory = bench.root / "file" / "below";
  CHECK(bench.get(origin.url(), hash_of(kBody)).error().code == Errc::io);
}

TEST_CASE("fetch: a file that finds no room is no_space, and leaves nothing") {
  Bench bench;
  Origin origin(answer(kBody));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto outcome = bench.get(origin.url(), hash_of(kBody));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(outcome.error().code == Errc::no_space);
  CHECK(bench.files() == 0);
}
