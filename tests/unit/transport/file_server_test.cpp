#include "transport/file_server.hpp"

#include <doctest/doctest.h>

#include "tests/support/file_server_rig.hpp"

using namespace dfota;
using namespace dfota::file_server_rig;
using namespace std::chrono_literals;

namespace {

class TempFile {
 public:
  explicit TempFile(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) content += static_cast<char>('a' + (i * 7 + i / 251) % 26);
    std::string name = std::filesystem::temp_directory_path() / "file_server_test.XXXXXX";
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path = name;
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TempFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
  std::string content;
};

/// A server on a free port, and the loop that the test runs itself while it waits for something.
struct Rig {
  explicit Rig(std::size_t size = 1000, FileServerOptions options = {}) : file(size), server(make(options)) {
    REQUIRE(server->start().ok());
    server->on_fault = [this](const std::string& line) { faults.push_back(line); };
    REQUIRE(server->offer(token, "delta.bin", file.path, [this] { changed(); }).ok());
  }
  std::unique_ptr<FileServer> make(const FileServerOptions& options) {
    return std::make_unique<FileServer>(loop, options);
  }
  void changed() {
    ++changes;
    CHECK(std::this_thread::get_id() == thread);
    if (on_change) on_change();
  }
  void turn() {
    loop.restart();
    loop.run_one_for(2ms);
  }
  /// Runs the loop until the condition holds; the limit is there for a test that fails.
  bool until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      turn();
    }
    return true;
  }
  Transfer look() const { return server->look(token); }
  std::string path() const { return "/a/" + token + "/delta.bin"; }
  std::string get(const std::string& fields = "", const std::string& version = "1.1") const {
    return "GET " + path() + " HTTP/" + version + "\r\nHost: here\r\n" + fields + "\r\n";
  }

  asio::io_context loop;
  TempFile file;
  const std::string token = FileServer::make_token();
  const std::thread::id thread = std::this_thread::get_id();
  std::function<void()> on_change;
  int changes = 0;
  std::vector<std::string> faults;
  std::unique_ptr<FileServer> server;  // last: it ends first
};

class Client {
 public:
  explicit Client(Rig& rig) : rig_(rig), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { REQUIRE(fd_ >= 0); }
  Client(Rig& rig, const std::string& text) : Client(rig) {
    connect();
    send(text);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void connect() {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(rig_.server->port());
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
    REQUIRE(::fcntl(fd_, F_SETFL, O_NONBLOCK) == 0);
  }
  /// All of it, or as much as the server wants to have.
  void send(std::string_view text) {
    rig_.until([&] {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
      return text.empty() || (sent < 0 && errno != EAGAIN);
    });
  }
  void take() {
    std::array<char, 65536> bytes;
    const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count > 0) got.append(bytes.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EAGAIN)) ended = true;
  }
  bool until_end() {
    return rig_.until([&] {
      take();
      return ended;
    });
  }
  /// One whole response by its Content-Length, which is taken off what came.
  bool until_response(bool has_body = true) {
    return rig_.until([&] {
      take();
      return split(has_body) || ended;
    });
  }
  bool until_body(std::size_t size) {
    return rig_.until([&] {
      take();
      const auto end = got.find("\r\n\r\n");
      return ended || (end != std::string::npos && got.size() - end - 4 >= size);
    });
  }
  [[nodiscard]] std::string body_so_far() const {
    const auto end = got.find("\r\n\r\n");
    return end == std::string::npos ? "" : got.substr(end + 4);
  }
  /// Seen without reading anything.
  bool until_reset() {
    return rig_.until([&] {
      pollfd event{fd_, 0, 0};
      return ::poll(&event, 1, 0) == 1;
    });
  }
  [[nodiscard]] std::size_t unread() const {
    int count = 0;
    ::ioctl(fd_, FIONREAD, &count);
    return static_cast<std::size_t>(count);
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] bool has_line(const std::string& line) const { return head.find("\r\n" + line + "\r\n") != head.npos; }
  [[nodiscard]] std::string status() const { return head.substr(0, head.find("\r\n")).substr(9, 3); }

  std::string got, head, body;
  bool ended = false;

 private:
  bool split(bool has_body) {
    const auto end = got.find("\r\n\r\n");
    const auto length = got.find("\r\nContent-Length: ");
    if (end == std::string::npos || length == std::string::npos || length > end) return false;
    const auto size = has_body ? std::stoul(got.substr(length + 18)) : 0;
    if (got.size() < end + 4 + size) return false;
    head = got.substr(0, end + 4);
    body = got.substr(end + 4, size);
    got.erase(0, end + 4 + size);
    return true;
  }

  Rig& rig_;
  int fd_;
};

