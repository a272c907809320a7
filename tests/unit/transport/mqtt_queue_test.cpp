#include "transport/mqtt_queue.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {
struct Log {
  std::vector<std::string> lines;

  MqttQueue::Done expect(const std::string& name) {
    return [this, name](const Result<void>& result) {
      const char* words[] = {"timeout", "busy", "link_lost", "absent", "refused", "invalid", "mismatch"};
      const std::string word = result                                  ? "ok"
                               : result.error().code == Errc::canceled ? "canceled"
                                                                       : words[static_cast<int>(result.error().code)];
      lines.push_back(name + " " + word);
    };
  }
  std::vector<std::string> collect(MqttQueue& queue) {
    for (auto& ended : queue.take_ended()) ended.done(ended.result);
    return std::exchange(lines, {});
  }
};

MqttPublication publication(const std::string& topic, const std::string& payload = "x", int qos = 1,
                            bool newest = false) {
  MqttPublication p;
  p.topic = topic;
  p.payload = payload;
  p.qos = qos;
  p.newest_only = newest;
  return p;
}

using Lines = std::vector<std::string>;

Lines send_all(MqttQueue& queue) {
  Lines sent;
  while (const auto* entry = queue.send_next(Clock::now())) {
    sent.push_back(entry->second.publication.topic + "=" + entry->second.publication.payload);
  }
  return sent;
}
}  // namespace

TEST_CASE("publications leave in order and end once") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("a"), log.expect("a"), true);
  queue.push(publication("b"), log.expect("b"), true);
  const auto a = queue.send_next(Clock::now())->first;
  const auto b = queue.send_next(Clock::now())->first;
  CHECK(queue.send_next(Clock::now()) == nullptr);
  CHECK(queue.in_flight() == 2);
  CHECK(a > MqttQueue::kReservedIds);
  queue.end(b, {});
  queue.end(a, Error(Errc::refused, "not authorised"));
  queue.end(a, {});
  CHECK(log.collect(queue) == Lines{"b ok", "a refused"});
  CHECK(queue.in_flight() == 0);
}

TEST_CASE("only QoS 1 counts as unacknowledged, and only QoS 0 that nobody asked about ends unheard") {
  MqttQueue queue(10);
  Log log;
  CHECK(queue.only_qos0_waits());
  queue.push(publication("zero", "1", 0), {}, true);
  CHECK(queue.only_qos0_waits());
  CHECK(queue.next_is_qos0());
  queue.push(publication("asked", "2", 0), log.expect("asked"), true);
  queue.push(publication("one", "3"), {}, true);
  CHECK_FALSE(queue.only_qos0_waits());
  const auto zero = queue.send_next(Clock::now())->first;
  const auto asked = queue.send_next(Clock::now())->first;
  CHECK_FALSE(queue.next_is_qos0());
  const auto one = queue.send_next(Clock::now())->first;
  CHECK_FALSE(queue.next_is_qos0());
  CHECK(queue.unacknowledged() == 1);
  CHECK(queue.ends_unheard(zero));
  CHECK_FALSE(queue.ends_unheard(asked));
  CHECK_FALSE(queue.ends_unheard(one));
  CHECK_FALSE(queue.ends_unheard(one + 1));
  queue.end(one, {});
  CHECK(queue.unacknowledged() == 0);
  CHECK(queue.in_flight() == 2);
}

TEST_CASE("what goes back is unacknowledged no more") {
  MqttQueue queue(10);
  queue.push(publication("a"), {}, true);
  queue.push(publication("b"), {}, true);
  send_all(queue);
  CHECK(queue.unacknowledged() == 2);
  queue.connection_lost();
  CHECK(queue.unacknowledged() == 0);
  send_all(queue);
  CHECK(queue.unacknowledged() == 2);
  queue.cancel_all("stopped");
  CHECK(queue.unacknowledged() == 0);
}

TEST_CASE("what had no PUBACK goes back to the front, in order, without QoS 0") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("a", "1"), log.expect("a"), true);
  queue.push(publication("zero", "2", 0), log.expect("zero"), true);
  queue.push(publication("b", "3"), log.expect("b"), true);
  send_all(queue);
  queue.push(publication("c", "4"), log.expect("c"), true);
  queue.push(publication("late zero", "5", 0), log.expect("late zero"), true);
  queue.connection_lost();
  CHECK(log.collect(queue) == Lines{"zero canceled", "late zero canceled"});
  CHECK(send_all(queue) == Lines{"a=1", "b=3", "c=4"});
}

