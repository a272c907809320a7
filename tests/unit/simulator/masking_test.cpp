#include "modem/simulator/masking.hpp"

#include <doctest/doctest.h>

using dfota::sim::without_secrets;

TEST_CASE("the password of an address, wherever it stands") {
  CHECK(without_secrets("AT+QFOTADL=\"FTP://u:secret@h:21/d.bin\"") == "AT+QFOTADL=\"FTP://u:***@h:21/d.bin\"");
  CHECK(without_secrets("ftp://u:se:c@r/et@h:21/d") == "ftp://u:***@h:21/d");
  CHECK(without_secrets("http://u:secret@h:80/d") == "http://u:***@h:80/d");
  CHECK(without_secrets("AT\rAT+QFOTADL=\"FTP://u:sec") == "AT\rAT+QFOTADL=\"FTP://u:***");
  CHECK(without_secrets("ftp://a:b@h/d ftp://c:d@h/e").find(":d@") == std::string::npos);
}

TEST_CASE("what is no secret stays") {
  for (const auto* text : {"HTTP://127.0.0.1:80/d@x:y", "AT+QFOTADL=\"HTTP://h:80/d.bin\"", "AT+QFOTADL=\"UFS:d.bin\"",
                           "ftp://u@h:21/d", "AT+QICSGP=1", "AT+QICSGP=1,1,\"internet\"", "AT", "", "://"}) {
    CHECK(without_secrets(text) == text);
  }
}

TEST_CASE("user and password of a PDP context") {
  CHECK(without_secrets("AT+QICSGP=1,1,\"apn\",\"me\",\"se,cret\",1") == "AT+QICSGP=1,1,\"apn\",\"***\",\"***\",1");
  CHECK(without_secrets("at+qicsgp=1,1,\"a,b\",\"\",\"\",1") == "at+qicsgp=1,1,\"a,b\",\"\",\"\",1");
  CHECK(without_secrets("AT+QICSGP=1,1,\"apn\",\"me\",\"cut") == "AT+QICSGP=1,1,\"apn\",\"***\",\"***");
}