/// The answer to one request on a connection of its own, with the border open.
struct Answered : Client {
  Answered(Rig& rig, const std::string& request, bool has_body = true) : Client(rig, request) {
    CHECK(until_response(has_body));
    REQUIRE_FALSE(head.empty());
  }
};

constexpr auto kEmpty404 = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("GET brings the whole file with an exact length early in a short head") {
  Rig rig(100000);
  rig.server->release(rig.token);
  Answered client(rig, rig.get("Accept-Encoding: gzip, br, deflate\r\n"));
  CHECK(client.status() == "200");
  CHECK(client.body == rig.file.content);
  CHECK(client.head.size() < 512);
  CHECK(client.has_line("Content-Length: 100000"));
  CHECK(client.has_line("Content-Type: application/octet-stream"));
  CHECK(client.has_line("Accept-Ranges: bytes"));
  CHECK(client.head.find("Content-Length") < 128);
  CHECK(client.head.find("Encoding") == std::string::npos);
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  const auto seen = rig.look();
  CHECK(seen.size == 100000);
  CHECK(seen.delivered_bytes == 100000);
  CHECK(seen.requests == 1);
  CHECK(seen.released);
  CHECK(seen.complete);
  CHECK(seen.peer == "127.0.0.1");
  CHECK(rig.until([&] { return rig.changes >= 2; }));
}

TEST_CASE("HEAD says the same without the body and is no request of the file") {
  Rig rig;
  Answered client(rig, "HEAD " + rig.path() + " HTTP/1.1\r\nRange: bytes=5-6\r\nConnection: close\r\n\r\n", false);
  CHECK(client.status() == "200");
  CHECK(client.has_line("Content-Length: 1000"));
  CHECK(client.until_end());
  CHECK(client.got.empty());
  CHECK(rig.look().requests == 0);
  CHECK(rig.look().delivered_bytes == 0);
}

TEST_CASE("HTTP/1.0 is served and closed") {
  Rig rig;
  rig.server->release(rig.token);
  Answered client(rig, "GET " + rig.path() + " HTTP/1.0\r\n\r\n");
  CHECK(client.body == rig.file.content);
  CHECK(client.has_line("Connection: close"));
  CHECK(client.until_end());
  CHECK(client.got.empty());
}

TEST_CASE("bare LF, three of them at the end, bytes=0-, and the connection serves the next request too") {
  Rig rig;
  rig.server->release(rig.token);
  Client client(rig, "GET " + rig.path() + " HTTP/1.1\nHost: here\nRange: bytes=0-\n\n\n");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.until_response());
    CHECK(client.status() == "206");
    CHECK(client.body == rig.file.content);
    client.send("GET " + rig.path() + " HTTP/1.1\nRange: bytes=0-\n\n\n");
  }
  CHECK(rig.look().peer == "127.0.0.1");
}

TEST_CASE("ranged chunks on one connection, two of them sent at once, make the file and its union") {
  Rig rig;
  rig.server->release(rig.token);
  Client client(rig, rig.get("Range: bytes=0-399\r\n") + rig.get("Range: bytes=400-799\r\n"));
  std::string whole;
  REQUIRE(client.until_response());
  whole += client.body;
  REQUIRE(client.until_response());
  whole += client.body;
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes == 800);
  client.send(rig.get("Range: bytes=700-\r\nConnection: close\r\n"));
  REQUIRE(client.until_end());
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(whole + client.body_so_far().substr(100) == rig.file.content);
  CHECK(rig.look().complete);
  CHECK(rig.look().requests == 3);
}