TEST_CASE("beyond the bound QoS 0 is dropped, oldest first, and then the new one is turned away") {
  MqttQueue queue(3);
  Log log;
  queue.push(publication("a"), log.expect("a"), true);
  queue.push(publication("z1", "x", 0), log.expect("z1"), true);
  queue.push(publication("z2", "x", 0), log.expect("z2"), true);
  queue.push(publication("b"), log.expect("b"), true);
  CHECK(log.collect(queue) == Lines{"z1 canceled"});
  queue.push(publication("z3", "x", 0), log.expect("z3"), true);
  CHECK(log.collect(queue) == Lines{"z2 canceled"});
  queue.push(publication("c"), log.expect("c"), true);
  CHECK(log.collect(queue) == Lines{"z3 canceled"});
  queue.push(publication("d"), log.expect("d"), true);
  CHECK(log.collect(queue) == Lines{"d canceled"});
  CHECK(send_all(queue) == Lines{"a=x", "b=x", "c=x"});
}

TEST_CASE("newest_only replaces in place the one of its topic that waits, and no other") {
  MqttQueue queue(3);
  Log log;
  queue.push(publication("p", "1", 1, true), log.expect("p1"), true);
  queue.push(publication("q", "1", 1), log.expect("q"), true);
  queue.push(publication("q", "2", 1, true), log.expect("q2"), true);
  queue.push(publication("p", "2", 1, true), log.expect("p2"), true);
  CHECK(log.collect(queue) == Lines{"p1 canceled"});
  CHECK(send_all(queue) == Lines{"p=2", "q=1", "q=2"});
  queue.push(publication("p", "3", 1, true), log.expect("p3"), true);
  CHECK(queue.waiting() == 1);  // the one in flight is no longer there to be replaced
}

TEST_CASE("of one newest_only topic only the newest comes back from a lost connection") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("p", "1", 1, true), log.expect("p1"), true);
  send_all(queue);
  queue.push(publication("p", "2", 1, true), log.expect("p2"), true);
  send_all(queue);
  SUBCASE("both in flight") {}
  SUBCASE("a third waits") {
    queue.push(publication("p", "3", 1, true), log.expect("p3"), true);
  }
  const bool third = queue.waiting() == 1;
  queue.connection_lost();
  CHECK(log.collect(queue) == (third ? Lines{"p2 canceled", "p1 canceled"} : Lines{"p1 canceled"}));
  CHECK(send_all(queue) == Lines{third ? "p=3" : "p=2"});
}

TEST_CASE("a replacement may change between QoS 0 and 1") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("p", "1", 0, true), log.expect("p1"), true);
  queue.push(publication("p", "2", 1, true), log.expect("p2"), true);
  queue.push(publication("q", "1", 1, true), log.expect("q1"), true);
  queue.push(publication("q", "2", 0, true), log.expect("q2"), true);
  queue.connection_lost();
  CHECK(log.collect(queue) == Lines{"p1 canceled", "q1 canceled", "q2 canceled"});
  CHECK(send_all(queue) == Lines{"p=2"});
}

TEST_CASE("without a connection QoS 0 is not kept") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("a", "x", 0), log.expect("a"), false);
  queue.push(publication("b", "x", 1), log.expect("b"), false);
  CHECK(log.collect(queue) == Lines{"a canceled"});
  CHECK(queue.waiting() == 1);
}

TEST_CASE("what no broker would take never reaches one") {
  MqttQueue queue(10);
  Log log;
  for (const std::string& topic :
       {std::string(), std::string("a/+"), std::string("a/#"), std::string("a\0b", 3), std::string(65536, 'a')}) {
    queue.push(publication(topic), log.expect("bad"), true);
    CHECK(log.collect(queue) == Lines{"bad invalid"});
  }
  auto bad = publication("a");
  bad.response_topic = "b/#";
  queue.push(bad, log.expect("response"), true);
  bad.response_topic.reset();
  bad.correlation_data = std::string(65536, 'x');
  queue.push(bad, log.expect("correlation"), true);
  queue.push(publication("a", "x", 2), log.expect("qos"), true);
  CHECK(log.collect(queue) == Lines{"response invalid", "correlation invalid", "qos invalid"});
  CHECK(queue.waiting() == 0);
}

TEST_CASE("the end of the client ends everything") {
  MqttQueue queue(10);
  Log log;
  queue.push(publication("a"), log.expect("a"), true);
  send_all(queue);
  queue.push(publication("b", "x", 1, true), log.expect("b"), true);
  queue.cancel_all("stopped");
  CHECK(log.collect(queue) == Lines{"a canceled", "b canceled"});
  CHECK(queue.waiting() + queue.in_flight() == 0);
  queue.push(publication("b", "y", 1, true), log.expect("b2"), true);
  CHECK(send_all(queue) == Lines{"b=y"});
}

TEST_CASE("the oldest one in flight is known by when it was sent") {
  MqttQueue queue(10);
  CHECK_FALSE(queue.oldest_in_flight());
  queue.push(publication("a"), {}, true);
  queue.push(publication("b"), {}, true);
  const Clock::time_point first{std::chrono::seconds(5)}, second{std::chrono::seconds(9)};
  const auto a = queue.send_next(first)->first;
  queue.send_next(second);
  CHECK(queue.oldest_in_flight() == first);
  queue.end(a, {});
  CHECK(queue.oldest_in_flight() == second);
}
