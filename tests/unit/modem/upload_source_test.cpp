#include "modem/upload_source.hpp"

#include <doctest/doctest.h>

#include <random>
#include <sstream>

#include "tests/support/amazon_root_ca_1.hpp"

using namespace dfota;

namespace {

std::uint16_t checksum(std::string_view bytes) {
  QfuplChecksum sum;
  sum.add(bytes);
  return sum.value();
}

/// A module that acknowledges each 1,024 bytes, and only when the gateway has paused for it: every pause that can be
/// is.
struct Taken {
  std::string bytes;
  std::vector<std::size_t> pauses;  ///< how much had come, without the end
  std::size_t most_unacknowledged = 0;
};

Taken take(const std::string& content, bool acknowledge_one = true) {
  std::istringstream file(content);
  UploadSource source(file, content.size(), {});
  Taken taken;
  std::uint64_t acknowledged = 0;
  while (taken.bytes.size() < content.size()) {
    const auto piece = source.next();
    REQUIRE(piece.ok());
    if (!piece->empty()) {
      taken.bytes += *piece;
      taken.most_unacknowledged = std::max(taken.most_unacknowledged, taken.bytes.size() - acknowledged * 1024);
      continue;
    }
    const std::uint64_t due = taken.bytes.size() / 1024;
    REQUIRE_MESSAGE(acknowledged < due, "it waits for an acknowledgement that cannot come");
    acknowledged = acknowledge_one ? acknowledged + 1 : due;
    source.acknowledged(acknowledged);
    if (taken.pauses.empty() || taken.pauses.back() != taken.bytes.size()) taken.pauses.push_back(taken.bytes.size());
  }
  CHECK(source.next()->empty());
  CHECK(source.checksum() == checksum(content));
  return taken;
}

/// What is wrong with it; empty: nothing.
std::string fault(const std::string& content, const Taken& taken) {
  if (taken.bytes != content) return "other bytes";
  const std::size_t bound = UploadSource::kWindow + UploadSource::kMaxShift + UploadSource::kShortest;
  if (taken.most_unacknowledged > bound) return "too far ahead";
  std::size_t before = 0;
  for (const std::size_t pause : taken.pauses) {
    if (content[pause - 1] == '+' || content[pause] == '+') return "+ beside the pause at " + std::to_string(pause);
    if (pause - before < UploadSource::kShortest) return "a short piece before " + std::to_string(pause);
    before = pause;
  }
  if (content.size() > UploadSource::kShortest && content.size() - before < UploadSource::kShortest)
    return "a short tail";
  return {};
}

}  // namespace

TEST_CASE("the checksum of a real module, cut at any byte") {
  const auto crlf = test::amazon_root_ca_1("\r\n");
  const auto lf = test::amazon_root_ca_1("\n");
  CHECK(crlf.size() == 1208);
  CHECK(checksum(crlf) == 0x5769);
  CHECK(lf.size() == 1188);
  CHECK(checksum(lf) == 0x2d13);
  for (std::size_t cut = 0; cut <= crlf.size(); ++cut) {
    QfuplChecksum sum;
    sum.add(std::string_view(crlf).substr(0, cut));
    sum.add(std::string_view(crlf).substr(cut));
    REQUIRE(sum.value() == 0x5769);
  }
}

TEST_CASE("the checksum: pairs are big-endian, an odd last byte is the high one") {
  CHECK(checksum("") == 0);
  CHECK(checksum("\x12") == 0x1200);
  CHECK(checksum("\x12\x34") == 0x1234);
  CHECK(checksum("\x12\x34\xff") == 0xed34);
}

TEST_CASE("+++ at every place around every end: no pause touches it, no piece is short") {
  std::size_t pauses = 0;
  const std::pair<std::size_t, std::size_t> lengths[] = {{1, 12},      {510, 514},   {1020, 1030},
                                                         {2045, 2055}, {2555, 2565}, {3065, 3080},
                                                         {3580, 3590}, {4090, 4102}, {5115, 5125}};
  for (const auto& [from, to] : lengths) {
    for (std::size_t length = from; length <= to; ++length) {
      for (std::size_t at = 0; at + 3 <= length; ++at) {
        const bool near_a_block = at % 1024 <= 10 || at % 1024 >= 1010 || length - at < 10;
        if (!near_a_block) continue;
        std::string content(length, 'x');
        content.replace(at, 3, "+++");
        for (const bool one : {true, false}) {
          const auto taken = take(content, one);
          pauses += taken.pauses.size();
          const auto wrong = fault(content, taken);
          REQUIRE_MESSAGE(wrong.empty(), wrong << "; length " << length << ", +++ at " << at);
        }
      }
    }
  }
  CHECK_MESSAGE(pauses > 1000, "the pauses were looked at");
}