TEST_CASE("F18: ranges as RFC 9110 has them") {
  struct Row {
    const char* range;
    const char* status;
    std::size_t first, size;
    const char* content_range;
  };
  const std::vector<Row> table = {
      {"bytes=0-", "206", 0, 1000, "bytes 0-999/1000"},
      {"bytes=10-19", "206", 10, 10, "bytes 10-19/1000"},
      {"bytes=990-5000", "206", 990, 10, "bytes 990-999/1000"},
      {"bytes=-7", "206", 993, 7, "bytes 993-999/1000"},
      {"bytes=-5000", "206", 0, 1000, "bytes 0-999/1000"},
      {"bytes=999-", "206", 999, 1, "bytes 999-999/1000"},
      {"bytes=2000-3000", "416", 0, 0, "bytes */1000"},
      {"bytes=1000-", "416", 0, 0, "bytes */1000"},
      {"bytes=100000000000000000000000-", "416", 0, 0, "bytes */1000"},
      {"bytes=5-2", "200", 0, 1000, nullptr},
      {"bytes=abc", "200", 0, 1000, nullptr},
      {"bytes=0-1,0-1,0-1,0-1", "200", 0, 1000, nullptr},
      {"bytes=10-19\r\nIf-Range: \"x\"", "200", 0, 1000, nullptr},
  };
  Rig rig;
  rig.server->release(rig.token);
  for (const auto& row : table) {
    CAPTURE(row.range);
    Answered client(rig, rig.get("Range: " + std::string(row.range) + "\r\n"));
    CHECK(client.status() == row.status);
    CHECK(client.body == rig.file.content.substr(row.first, row.size));
    CHECK(client.head.size() < 512);
    CHECK(client.has_line("Content-Length: " + std::to_string(row.size)));
    if (row.content_range != nullptr) {
      CHECK(client.has_line("Content-Range: " + std::string(row.content_range)));
    } else {
      CHECK(client.head.find("Content-Range") == std::string::npos);
    }
  }
}

TEST_CASE("F19: everything else is 404 with an empty body and a closed connection") {
  Rig rig;
  rig.server->release(rig.token);
  const std::string base = "/a/" + rig.token;
  const std::vector<std::string> targets = {
      "/",
      "/a",
      base,
      base + "/",
      base + "/x",
      base + "/delta.bin/",
      base + "/delta.bin?x=1",
      base + "//delta.bin",
      "//a/" + rig.token + "/delta.bin",
      base + "/../" + rig.token + "/delta.bin",
      base + "/%64elta.bin",
      base + "/delta.bin%00",
      "/a/" + FileServer::make_token() + "/delta.bin",
      "/a/" + rig.token.substr(1) + "/delta.bin",
      "/a//delta.bin",
      "/a/../../../../etc/passwd",
      "http://here/a/" + rig.token + "/delta.bin",
  };
  for (const auto& target : targets) {
    CAPTURE(target);
    Client client(rig, "GET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n");
    REQUIRE(client.until_end());
    CHECK(client.got == kEmpty404);
  }
  std::string many = "GET " + rig.path() + " HTTP/1.1\r\n";
  for (int i = 0; i < 20000; ++i) many += "A: b\r\n";
  const std::vector<std::string> requests = {
      "POST " + rig.path() + " HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
      "PUT " + rig.path() + " HTTP/1.1\r\n\r\n",
      rig.get("Transfer-Encoding: chunked\r\n") + "5\r\nabcde\r\n0\r\n\r\n",
      rig.get("Content-Length: 3\r\n") + "abc",
      "GET " + rig.path() + "\r\n\r\n",
      rig.get("", "2.0"),
      rig.get(std::string("A: b\0c\r\n", 8)),
      many + "\r\n",
  };
  for (const auto& request : requests) {
    CAPTURE(request.substr(0, 200));
    Client client(rig, request);
    REQUIRE(client.until_end());
    CHECK(client.got == kEmpty404);
  }
  Client long_line(rig, "GET /" + std::string(2 * 1024 * 1024, 'x') + " HTTP/1.1\r\n\r\n");
  CHECK(long_line.until_end());
  CHECK(rig.look().requests == 0);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
}

