#include "gateway/ctl/control.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

TEST_CASE("cancel: each module with what becomes of it") {
  const auto data = Json::parse(R"({"stopped":["a"],"stopping":["b"],"will_end":["c"]})");
  CHECK(control_lines({"cancel", {"r3", std::nullopt}}, data) ==
        Texts{"a: stopped", "b: stopping, no command is sent",
              "c: has been commanded and cannot be cut; it ends by itself"});
  CHECK(control_lines({"cancel", {std::nullopt, "a"}}, Json{{"stopped", {"r3"}}}) == Texts{"job r3: stopped"});
  CHECK(control_lines({"cancel", {"r3", std::nullopt}}, Json::object()) == Texts{"there was nothing to stop"});
}

TEST_CASE("release and claim: which port is whose") {
  const Json data = {{"module", "a"}, {"port", "/dev/ttyUSB2"}};
  CHECK(control_lines({"release", {std::nullopt, "a"}}, data) ==
        Texts{"module a: released; open /dev/ttyUSB2 with your own terminal, and then take it back: dfota claim a"});
  CHECK(control_lines({"claim", {std::nullopt, "a"}}, data) ==
        Texts{"module a: claimed; the gateway opens /dev/ttyUSB2 again"});
}

TEST_CASE("pause, resume and forget") {
  CHECK(control_lines({"pause", {}}, Json{{"jobs", {"r3", "r4"}}}) == Texts{"job r3: paused", "job r4: paused"});
  CHECK(control_lines({"resume", {"r3", std::nullopt}}, Json{{"jobs", {"r3"}}}) == Texts{"job r3: resumed"});
  CHECK(control_lines({"pause", {}}, Json{{"jobs", Json::array()}}) == Texts{"no job was paused"});
  CHECK(control_lines({"forget", {"r3", std::nullopt}}, Json{{"job", "r3"}}) == Texts{"job r3: forgotten"});
  CHECK(control_lines({"forget", {std::nullopt, "a"}}, Json{{"module", "a"}}) == Texts{"module a: forgotten"});
}

TEST_CASE("of a fleet every line names its gateway") {
  const Json canceled = {{"stopped", {"a"}}, {"stopping", Json::array()}, {"will_end", {"b"}}};
  CHECK(control_lines({"cancel", {"r3", {}}}, canceled, "rack-1/") ==
        std::vector<std::string>{"rack-1/a: stopped",
                                 "rack-1/b: has been commanded and cannot be cut; it ends by itself"});
  CHECK(control_lines({"cancel", {"r3", {}}}, Json::object(), "rack-1/") ==
        std::vector<std::string>{"rack-1: there was nothing to stop"});
  CHECK(control_lines({"pause", {}}, {{"jobs", {"r3"}}}, "rack-1/") ==
        std::vector<std::string>{"job rack-1/r3: paused"});
  CHECK(control_lines({"resume", {}}, Json::object(), "rack-1/") ==
        std::vector<std::string>{"rack-1: no job was resumed"});
}
