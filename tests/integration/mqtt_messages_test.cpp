// MqttClient against the real mosquitto: what a message carries, who may send it, and in which order.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "transport/mqtt_socket.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("MQTT 5 tells a retained command from a live one, and sends no old ones") {
  Broker broker;
  MqttObserver observer(broker.uri(), {"none"});
  observer.publish("in/cmd", "retained long ago", true);
  observer.publish("wanted/state", "kept", true);
  auto options = options_for(broker, "gw", 5);
  options.subscriptions = {{"in/#", false}, {"wanted/#", true}};
  Subject subject(options);
  REQUIRE(subject.wait_messages(1));
  CHECK(subject.messages()[0].payload == "kept");
  CHECK(subject.messages()[0].retained);
  REQUIRE(subject.wait_connected(1));
  observer.publish("in/cmd", "live and retained", true);
  observer.publish("in/cmd", "live", false);
  REQUIRE(subject.wait_messages(3));
  CHECK(payloads(subject.messages()) == std::vector<std::string>{"kept", "live and retained", "live"});
  CHECK(subject.messages()[1].retained);
  CHECK_FALSE(subject.messages()[2].retained);
}

TEST_CASE("MQTT 5 carries response topic and correlation data both ways") {
  Broker broker;
  auto options = options_for(broker, "gw", 5);
  options.subscriptions = {{"in/#"}};
  Subject subject(options);
  REQUIRE(subject.wait_connected(1));
  MqttObserver observer(broker.uri(), {"back/#"});
  MqttPublication request;
  request.topic = "in/cmd";
  request.payload = "{}";
  request.response_topic = "back/here";
  request.correlation_data = std::string("\0\xff id", 5);
  observer.publish(request);
  REQUIRE(subject.wait_messages(1));
  const auto asked = subject.messages()[0];
  CHECK(asked.response_topic == "back/here");
  CHECK(asked.correlation_data == std::string("\0\xff id", 5));

  MqttPublication reply;
  reply.topic = *asked.response_topic;
  reply.payload = "{\"status\":\"ok\"}";
  reply.correlation_data = asked.correlation_data;
  subject.client().publish(reply);
  REQUIRE(observer.wait_for_topic("back/here"));
  CHECK(observer.wait_for_topic("back/here")->correlation_data == std::string("\0\xff id", 5));
}

TEST_CASE("the first connection fails, and the broker comes later") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker({.persistence = false, .extra = {}, .start = false});
    auto options = options_for(broker, "gw", version);
    options.max_queued = 5;
    Subject subject(options);
    for (int i = 1; i <= 8; ++i) subject.publish("out/n", std::to_string(i));
    for (int i = 1; i <= 3; ++i) subject.publish("state", std::to_string(i), true);
    REQUIRE(subject.wait_failed(6));  // three of each did not fit in
    broker.start();
    REQUIRE(subject.wait_connected(1));
    REQUIRE(subject.wait_published(5));
    CHECK(subject.failed() == 6);
    CHECK(subject.disconnections() == 0);
  }
}

TEST_CASE("newest_only publications that wait are one, in the place of the first") {
  Broker broker({.persistence = false, .extra = {}, .start = false});
  auto options = options_for(broker, "gw", 5);
  options.subscriptions = {{"out/#"}};
  Subject subject(options);
  subject.publish("out/state", "old", true);
  subject.publish("out/other", "x");
  subject.publish("out/state", "new", true);
  broker.start();
  REQUIRE(subject.wait_messages(2));
  CHECK(payloads(subject.messages()) == std::vector<std::string>{"new", "x"});
  CHECK(subject.failed() == 1);
}

