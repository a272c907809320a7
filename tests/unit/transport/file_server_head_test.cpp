#include "transport/file_server_head.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace dfota;
using Kind = RangeAnswer::Kind;
using State = HeadReader::State;

namespace {

struct Outcome {
  State state = State::reading;
  std::string text;
  std::string rest;
  bool operator==(const Outcome&) const = default;
};

Outcome read_in_parts(const std::vector<std::string>& parts) {
  HeadReader reader;
  Outcome outcome;
  for (const auto& part : parts) outcome.rest += part.substr(reader.feed(part));
  outcome.state = reader.state();
  outcome.text = reader.text();
  return outcome;
}

RangeAnswer range_of(const std::string& range, std::uint64_t size = 1000) {
  const auto head = parse_head("GET / HTTP/1.1\nRange: " + range + "\n");
  REQUIRE(head);
  return resolve_range(*head, size);
}

}  // namespace

TEST_CASE("a head in any line ending is whole at its empty line, and what follows is left") {
  const std::string text = "GET /a/t/n HTTP/1.1\nHost: x\n";
  CHECK(read_in_parts({"GET /a/t/n HTTP/1.1\r\nHost: x\r\n\r\nGET"}) == Outcome{State::whole, text, "GET"});
  CHECK(read_in_parts({"GET /a/t/n HTTP/1.1\nHost: x\n\n\n"}) == Outcome{State::whole, text, "\n"});
  CHECK(read_in_parts({"\n\r\nGET /a/t/n HTTP/1.1\r\nHost: x\n\r\n"}) == Outcome{State::whole, text, ""});
  CHECK(read_in_parts({"GET /a/t/n HTTP/1.1\nHost: x\n"}).state == State::reading);
}

TEST_CASE("every split of every head gives the same result") {
  const std::vector<std::string> heads = {
      "GET /a/t/n HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\nGET /next",
      "GET /a/t/n HTTP/1.1\nHost: x\n\n\n",
      "\r\n\nHEAD /a/t/n HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
      std::string("GET / HTTP/1.1\nA: \0\n\n", 22),
      "GET / HTTP/1.1\rHost: x\n\n",
  };
  for (const auto& head : heads) {
    CAPTURE(head);
    const auto whole = read_in_parts({head});
    std::vector<std::string> bytes;
    for (const char c : head) bytes.emplace_back(1, c);
    CHECK(read_in_parts(bytes) == whole);
    for (std::size_t i = 0; i <= head.size(); ++i) {
      for (std::size_t j = i; j <= head.size(); ++j) {
        CHECK(read_in_parts({head.substr(0, i), head.substr(i, j - i), head.substr(j)}) == whole);
      }
    }
  }
}

TEST_CASE("a head that nobody should send is bad as soon as it is seen") {
  CHECK(read_in_parts({std::string("GET /\0", 6)}).state == State::bad);
  CHECK(read_in_parts({"GET /\x1b"}).state == State::bad);
  CHECK(read_in_parts({"GET / HTTP/1.1\rX"}).state == State::bad);
  CHECK(read_in_parts({std::string(kMaxHeadBytes, 'x')}).state == State::reading);
  CHECK(read_in_parts({std::string(kMaxHeadBytes + 1, 'x')}).state == State::bad);
  CHECK(read_in_parts({std::string(kMaxHeadBytes + 1, '\n')}).state == State::bad);
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 20000; ++i) many += "A: b\r\n";
  const auto outcome = read_in_parts({many});
  CHECK(outcome.state == State::bad);
  CHECK(outcome.text.size() <= kMaxHeadBytes);
}

