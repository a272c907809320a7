#include "transport/base/masked.hpp"

#include <doctest/doctest.h>

using namespace dfota;

TEST_CASE("what may be told of a URL") {
  CHECK(masked_url("https://user:secret@host:443/a/delta.bin?sig=secret#x") == "https://host:443/a/delta.bin");
  CHECK(masked_url("http://host/delta.bin") == "http://host/delta.bin");
  CHECK(masked_url("http://host") == "http://host");
}

TEST_CASE("what may be told of a line of an AT dialogue") {
  const auto is = [](std::string_view line, std::string_view masked) { CHECK(masked_line(line) == masked); };
  is("AT+QFOTADL=\"FTP://user:secret@10.0.0.2:21/d.bin\",1,50", "AT+QFOTADL=\"FTP://***@10.0.0.2:21/d.bin\",1,50");
  is("AT+QFOTADL=\"FTP://user:s@cret@host/d\"", "AT+QFOTADL=\"FTP://***@host/d\"");
  is("AT+QFOTADL=\"HTTP://host:80/d.bin?sig=secret\"", "AT+QFOTADL=\"HTTP://host:80/d.bin?***\"");
  is("AT+QFOTADL=\"HTTP://host:80/d.bin\"", "AT+QFOTADL=\"HTTP://host:80/d.bin\"");
  is("noise AT+QFOTADL=\"ftp://u:secret@h", "noise AT+QFOTADL=\"ftp://***@h");
  is("ftp://u:one@h/a ftp://u:two@h/b", "ftp://***@h/a ftp://***@h/b");
  is("AT+QICSGP=1,1,\"internet\",\"user\",\"secret\",1", "AT+QICSGP=1,1,\"internet\",\"***\",\"***\",1");
  is("+QICSGP: 1,\"internet\",\"\",\"secret\",1", "+QICSGP: 1,\"internet\",\"\",\"***\",1");
  is("AT+QICSGP=1", "AT+QICSGP=1");
  is("AT+QICSGP=1,1,\"internet\",\"us", "AT+QICSGP=1,1,\"internet\",\"");
  is("at+qicsgp=1,1,\"a,b\",\"me\",\"se,cret\",1", "at+qicsgp=1,1,\"a,b\",\"***\",\"***\",1");
  is("ftp://u:se:c@r/et@h:21/d", "ftp://***@h:21/d");
  is("http://u:secret@h:80/d", "http://***@h:80/d");
  is("AT+QFOTADL=\"FTP://u:sec", "AT+QFOTADL=\"FTP://u:***");
  is("HTTP://127.0.0.1:80/d@x:y", "HTTP://127.0.0.1:80/d@x:y");
  is("AT+QFOTADL=\"HTTP://h:80\"", "AT+QFOTADL=\"HTTP://h:80\"");
  is("AT+QFOTADL=\"UFS:d.bin\"", "AT+QFOTADL=\"UFS:d.bin\"");
  is("://", "://");
  is("OK", "OK");
  is("", "");
}
