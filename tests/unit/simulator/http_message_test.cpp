#include "modem/simulator/http_message.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace dfota::sim;

TEST_CASE("a URL needs its scheme, host, port and path") {
  const auto url = parse_url("HTTP://10.0.0.1:8080/a/token/delta.bin");
  REQUIRE(url.ok());
  CHECK(url->host == "10.0.0.1");
  CHECK(url->port == 8080);
  CHECK(url->path == "/a/token/delta.bin");
  CHECK(parse_url("http://[::1]:80/x")->host == "::1");
  for (const auto* bad : {"", "HTTPS://h:1/x", "FTP://h:21/x", "http://h/x", "http://h:80", "http://h:80/",
                          "http://:80/x", "http://h:0/x", "http://h:65536/x", "http://h:8a/x", "http://h:80/a b",
                          "http://h h:80/a", "http://h:80/\x7f", "UFS:delta.bin"}) {
    CHECK_MESSAGE(!parse_url(bad).ok(), bad);
  }
  const std::string base = "http://h:80/";
  CHECK(parse_url(base + std::string(kMaxUrlBytes - base.size(), 'x')).ok());
  CHECK_FALSE(parse_url(base + std::string(kMaxUrlBytes - base.size() + 1, 'x')).ok());
}

TEST_CASE("the head ends at its blank line and not before, at every split") {
  for (const std::string head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 5\n\n"}) {
    for (size_t size = 0; size < head.size(); ++size) CHECK_FALSE(response_head_size(head.substr(0, size)));
    CHECK(response_head_size(head + "body\n\n") == head.size());
  }
}

TEST_CASE("what a response promises") {
  const auto head = parse_response_head(
      "HTTP/1.1 206 Partial Content\r\ncontent-length:  100 \r\nContent-Range: bytes 50-149/1000\r\nServer: x\r\n\r\n");
  REQUIRE(head.ok());
  CHECK(head->status == 206);
  CHECK(head->content_length == 100);
  CHECK(head->range_begin == 50);
  CHECK(head->range_total == 1000);
  CHECK(head->keep_alive);
  CHECK_FALSE(head->chunked);
  CHECK_FALSE(parse_response_head("HTTP/1.0 200 OK\r\n\r\n")->keep_alive);
  CHECK_FALSE(parse_response_head("HTTP/1.0 200 OK\r\n\r\n")->content_length);
  CHECK(parse_response_head("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
  CHECK_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")->keep_alive);
  CHECK(parse_response_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n")->chunked);
}

TEST_CASE("what is no response is told as such") {
  for (const auto* bad :
       {"", "\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "SSH-2.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK",
        "HTTP/1.1 206 P\r\nContent-Range: lines 1-2/3\r\n\r\n",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 1-2/*\r\n\r\n"}) {
    CHECK_MESSAGE(!parse_response_head(bad).ok(), bad);
  }
}

TEST_CASE("a careless client finds only the exact spelling") {
  CHECK(literal_content_length("HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\n") == 17);
  CHECK_FALSE(literal_content_length("content-length: 17\r\n"));
  CHECK_FALSE(literal_content_length("Content-Length:17\r\n"));
  CHECK_FALSE(literal_content_length("Content-Length: x\r\n"));
}
