// A gateway on a machine whose environment names a proxy: the fetcher uses it, as curl does; MQTT never does.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;

TEST_CASE("the broker is reached without the proxy, the origin through it, unless no_proxy names it") {
  RigOptions options;
  options.start = false;
  Rig rig(options);
  // Nobody listens there.
  rig.start_gateway({{"http_proxy", "http://127.0.0.1:9"}, {"no_proxy", ""}});
  rig.accept(rig.job("through"));
  CHECK(rig.finish("through")["state"] == "rejected");
  CHECK(rig.result("m0")["error"]["code"] == "artifact_unavailable");
  CHECK(rig.origin.requests(kDelta) == 0);
  rig.gateway().terminate();
  rig.start_gateway({{"http_proxy", "http://127.0.0.1:9"}, {"no_proxy", "127.0.0.1"}});
  rig.accept(rig.job("past"));
  CHECK(rig.finish("past")["state"] == "succeeded");
}
