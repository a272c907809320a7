// The way of a delta over FTP, without a module: the shelf puts it into the directory of a real proftpd, and a real
// client fetches it under the address that the configuration makes.
#include "tests/support/ftp_server.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <fstream>
#include <iterator>

#include "config/load.hpp"
#include "gateway/ftp_shelf.hpp"
#include "transport/sha256.hpp"

using namespace dfota;

namespace {

constexpr int kLoginDenied = 67, kNoSuchFile = 78, kNotReachable = 7;  // curl(1), exit codes

struct Fetched {
  int exit = -1;
  std::string content;
};

Fetched fetch(const std::string& url) {
  const test::TempDir dir;
  test::Process curl({"curl", "--silent", "--show-error", "--noproxy", "*", "--output", dir / "file", url});
  Fetched fetched;
  fetched.exit = curl.wait().value_or(-1);
  std::ifstream file(dir / "file", std::ios::binary);
  fetched.content.assign(std::istreambuf_iterator<char>(file), {});
  return fetched;
}

FtpConfig configured(const test::FtpServer& server) {
  const auto loaded = parse_config("gateway.id = 'g'\nhttp.listen = '127.0.0.1:1'\n[ftp]\npublic_url = '" +
                                       server.url() + "'\ndir = '" + server.directory().string() + "'\n",
                                   "test");
  REQUIRE(std::holds_alternative<Config>(loaded));
  return *std::get<Config>(loaded).ftp;
}

Awaitable<> keep(FtpShelf& shelf, std::string sha256, std::filesystem::path artifact,
                 std::optional<Result<std::string>>& outcome) {
  outcome = co_await shelf.put(std::move(sha256), std::move(artifact), ".bin");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

struct Delta {
  Delta() {
    for (std::size_t i = 0; i < 700000; ++i) bytes += static_cast<char>(i * 7919 >> 5);
    std::ofstream(file, std::ios::binary) << bytes;
    Sha256 hash;
    hash.update(bytes);
    sha256 = hash.hex();
  }
  test::TempDir dir;
  std::string file = dir / "delta", bytes, sha256;
};

std::string put(asio::io_context& loop, FtpShelf& shelf, const Delta& delta) {
  std::optional<Result<std::string>> outcome;
  asio::co_spawn(loop, keep(shelf, delta.sha256, delta.file, outcome), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  loop.restart();
  while (!outcome) REQUIRE(loop.run_one() > 0);
  REQUIRE(outcome->ok());
  return outcome->value();
}

}  // namespace

TEST_CASE("a delta on the shelf is fetched from the FTP server until it is dropped") {
  test::FtpServer server;
  const Delta delta;
  asio::io_context loop;
  const FtpConfig config = configured(server);
  auto shelf = FtpShelf::open(loop, config);
  REQUIRE(shelf.ok());
  const std::string name = put(loop, **shelf, delta);
  const std::string url = config.public_url.file(name).spell("FTP://");
  CHECK(url == replaced(server.url(name), "ftp", "FTP"));

  const Fetched whole = fetch(url);
  CHECK(whole.exit == 0);
  CHECK(whole.content == delta.bytes);
  REQUIRE(server.wait_for_log("FTP session closed"));
  auto transfers = server.transfers();
  REQUIRE(transfers.size() == 1);
  CHECK(transfers[0].name == name);
  CHECK(transfers[0].bytes == delta.bytes.size());
  CHECK(transfers[0].complete);

  CHECK(fetch(replaced(url, config.public_url.password, "wrong")).exit == kLoginDenied);
  CHECK(server.wait_for_log("Login failed"));
  CHECK(fetch(config.public_url.file("dfota-other").spell("FTP://")).exit == kNoSuchFile);

  (*shelf)->drop(name);
  shelf.value().reset();
  CHECK(fetch(url).exit == kNoSuchFile);
  CHECK(server.transfers().size() == 1);
  CHECK(server.log().find(config.public_url.password) == std::string::npos);
}

TEST_CASE("a stopped FTP server refuses, and one that was started again serves under the same address") {
  test::FtpServer server;
  std::ofstream(server.directory() / "file") << "content";
  CHECK(fetch(server.url("file")).content == "content");
  server.stop();
  CHECK(fetch(server.url("file")).exit == kNotReachable);
  server.start();
  CHECK(fetch(server.url("file")).content == "content");
}

TEST_CASE("a transfer that is cut is told as incomplete") {
  test::FtpServer::Options options;
  options.extra = "TransferRate RETR 20";
  test::FtpServer server(options);
  std::ofstream(server.directory() / "file") << std::string(8 << 20, 'x');
  {
    test::Process curl({"curl", "--silent", "--no-buffer", "--noproxy", "*", server.url("file")});
    REQUIRE(curl.wait_for_out("x"));
    curl.kill();
  }
  REQUIRE(server.wait_for_log("FTP session closed"));
  const auto transfers = server.transfers();
  REQUIRE(transfers.size() == 1);
  CHECK(transfers[0].name == "file");
  CHECK_FALSE(transfers[0].complete);
  CHECK(transfers[0].bytes < (8u << 20));
}