TEST_CASE("MQTT 5: of two clients with one client id the one that started first gives up") {
  Broker broker;
  auto options = options_for(broker, "gw", 5);
  options.status_topic = "gw/status";
  Subject subject(options);
  REQUIRE(subject.wait_connected(1));
  // Only from its own word on does it know what is newer.
  MqttObserver observer(broker.uri(), {"gw/status"});
  REQUIRE(observer.wait_for_payload("gw/status", "online"));
  Subject twin(options);
  REQUIRE(subject.wait_taken_over());
  CHECK_FALSE(subject.client().connected());
  const int connections = subject.connections();
  CHECK(twin.publish_and_wait("out/x", "mine").ok());
  CHECK(subject.connections() == connections);
  CHECK_FALSE(twin.taken_over());
}

TEST_CASE("a restarted gateway is no twin of its former self") {
  Broker broker;
  auto options = options_for(broker, "gw", 5);
  options.status_topic = "gw/status";
  for (int i = 0; i < 3; ++i) {
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    CHECK(subject.publish_and_wait("out/x", "here").ok());
    CHECK_FALSE(subject.taken_over());
  }
}

TEST_CASE("a publication that the broker refuses ends as refused, and the others go on") {
  Broker probe({.persistence = false, .extra = {}, .start = false});
  const std::string acl = probe.dir() / "acl";
  std::ofstream(acl) << "topic readwrite out/#\n";
  Broker broker({.persistence = false, .extra = "acl_file " + acl, .start = true});
  Subject subject(options_for(broker, "gw", 5));
  REQUIRE(subject.wait_connected(1));
  const auto refused = subject.publish_and_wait("secret/x", "1");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::refused);
  CHECK(subject.publish_and_wait("out/x", "2").ok());
  const auto invalid = subject.publish_and_wait("out/#", "3");
  REQUIRE_FALSE(invalid.ok());
  CHECK(invalid.error().code == Errc::invalid);
  INFO(broker.log());
  CHECK(subject.disconnections() == 0);
}

TEST_CASE("stop publishes what waits, and is bounded when nobody answers") {
  Broker broker;
  MqttObserver observer(broker.uri(), {"out/#"});
  {
    Subject subject(options_for(broker, "gw", 5));
    REQUIRE(subject.wait_connected(1));
    for (int i = 1; i <= 500; ++i) subject.publish("out/n", std::to_string(i));
    subject.client().stop(30s);
    CHECK(subject.published() == 500);
    REQUIRE(wait_for_count(observer, "out/n", 500));
    CHECK(payloads(observer.on("out/n")) == numbers(1, 500));
    const auto late = subject.publish_and_wait("out/n", "too late");
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().code == Errc::canceled);
  }
  Subject subject(options_for(broker, "gw2", 5));
  REQUIRE(subject.wait_connected(1));
  broker.freeze();
  subject.publish("out/n", "never");
  subject.client().stop(100ms);
  CHECK(subject.failed() == 1);
  broker.thaw();
}

TEST_CASE("thousands of publications get through") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    MqttObserver observer(broker.uri(), {"out/#"}, version);
    Subject subject(options_for(broker, "gw", version));
    REQUIRE(subject.wait_connected(1));
    for (int i = 1; i <= 10000; ++i) subject.publish("out/n", std::to_string(i));
    REQUIRE(subject.wait_published(10000));
    REQUIRE(wait_for_count(observer, "out/n", 10000));
    CHECK(payloads(observer.on("out/n")) == numbers(1, 10000));
  }
}

TEST_CASE("user name and password") {
  Broker probe({.persistence = false, .extra = {}, .start = false});
  const std::string file = probe.dir() / "passwords";
  std::ofstream(file) << "";
  Process passwd({"mosquitto_passwd", "-b", file, "rack", "secret"});
  REQUIRE(passwd.wait() == 0);
  Broker broker({.persistence = false, .extra = "allow_anonymous false\npassword_file " + file, .start = true});
  for (const int version : {3, 5}) {
    CAPTURE(version);
    auto options = options_for(broker, "gw", version);
    options.username = "rack";
    options.password = "wrong";
    Subject wrong(options);
    REQUIRE(broker.wait_for_log("not authorised"));
    options.password = "secret";
    options.client_id = "gw2";
    Subject right(options);
    REQUIRE(right.wait_connected(1));
    CHECK(wrong.connections() == 0);
  }
}
