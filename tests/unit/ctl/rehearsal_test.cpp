#include "gateway/ctl/rehearsal.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

namespace {
const Json kFetched = {{"module", "a"},        {"url", "http://192.168.1.10:8480"},
                       {"reached", true},      {"bytes", 32768},
                       {"total_bytes", 32768}, {"http_status", 200},
                       {"duration_s", 4.1},    {"bytes_per_second", 7992.2},
                       {"size", 1048576},      {"eta_s", 131.2},
                       {"error", nullptr}};

Json failed(const Json& code, const std::string& name, const std::string& message) {
  auto data = kFetched;
  data["reached"] = false;
  data["error"] = {
      {"code", code}, {"name", name}, {"meaning", "the guide's words"}, {"hint", "look at it"}, {"message", message}};
  return data;
}
}  // namespace

TEST_CASE("what was fetched: reach, speed, and the forecast where one was asked for") {
  CHECK(rehearsal_went_well(kFetched));
  CHECK(rehearsal_lines(kFetched) == Texts{"a: reaches http://192.168.1.10:8480 over its PDP context",
                                           "a: 32768 bytes in 0:04, 8.0 kB/s",
                                           "a: a delta of 1048576 bytes would take about 2:11"});
  auto no_forecast = kFetched;
  no_forecast["size"] = no_forecast["eta_s"] = nullptr;
  CHECK(rehearsal_lines(no_forecast).size() == 2);
}

TEST_CASE("what was not: the number or the word, whether a request came, and what to look at") {
  const auto number = failed(716, "http_socket_connect_error", "");
  CHECK_FALSE(rehearsal_went_well(number));
  CHECK(rehearsal_lines(number) == Texts{"a: did not fetch the file: 716 http_socket_connect_error: the guide's words",
                                         "a: no request of it reached http://192.168.1.10:8480", "a: look at it"});
  auto word = failed("at_error", "at_error", "AT+QIACT=1 was answered by ERROR");
  word["reached"] = true;
  CHECK_FALSE(rehearsal_went_well(word));
  CHECK(rehearsal_lines(word) ==
        Texts{"a: did not fetch the file: at_error: the guide's words (AT+QIACT=1 was answered by ERROR)",
              "a: its request reached http://192.168.1.10:8480", "a: look at it"});
}

TEST_CASE("an answer of another kind is none that went well") {
  CHECK_FALSE(rehearsal_went_well(Json::object()));
  CHECK_FALSE(rehearsal_went_well({{"reached", "yes"}, {"error", 3}}));
  CHECK(rehearsal_lines(Json::object()).size() == 1);
}