TEST_CASE("files full of +: never stuck, and no pause touches one as long as a quiet place is within reach") {
  std::mt19937 random(20141104);
  for (int round = 0; round < 200; ++round) {
    std::string content(1 + random() % 20000, 'x');
    for (char& c : content) {
      if (random() % 4 != 0) c = '+';
    }
    const auto taken = take(content, round % 2 == 0);
    const auto wrong = fault(content, taken);
    REQUIRE_MESSAGE(wrong.empty(), wrong << "; round " << round);
  }
}

TEST_CASE("a run of + across a pause: the next piece waits until it is no short one") {
  for (std::size_t run = 400; run < UploadSource::kMaxShift; run += 7) {
    for (const std::size_t at : {2040, 2048, 3000}) {
      std::string content(9000, 'x');
      content.replace(at, run, std::string(run, '+'));
      const auto wrong = fault(content, take(content));
      REQUIRE_MESSAGE(wrong.empty(), wrong << "; a run of " << run << " at " << at);
    }
  }
}

TEST_CASE("a run of + that is longer than the bound is cut in its middle, far from three") {
  for (const std::string& content : {std::string(9000, '+'), "x" + std::string(4000, '+') + std::string(4000, 'x')}) {
    const auto taken = take(content);
    CHECK(taken.bytes == content);
    std::size_t before = 0;
    for (const std::size_t pause : taken.pauses) {
      CHECK(pause - before >= UploadSource::kShortest);
      before = pause;
      const auto run = content.find_last_not_of('+', pause - 1) + 1;  // npos + 1 is 0
      CHECK((content[pause - 1] != '+' || pause - run > 3));
    }
  }
}

TEST_CASE("two blocks are ahead of the acknowledgements, and each one lets another go") {
  const std::string content(10240, 'x');
  std::istringstream file(content);
  std::vector<std::uint64_t> told;
  UploadSource source(file, content.size(), [&](std::uint64_t bytes, std::uint64_t size) {
    CHECK(size == 10240);
    told.push_back(bytes);
  });
  CHECK(source.next()->size() == 2048);
  CHECK(source.next()->empty());
  source.acknowledged(1);
  CHECK(source.next()->size() == 1024);
  CHECK(source.next()->empty());
  source.acknowledged(3);
  CHECK(source.next()->size() == 2048);
  source.acknowledged(3);
  CHECK(told == std::vector<std::uint64_t>{1024, 3072});
  CHECK(source.acknowledged_bytes() == 3072);
}

TEST_CASE("acknowledgements for what was not given count for no more than was") {
  const std::string content(5000, 'x');
  std::istringstream file(content);
  UploadSource source(file, content.size(), {});
  source.acknowledged(7);
  CHECK(source.acknowledged_bytes() == 0);
  CHECK(source.next()->size() == 2048);
  source.acknowledged(UINT64_MAX);
  CHECK(source.acknowledged_bytes() == 2048);
  CHECK(source.next()->size() == 2048);
  CHECK(source.next()->empty());
  source.acknowledged(UINT64_MAX);
  CHECK(source.next()->size() == 904);
  CHECK(source.next()->empty());
}

TEST_CASE("a file that became longer is sent in the size that was promised, a shorter one is an error") {
  const std::string content(3000, 'x');
  std::istringstream longer(content + "more");
  UploadSource promised(longer, content.size(), {});
  std::string given(*promised.next());
  promised.acknowledged(1);
  given += *promised.next();
  CHECK(given == content);
  CHECK(promised.next()->empty());

  const std::string cut(20000, 'x');
  std::istringstream shorter(cut);
  UploadSource broken(shorter, cut.size() + 1, {});
  std::uint64_t blocks = 0;
  auto piece = broken.next();
  for (; piece && blocks < 20; piece = broken.next()) broken.acknowledged(++blocks);
  REQUIRE_FALSE(piece.ok());
  CHECK(piece.error().code == Errc::io);
  CHECK(blocks > 10);
}
