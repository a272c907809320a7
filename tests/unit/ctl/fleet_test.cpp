#include "gateway/ctl/fleet.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

TEST_CASE("the gateway of a topic") {
  CHECK(gateway_of("dfota/v1", "dfota/v1/rack-1/status") == "rack-1");
  CHECK(gateway_of("dfota/v1", "dfota/v1/rack-1/module/a/progress") == "rack-1");
  for (const char* topic : {"dfota/v1/rack-1", "dfota/v1//status", "dfota/v2/rack-1/status", "dfota/v1/client/x/rsp",
                            "dfota/v1/all/cmd/ping", ""}) {
    CAPTURE(topic);
    CHECK_FALSE(gateway_of("dfota/v1", topic));
  }
}

TEST_CASE("which gateways there are, by status and info") {
  Fleet fleet;
  CHECK(fleet.empty());
  CHECK_FALSE(fleet.is_online("rack-1"));
  fleet.heard_info("rack-3");
  fleet.heard_status("rack-2", true);
  fleet.heard_info("rack-2");
  fleet.heard_status("rack-1", false);
  CHECK(fleet.online() == Texts{"rack-2"});
  CHECK(fleet.offline() == Texts{"rack-1", "rack-3"});
  fleet.heard_status("rack-1", true);
  CHECK(fleet.is_online("rack-1") == true);
}

TEST_CASE("a round is complete when each gateway has answered, or is silent") {
  Round round({"a", "b", "c"});
  CHECK_FALSE(round.complete());
  CHECK(round.nobody_answered());
  CHECK(round.answered("a"));
  CHECK_FALSE(round.answered("a"));  // again: QoS 1
  round.silent("a");                 // its answer to the ping behind the command
  CHECK_FALSE(round.somebody_was_silent());
  round.silent("b");
  CHECK(round.somebody_was_silent());
  CHECK_FALSE(round.answered("b"));
  CHECK(round.missing() == std::set<std::string>{"c"});
  CHECK(round.answered("new"));  // one that came meanwhile
  CHECK_FALSE(round.complete());
  CHECK(round.answered("c"));
  CHECK(round.complete());
  CHECK_FALSE(round.nobody_answered());
}
