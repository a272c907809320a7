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
  is("AT+CPIN=\"1234\"", "AT+CPIN=***");
  is("at+cpin=1234", "at+cpin=***");
  is("AT+CPIN=?", "AT+CPIN=?");
  is("AT+CPIN?", "AT+CPIN?");
  is("+CPIN: SIM PIN", "+CPIN: SIM PIN");
  is("AT+CPWD=\"SC\",\"1234\",\"4321\"", "AT+CPWD=\"SC\",***");
  is("AT+CLCK=\"SC\",2", "AT+CLCK=\"SC\",2");
  is("AT+CLCK=\"SC\",1,\"1234\"", "AT+CLCK=\"SC\",1,***");
  is("AT+CGAUTH=1,1,\"us,er\",\"secret\"", "AT+CGAUTH=1,1,***");
  is("AT+QFTPCFG=\"account\",\"user\",\"secret\"", "AT+QFTPCFG=\"account\",***");
  is("AT+QFTPCFG=\"contextid\",1", "AT+QFTPCFG=\"contextid\",1");
  is("AT+QFTPUSER=\"user\"", "AT+QFTPUSER=***");
  is("AT+QMTCONN=0,\"id,1\",\"user\",\"secret\"", "AT+QMTCONN=0,\"id,1\",***");
  is("AT+QFOTADL=\"HTTP://h:80/a/0123456789abcdef0123456789abcdef/d.bin\"", "AT+QFOTADL=\"HTTP://h:80/a/***/d.bin\"");
  is("http://h/prefix/a/0123456789abcdef0123456789abcdef/d.bin\",1,50", "http://h/prefix/a/***/d.bin\",1,50");
  is("http://h/a/0123456789abcdef01234", "http://h/a/***");
  is("http://h/a/delta.bin", "http://h/a/delta.bin");
  is("://", "://");
  is("OK", "OK");
  is("", "");
}