TEST_CASE("the last byte is held until it is released") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{1000}, std::size_t{16384},
                                 std::size_t{16385}, std::size_t{100000}}) {
    CAPTURE(size);
    Rig rig(size);
    Client client(rig, rig.get());
    REQUIRE(rig.until([&] {
      client.take();
      return rig.look().last_byte_wanted && rig.look().delivered_bytes == size - 1;
    }));
    REQUIRE(client.until_body(size - 1));
    CHECK(client.body_so_far() == rig.file.content.substr(0, size - 1));
    CHECK_FALSE(rig.look().complete);
    CHECK_FALSE(rig.look().released);
    CHECK(rig.look().open_connections == 1);
    rig.server->release(rig.token);
    REQUIRE(client.until_response());
    CHECK(client.body == rig.file.content);
    REQUIRE(rig.until([&] { return rig.look().complete && rig.look().open_connections == 0; }));
    CHECK_FALSE(rig.look().last_byte_wanted);
    CHECK(Answered(rig, rig.get()).body == rig.file.content);
  }
}

TEST_CASE("a range that holds only the last byte waits for the release, one that does not hold it never waits") {
  Rig rig;
  CHECK(Answered(rig, rig.get("Range: bytes=0-998\r\n")).body.size() == 999);
  Client client(rig, rig.get("Range: bytes=-1\r\n"));
  REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
  REQUIRE(client.until_body(0));
  CHECK(client.body_so_far().empty());
  rig.server->release(rig.token);
  REQUIRE(client.until_response());
  CHECK(client.body == rig.file.content.substr(999));
  CHECK(rig.until([&] { return rig.look().complete; }));
}

TEST_CASE("on_change is called on the loop when the last byte is wanted, and may release or revoke right there") {
  Rig rig;
  int wanted = 0;
  rig.on_change = [&] {
    if (!rig.look().last_byte_wanted) return;
    ++wanted;
    rig.server->release(rig.token);
  };
  CHECK(Answered(rig, rig.get("Connection: close\r\n")).body == rig.file.content);
  CHECK(wanted == 1);

  Rig other;
  bool was_held = false;
  other.on_change = [&] {
    if (other.look().last_byte_wanted) was_held = other.server->revoke(other.token);
  };
  Client client(other, other.get());
  REQUIRE(client.until_end());
  CHECK(was_held);
  CHECK(client.body_so_far().size() < 1000);
}

TEST_CASE("revoked before its release: the last byte never arrives, and nothing is served again") {
  Rig rig;
  Client client(rig, rig.get());
  REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
  REQUIRE(client.until_body(999));
  CHECK(rig.server->revoke(rig.token));
  rig.server->release(rig.token);
  const int changes = rig.changes;
  REQUIRE(client.until_end());
  CHECK(client.body_so_far().size() == 999);
  CHECK(rig.look().size == 0);
  Client again(rig, rig.get());
  REQUIRE(again.until_end());
  CHECK(again.got == kEmpty404);
  CHECK(rig.changes == changes);
}

TEST_CASE("revoked after its release: the module may have all of it") {
  Rig rig;
  rig.server->release(rig.token);
  CHECK_FALSE(rig.server->revoke(rig.token));
  Client client(rig, rig.get());
  REQUIRE(client.until_end());
  CHECK(client.got == kEmpty404);
  CHECK(rig.server->revoke("unknown"));
}

TEST_CASE("revoking cuts a connection that is stuck, and a keep-alive connection gets nothing more") {
  Rig rig(8 << 20);
  Client stuck(rig, rig.get());
  REQUIRE(stuck.until_stuck());
  Client idle(rig, rig.get("Range: bytes=0-9\r\n"));
  REQUIRE(idle.until_response());
  CHECK(rig.server->revoke(rig.token));
  CHECK(stuck.until_reset());
  idle.send(rig.get());
  REQUIRE(idle.until_end());
  CHECK(idle.got == kEmpty404);
}

