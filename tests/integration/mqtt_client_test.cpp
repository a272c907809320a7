// MqttClient against the real mosquitto: connection, loss of it in all its forms, and what survives.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <set>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "transport/mqtt_socket.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {
std::vector<std::string> payloads(const std::vector<MqttMessage>& messages) {
  std::vector<std::string> result;
  for (const auto& message : messages) result.push_back(message.payload);
  return result;
}

/// The first arrivals, without the repetitions that at-least-once allows.
std::vector<std::string> distinct(const std::vector<std::string>& all) {
  std::vector<std::string> result;
  std::set<std::string> seen;
  for (const auto& one : all) {
    if (seen.insert(one).second) result.push_back(one);
  }
  return result;
}

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> result;
  for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
  return result;
}

bool wait_for_count(MqttObserver& observer, const std::string& topic, std::size_t count) {
  return observer.wait_for([&](const std::vector<MqttMessage>& messages) {
    std::set<std::string> seen;
    for (const auto& message : messages) {
      if (message.topic == topic) seen.insert(message.payload);
    }
    return seen.size() >= count;
  });
}
}  // namespace

TEST_CASE("publishes and receives at QoS 0 and 1") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    MqttObserver observer(broker.uri(), {"out/#"}, version);
    auto options = options_for(broker, "gw", version);
    options.subscriptions = {{"in/#"}};
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    CHECK(subject.client().connected());
    CHECK_FALSE(subject.session_present());

    CHECK(subject.publish_and_wait("out/a", "hello").ok());
    CHECK(subject.publish_and_wait("out/b", "zero", 0).ok());
    REQUIRE(observer.wait_for_topic("out/a"));
    REQUIRE(observer.wait_for_topic("out/b"));
    CHECK(observer.wait_for_topic("out/a")->qos == 1);
    CHECK(observer.wait_for_topic("out/b")->qos == 0);

    observer.publish("in/cmd", "do it");
    REQUIRE(subject.wait_messages(1));
    CHECK(subject.messages()[0].topic == "in/cmd");
    CHECK(subject.messages()[0].payload == "do it");
    CHECK(subject.messages()[0].qos == 1);
    CHECK_FALSE(subject.messages()[0].duplicate);
    CHECK_FALSE(subject.messages()[0].retained);
  }
}

TEST_CASE("says online, has its will said when the connection breaks, and offline when it stops") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    MqttObserver observer(broker.uri(), {"gw/status"}, version);
    const auto others = local_ports_to("127.0.0.1", broker.port());
    auto options = options_for(broker, "gw", version);
    options.status_topic = "gw/status";
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    REQUIRE(observer.wait_for_payload("gw/status", "online"));
    observer.forget();

    auto own = local_ports_to("127.0.0.1", broker.port());
    for (const auto port : others) own.erase(port);
    REQUIRE(own.size() == 1);
    shut_down_sockets_to("127.0.0.1", broker.port(), own);
    REQUIRE(observer.wait_for_payload("gw/status", "offline"));
    REQUIRE(observer.wait_for_payload("gw/status", "online"));
    CHECK(subject.disconnections() == 1);
    observer.forget();

    subject.client().stop(5s);
    REQUIRE(observer.wait_for_payload("gw/status", "offline"));
    MqttObserver late(broker.uri(), {"gw/status"}, version);
    REQUIRE(late.wait_for_payload("gw/status", "offline"));
    CHECK(late.messages()[0].retained);
  }
}

TEST_CASE("contradicts an offline that somebody else said") {
  Broker broker;
  MqttObserver observer(broker.uri(), {"gw/status"});
  auto options = options_for(broker, "gw", 5);
  options.status_topic = "gw/status";
  options.heartbeat = 3600s;
  Subject subject(options);
  REQUIRE(observer.wait_for_payload("gw/status", "online"));
  observer.forget();
  observer.publish("gw/status", "offline", true);
  REQUIRE(observer.wait_for_payload("gw/status", "online"));
  CHECK(subject.messages().empty());
}

TEST_CASE("what is published while it is away is waiting for it") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    auto options = options_for(broker, "gw", version);
    options.subscriptions = {{"in/#"}};
    {
      Subject subject(options);
      REQUIRE(subject.wait_connected(1));
      subject.client().stop(5s);
    }
    MqttObserver observer(broker.uri(), {"none"}, version);
    observer.publish("in/cmd", "while away");
    Subject subject(options);
    REQUIRE(subject.wait_messages(1));
    CHECK(subject.messages()[0].payload == "while away");
    REQUIRE(subject.wait_connected(1));
    CHECK(subject.session_present());
  }
}

