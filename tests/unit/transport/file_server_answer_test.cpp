#include "transport/file_server_answer.hpp"

#include <doctest/doctest.h>

#include "tests/support/file_server_rig.hpp"

using namespace dfota;
using namespace dfota::file_server_rig;
using namespace std::chrono_literals;

TEST_CASE("GET brings the whole file with an exact length early in a short head") {
  FileServerRig rig(100000);
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
  FileServerRig rig;
  Answered client(rig, "HEAD " + rig.path() + " HTTP/1.1\r\nRange: bytes=5-6\r\nConnection: close\r\n\r\n", false);
  CHECK(client.status() == "200");
  CHECK(client.has_line("Content-Length: 1000"));
  CHECK(client.until_end());
  CHECK(client.got.empty());
  CHECK(rig.look().requests == 0);
  CHECK(rig.look().delivered_bytes == 0);
}

TEST_CASE("HTTP/1.0 is served and closed") {
  FileServerRig rig;
  rig.server->release(rig.token);
  Answered client(rig, "GET " + rig.path() + " HTTP/1.0\r\n\r\n");
  CHECK(client.body == rig.file.content);
  CHECK(client.has_line("Connection: close"));
  CHECK(client.until_end());
  CHECK(client.got.empty());
}

TEST_CASE("bare LF, three of them at the end, bytes=0-, and the connection serves the next request too") {
  FileServerRig rig;
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
  FileServerRig rig;
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
  FileServerRig rig;
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

TEST_CASE("a reader that takes nothing for stall_limit is cut") {
  FileServerOptions options;
  options.stall_limit = 20ms;
  FileServerRig rig(8 << 20, options);
  Client client(rig, rig.get());
  REQUIRE(rig.until([&] { return rig.look().requests == 1 && rig.look().open_connections == 0; }));
  CHECK(client.until_end());
  CHECK(client.got.size() < (8u << 20));
}

TEST_CASE("what replaces the file on disk is not served") {
  FileServerRig rig;
  rig.server->release(rig.token);
  const std::string other = rig.file.path.string() + ".new";
  std::ofstream(other) << std::string(1000, '!');
  std::filesystem::rename(other, rig.file.path);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
}
