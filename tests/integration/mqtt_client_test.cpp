// MqttClient against the real mosquitto: connection, loss of it in all its forms, and what survives.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <csignal>
#include <fstream>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "transport/mqtt_socket.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {

/// TCP_NODELAY of the socket of this process with that local port.
bool sends_at_once(std::uint16_t port) {
  constexpr int kMostDescriptors = 1024;
  for (int fd = 0; fd < kMostDescriptors; ++fd) {
    sockaddr_in self{};
    socklen_t size = sizeof self;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &size) != 0 || self.sin_family != AF_INET) continue;
    int on = 0;
    socklen_t on_size = sizeof on;
    if (ntohs(self.sin_port) == port) return ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &on_size) == 0 && on != 0;
  }
  return false;
}

}  // namespace

TEST_CASE("what it sends after a PUBACK does not wait for the broker's TCP, at each connection") {
  Broker broker({.persistence = true, .extra = {}, .start = true});
  Subject subject(options_for(broker, "gw", 5));
  for (int connection = 1; connection <= 2; ++connection) {
    REQUIRE(subject.wait_connected(connection));
    const auto ports = local_ports_to("127.0.0.1", broker.port());
    REQUIRE(ports.size() == 1);
    CHECK(sends_at_once(*ports.begin()));
    if (connection == 1) broker.restart();
  }
}

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