TEST_CASE("a broker restart: subscribed again, and what waited arrives in order") {
  for (const int version : {3, 5}) {
    for (const bool persistence : {false, true}) {
      CAPTURE(version);
      CAPTURE(persistence);
      Broker broker({.persistence = persistence, .extra = {}, .start = true});
      auto options = options_for(broker, "gw", version);
      options.subscriptions = {{"in/#"}};
      Subject subject(options);
      REQUIRE(subject.wait_connected(1));
      broker.stop();
      REQUIRE(subject.wait_disconnected(1));
      for (int i = 1; i <= 30; ++i) subject.publish("out/n", std::to_string(i));
      CHECK_FALSE(subject.publish_and_wait("out/n", "not kept", 0).ok());
      broker.start();
      MqttObserver observer(broker.uri(), {"out/#"}, version);
      REQUIRE(subject.wait_connected(2));
      // The observer may have come after the first of them: those that it did see are the last ones, in order.
      REQUIRE(subject.wait_published(30));
      subject.publish("out/n", "end");
      REQUIRE(observer.wait_for_payload("out/n", "end"));
      const auto seen = payloads(observer.on("out/n"));
      auto expected = numbers(1, 30);
      expected.push_back("end");
      CHECK(seen ==
            std::vector<std::string>(expected.end() - static_cast<std::ptrdiff_t>(seen.size()), expected.end()));
      CHECK(subject.session_present() == persistence);
      observer.publish("in/cmd", "after");
      REQUIRE(subject.wait_messages(1));
    }
  }
}

TEST_CASE("a killed broker in the middle of a stream loses nothing and keeps the order") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker({.persistence = true, .extra = "autosave_interval 1\nautosave_on_changes true", .start = true});
    auto options = options_for(broker, "gw", version);
    options.subscriptions = {{"out/#"}};  // the persistent session remembers over the kill
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    for (int i = 1; i <= 2000; ++i) subject.publish("out/n", std::to_string(i));
    REQUIRE(subject.wait_published(100));
    broker.kill();
    REQUIRE(subject.wait_disconnected(1));
    broker.start();
    REQUIRE(subject.wait_published(2000));
    CHECK(subject.failed() == 0);
    // A PUBACK of mosquitto comes before its database is written, so what it acknowledged just before the kill is its
    // own to lose.
    CHECK(distinct(payloads(subject.messages())).size() > 1900);
  }
}

TEST_CASE("a broker that answers nothing any more is noticed by the heartbeat") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    auto options = options_for(broker, "gw", version);
    options.status_topic = "gw/status";
    options.heartbeat = 1s;
    options.heartbeat_limit = 1s;
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    broker.freeze();
    subject.publish("out/n", "1");
    REQUIRE(subject.wait_disconnected(1));
    CHECK(subject.last_reason() == "a publication was not acknowledged in time");
    subject.publish("out/n", "2");
    broker.thaw();
    MqttObserver observer(broker.uri(), {"gw/status"}, version);
    REQUIRE(subject.wait_connected(2));
    REQUIRE(subject.wait_published(2));
    REQUIRE(observer.wait_for_payload("gw/status", "online"));
  }
}

TEST_CASE("a message that was not taken comes again as a duplicate, until it is") {
  for (const int version : {3, 5}) {
    CAPTURE(version);
    Broker broker;
    auto options = options_for(broker, "gw", version);
    options.subscriptions = {{"in/#"}};
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    subject.refuse_next(2);
    MqttObserver observer(broker.uri(), {"none"}, version);
    observer.publish("in/cmd", "first");
    observer.publish("in/cmd", "second");
    REQUIRE(subject.wait_messages(4));
    const auto messages = subject.messages();
    CHECK(payloads(messages) == std::vector<std::string>{"first", "first", "first", "second"});
    CHECK_FALSE(messages[0].duplicate);
    CHECK(messages[1].duplicate);
    CHECK(messages[2].duplicate);
    CHECK(subject.disconnections() >= 1);  // the second one came before that connection was complete

    // Acknowledged is acknowledged: after one more connection only what is new comes.
    REQUIRE(subject.wait_connected(2));
    subject.client().stop(5s);
    observer.publish("in/cmd", "third");
    Subject again(options);
    REQUIRE(again.wait_messages(1));
    CHECK(again.messages()[0].payload == "third");
  }
}

TEST_CASE("refusing a message leaves another client's connection alone") {
  Broker broker;
  MqttObserver observer(broker.uri(), {"in/#"});
  auto options = options_for(broker, "gw", 5);
  options.subscriptions = {{"in/#"}};
  Subject bystander(options_for(broker, "bystander", 5));
  REQUIRE(bystander.wait_connected(1));
  Subject subject(options);
  REQUIRE(subject.wait_connected(1));
  subject.refuse_next(1);
  observer.publish("in/cmd", "x");
  REQUIRE(subject.wait_messages(2));
  CHECK(bystander.publish_and_wait("out/x", "still here").ok());
  CHECK(bystander.disconnections() == 0);
}

TEST_CASE("an exception in the message handler does not end the process, and the message is given up") {
  Broker broker;
  auto options = options_for(broker, "gw", 5);
  options.subscriptions = {{"in/#"}};
  Subject subject(options);
  REQUIRE(subject.wait_connected(1));
  subject.throw_next();
  MqttObserver observer(broker.uri(), {"none"});
  observer.publish("in/cmd", "poison");
  observer.publish("in/cmd", "next");
  REQUIRE(subject.wait_messages(2));
  CHECK(payloads(subject.messages()) == std::vector<std::string>{"poison", "next"});
  CHECK(subject.disconnections() == 0);
}

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
