// What mosquitto does not let a test see or do: how many publications are unacknowledged at once, and a DISCONNECT with
// a reason.
#include <doctest/doctest.h>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/scripted_broker.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {
MqttOptions options_for(const ScriptedBroker& broker) {
  MqttOptions options;
  options.uri = broker.uri();
  options.client_id = "gw";
  options.heartbeat_limit = 3600s;
  return options;
}

/// Acknowledges one by one, and only when the window is full: what the client had sent beyond it would be seen before.
std::size_t most_at_once(ScriptedBroker& broker, std::size_t window, std::size_t count) {
  std::size_t most = 0;
  for (std::size_t acknowledged = 0; acknowledged < count; ++acknowledged) {
    REQUIRE(broker.wait_for_publishes(std::min(acknowledged + window, count)));
    const auto seen = broker.publishes();
    most = std::max(most, seen.size() - acknowledged);
    broker.acknowledge(seen[acknowledged].packet_id);
  }
  return most;
}
}  // namespace

TEST_CASE("at most min(10, Receive Maximum) publications are unacknowledged at once") {
  struct Case {
    std::uint16_t receive_maximum;
    std::size_t window;
  };
  for (const Case& c : {Case{0, 10}, Case{65535, 10}, Case{3, 3}, Case{1, 1}}) {
    CAPTURE(c.receive_maximum);
    ScriptedBroker broker(c.receive_maximum);
    Subject subject(options_for(broker));
    REQUIRE(subject.wait_connected(1));
    for (int i = 0; i < 200; ++i) subject.publish("n/" + std::to_string(i), "x");
    CHECK(most_at_once(broker, c.window, 200) == c.window);
    REQUIRE(subject.wait_published(200));
    CHECK(broker.publishes()[199].topic == "n/199");
  }
}

TEST_CASE("what had no PUBACK is published again, first and in order, and frees the window") {
  ScriptedBroker broker;
  Subject subject(options_for(broker));
  REQUIRE(subject.wait_connected(1));
  for (int i = 0; i < 30; ++i) subject.publish("n/" + std::to_string(i), "x");
  REQUIRE(broker.wait_for_publishes(10));
  broker.acknowledge(broker.publishes()[1].packet_id);  // the second, out of turn
  REQUIRE(broker.wait_for_publishes(11));
  REQUIRE(subject.wait_published(1));
  broker.hang_up();
  REQUIRE(subject.wait_connected(2));
  REQUIRE(broker.wait_for_publishes(21));
  const auto seen = broker.publishes();
  CHECK(seen[11].topic == "n/0");
  CHECK(seen[12].topic == "n/2");
  CHECK(seen[20].topic == "n/10");
  for (std::size_t i = 11; i < 40; ++i) {
    REQUIRE(broker.wait_for_publishes(std::min<std::size_t>(i + 1, 40)));
    broker.acknowledge(broker.publishes()[i].packet_id);
  }
  REQUIRE(subject.wait_published(30));
  CHECK(broker.publishes().size() == 40);
}

TEST_CASE("a broker that never acknowledges the status is given up after heartbeat_limit") {
  ScriptedBroker broker;
  auto options = options_for(broker);
  options.status_topic = "gw/status";
  options.heartbeat_limit = 1s;
  Subject subject(options);
  REQUIRE(subject.wait_disconnected(1));
  CHECK(subject.last_reason() == "a publication was not acknowledged in time");
  REQUIRE(broker.wait_for_publishes(2));
  CHECK(broker.connections() == 2);
}

TEST_CASE("MQTT 5 reason 0x8E is the end, any other one is not") {
  ScriptedBroker broker;
  Subject subject(options_for(broker));
  REQUIRE(subject.wait_connected(1));
  broker.disconnect(0x8B);  // server shutting down
  REQUIRE(subject.wait_connected(2));
  CHECK_FALSE(subject.taken_over());
  broker.disconnect(0x8E);
  REQUIRE(subject.wait_taken_over());
  subject.client().stop(5s);
  CHECK(broker.connections() == 2);
}