TEST_CASE("what a head asks") {
  auto head = parse_head("GET /a/t/n HTTP/1.1\nHost: x\nRANGE:\tbytes=1-2 \nIf-Range: \"e\"\n");
  REQUIRE(head);
  CHECK(head->method == RequestHead::Method::get);
  CHECK(head->target == "/a/t/n");
  CHECK(head->keep_alive);
  CHECK(head->range == "bytes=1-2");
  CHECK(head->has_if_range);
  CHECK_FALSE(head->announces_body);

  CHECK(parse_head("HEAD / HTTP/1.1\n")->method == RequestHead::Method::head);
  CHECK(parse_head("POST / HTTP/1.1\n")->method == RequestHead::Method::other);
  CHECK(parse_head("get / HTTP/1.1\n")->method == RequestHead::Method::other);
  CHECK_FALSE(parse_head("GET / HTTP/1.0\nConnection: keep-alive\n")->keep_alive);
  CHECK_FALSE(parse_head("GET / HTTP/1.1\nConnection: TE, Close\n")->keep_alive);
  CHECK(parse_head("GET / HTTP/1.1\nTransfer-Encoding: chunked\n")->announces_body);
  CHECK(parse_head("GET / HTTP/1.1\nContent-Length: 5\n")->announces_body);
  CHECK_FALSE(parse_head("GET / HTTP/1.1\nContent-Length: 0\n")->announces_body);
}

TEST_CASE("what is not HTTP/1.x is nothing") {
  for (const std::string text :
       {"", "\n", "GET\n", "GET /\n", "GET / HTTP/2.0\n", "GET / HTTP/1.1 \n", "GET  / HTTP/1.1\n",
        "GET / HTTP/1.1\nno colon\n", "GET / HTTP/1.1\n: x\n", "GET / HTTP/1.1\nA: b\n folded: c\n",
        "GET / HTTP/1.1\nTransfer-Encoding : chunked\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_head(text));
  }
}

TEST_CASE("F18: a range is clamped, refused or ignored by the rules of RFC 9110") {
  struct Row {
    const char* range;
    Kind kind;
    std::uint64_t first, last;
  };
  const std::vector<Row> table = {
      {"bytes=0-", Kind::part, 0, 999},
      {"bytes=0-0", Kind::part, 0, 0},
      {"bytes=999-", Kind::part, 999, 999},
      {"bytes=200-299", Kind::part, 200, 299},
      {"BYTES= 200-299", Kind::part, 200, 299},
      {"bytes=990-5000", Kind::part, 990, 999},
      {"bytes=0-100000000000000000000000", Kind::part, 0, 999},
      {"bytes=-1", Kind::part, 999, 999},
      {"bytes=-5000", Kind::part, 0, 999},
      {"bytes=-100000000000000000000000", Kind::part, 0, 999},
      {"bytes=1000-", Kind::outside, 0, 0},
      {"bytes=2000-3000", Kind::outside, 0, 0},
      {"bytes=100000000000000000000000-", Kind::outside, 0, 0},
      {"bytes=-0", Kind::outside, 0, 0},
      {"bytes=5-2", Kind::whole, 0, 999},
      {"bytes=abc", Kind::whole, 0, 999},
      {"bytes=", Kind::whole, 0, 999},
      {"bytes=-", Kind::whole, 0, 999},
      {"bytes=--1", Kind::whole, 0, 999},
      {"bytes=+1-2", Kind::whole, 0, 999},
      {"bytes=1-2-3", Kind::whole, 0, 999},
      {"bytes=0-0,1-1", Kind::whole, 0, 999},
      {"bytes=0-0,", Kind::whole, 0, 999},
      {"bytes", Kind::whole, 0, 999},
      {"lines=0-1", Kind::whole, 0, 999},
  };
  for (const auto& row : table) {
    CAPTURE(row.range);
    const auto got = range_of(row.range);
    CHECK(got.kind == row.kind);
    CHECK(got.first == row.first);
    CHECK(got.last == row.last);
  }
  std::string fifty = "bytes=0-";
  for (int i = 1; i < 50; ++i) fifty += ",0-";
  CHECK(range_of(fifty).kind == Kind::whole);
}

TEST_CASE("a range is ignored with If-Range, twice, and for HEAD") {
  CHECK(resolve_range(*parse_head("GET / HTTP/1.1\nRange: bytes=1-2\nIf-Range: \"x\"\n"), 10).kind == Kind::whole);
  CHECK(resolve_range(*parse_head("GET / HTTP/1.1\nRange: bytes=1-2\nRange: bytes=1-2\n"), 10).kind == Kind::whole);
  CHECK(resolve_range(*parse_head("HEAD / HTTP/1.1\nRange: bytes=1-2\n"), 10).kind == Kind::whole);
}
