#include "gateway/ctl/text.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;

TEST_CASE("nothing that could steer a terminal gets through") {
  CHECK(printable("plain text, 100 %") == "plain text, 100 %");
  CHECK(printable("\x1b[2Jgone") == "?[2Jgone");
  CHECK(printable(std::string("a\0b\r\n\tc\x7f", 8)) == "a?b???c?");
  CHECK(printable("\xc2\x9b"
                  "31m") == "?31m");  // CSI as one C1 character
  CHECK(printable("\x9b"
                  "31m") == "?31m");  // and as a bare byte
  CHECK(printable("a\xe2\x80\xae"
                  "b") == "a?b");  // right-to-left override
  CHECK(printable("a\xe2\x80\x8b"
                  "b") == "a?b");  // zero width space
  CHECK(printable("\xef\xbb\xbf"
                  "x") == "?x");  // byte order mark
  CHECK(printable("M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\xa7") == "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\xa7");
}

TEST_CASE("bytes that are no UTF-8 become question marks, one each") {
  CHECK(printable("\xc0\xaf") == "??");            // overlong
  CHECK(printable("\xe0\x80\x80") == "???");       // overlong
  CHECK(printable("\xed\xa0\x80") == "???");       // surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "????");  // beyond Unicode
  CHECK(printable("ok\xe2\x82") == "ok??");        // cut off
  CHECK(printable("\xff\xfe") == "??");
}

TEST_CASE("text is cut and filled by columns") {
  CHECK(columns("M\xc3\xbcller") == 6);
  CHECK(cut("M\xc3\xbcller", 6) == "M\xc3\xbcller");
  CHECK(cut("M\xc3\xbcller", 3) == "M\xc3\xbc~");
  CHECK(cut("abc", 1) == "~");
  CHECK(cut("abc", 0).empty());
  CHECK(cut_front("uc20-a", 6) == "uc20-a");
  CHECK(cut_front("uc20-a", 4) == "~0-a");
  CHECK(cut_front("uc20-a", 0).empty());
  CHECK(fitted("ab", 4) == "ab  ");
  CHECK(fitted("abcdef", 4) == "abc~");
}

TEST_CASE("wide characters take two columns, and none is cut in its middle") {
  const std::string wide = "\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x94\xa7";  // two of CJK, a space, a wrench
  CHECK(printable(wide) == wide);
  CHECK(columns(wide) == 7);
  CHECK(cut(wide, 7) == wide);
  CHECK(cut(wide, 4) == "\xe4\xb8\xad~");  // not half of the second one
  CHECK(cut_front(wide, 4) == "~ \xf0\x9f\x94\xa7");
  for (std::size_t width = 0; width < 9; ++width) {
    CHECK(columns(cut(wide, width)) <= width);
    CHECK(columns(cut_front(wide, width)) <= width);
    CHECK(columns(fitted(wide, width)) == width);
  }
}

TEST_CASE("marks that would pile up on a character do not get through") {
  CHECK(printable("a\xcc\x81\xcc\x81") == "a??");
  CHECK(printable("x\xef\xb8\x8f") == "x?");  // a variation selector
}

TEST_CASE("rates and times in units that people read") {
  CHECK(rate_text({}).empty());
  CHECK(rate_text(0) == "0 B/s");
  CHECK(rate_text(999) == "999 B/s");
  CHECK(rate_text(1500) == "1.5 kB/s");
  CHECK(rate_text(118'000) == "118 kB/s");
  CHECK(rate_text(2'340'000) == "2.3 MB/s");
  CHECK(time_text({}).empty());
  CHECK(time_text(0) == "0:00");
  CHECK(time_text(59.6) == "1:00");
  CHECK(time_text(3723) == "1:02:03");
  CHECK(time_text(1e12).empty());
}

TEST_CASE("counts, those that are") {
  CHECK(counts_text({}).empty());
  CHECK(counts_text({{"failed", 0}}).empty());
  CHECK(counts_text({{"failed", 0}, {"running", 2}, {"succeeded", 1}}) == "2 running, 1 succeeded");
  CHECK(counts_text({{"fai\nled", 1}}) == "1 fai?led");
}