TEST_CASE("a reader that reads nothing: what the kernel took is not counted as delivered") {
  Rig rig(8 << 20);
  rig.server->release(rig.token);
  Client client(rig, rig.get());
  REQUIRE(client.until_stuck());
  CHECK(rig.look().delivered_bytes > 0);
  for (int i = 0; i < 10; ++i) {
    const auto delivered = rig.look().delivered_bytes;
    CHECK(delivered <= client.unread());
    rig.turn();
  }
  CHECK(rig.look().delivered_bytes < (8u << 20));
  CHECK(rig.look().open_connections == 1);
  client.close();  // with bytes unread: RST
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes < (8u << 20));
  CHECK_FALSE(rig.look().complete);
}

TEST_CASE("a download that was cut is resumed by Range, and the union is what counts") {
  Rig rig(1 << 20);
  rig.server->release(rig.token);
  std::string part;
  {
    Client first(rig, rig.get());
    REQUIRE(first.until_body(300000));
    part = first.body_so_far();
  }
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  const auto before = rig.look().delivered_bytes;
  CHECK(before >= part.size());
  Answered rest(rig, rig.get("Range: bytes=" + std::to_string(part.size()) + "-\r\nConnection: close\r\n"));
  CHECK(part + rest.body == rig.file.content);
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes == (1 << 20));
  CHECK(rig.look().complete);
  CHECK(rig.look().requests == 2);
}

TEST_CASE("fetched twice is delivered once") {
  Rig rig;
  rig.server->release(rig.token);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes == 1000);
  CHECK(rig.look().requests == 2);
}

TEST_CASE("a peer that goes away while it waits for the last byte is noticed") {
  Rig rig;
  {
    Client client(rig, rig.get());
    REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
    REQUIRE(client.until_body(999));
  }
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK_FALSE(rig.look().last_byte_wanted);
  CHECK(rig.server->revoke(rig.token));
}

TEST_CASE("of too many requests with one token the oldest is cut") {
  Rig rig;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(rig, rig.get()));
    REQUIRE(rig.until([&] { return rig.look().requests == static_cast<std::uint64_t>(i + 1); }));
  }
  REQUIRE(clients.front()->until_end());
  rig.server->release(rig.token);
  for (std::size_t i = 1; i < clients.size(); ++i) {
    REQUIRE(clients[i]->until_response());
    CHECK(clients[i]->body == rig.file.content);
  }
}

TEST_CASE("an offer that cannot be served is refused") {
  Rig rig;
  TempFile empty(0);
  const auto nothing = [] {};
  CHECK(rig.server->offer("t1", "n", "/no/such/file", nothing).error().code == Errc::absent);
  CHECK(rig.server->offer("t1", "n", empty.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "n", std::filesystem::temp_directory_path(), nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "a/b", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "a b", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "..", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("", "n", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer(rig.token, "n", rig.file.path, nothing).error().code == Errc::refused);
}

TEST_CASE("tokens are 128 bits in hex, never the same") {
  const auto token = FileServer::make_token();
  CHECK(token.size() == 32);
  CHECK(token.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(token != FileServer::make_token());
}

TEST_CASE("the destructor ends transfers that are stuck, and those that wait for their release") {
  Rig rig(8 << 20);
  TempFile small(10);
  const auto token = FileServer::make_token();
  REQUIRE(rig.server->offer(token, "n", small.path, [] {}).ok());
  Client stuck(rig, rig.get());
  Client waiting(rig, "GET /a/" + token + "/n HTTP/1.1\r\n\r\n");
  Client silent(rig, "GET ");
  REQUIRE(rig.until([&] { return rig.server->look(token).last_byte_wanted; }));
  REQUIRE(stuck.until_stuck());
  rig.server.reset();
  CHECK(waiting.until_end());
  CHECK(waiting.body_so_far().size() <= 9);
  CHECK(stuck.until_end());
  CHECK(silent.until_end());
  rig.loop.restart();
  rig.loop.poll();
}
