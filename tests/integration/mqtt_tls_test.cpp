// mqtts://: the broker's certificate is checked against the given authority and against the host name, and a client
// certificate is shown.
#include <doctest/doctest.h>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/certificates.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {
struct TlsBroker {
  explicit TlsBroker(const std::string& alternative_name) {
    certificates.authority("other-ca");
    certificates.issue("server", alternative_name);
    certificates.issue("client");
    broker = std::make_unique<Broker>(
        Broker::Options{.persistence = false,
                        .extra = "cafile " + certificates.crt("ca") + "\ncertfile " + certificates.crt("server") +
                                 "\nkeyfile " + certificates.key("server") + "\nrequire_certificate true"});
    options.uri = "mqtts://localhost:" + std::to_string(broker->port());
    options.client_id = "gw";
    options.ca_file = certificates.crt("ca");
    options.cert_file = certificates.crt("client");
    options.key_file = certificates.key("client");
  }
  Certificates certificates;
  std::unique_ptr<Broker> broker;
  MqttOptions options;
};
}  // namespace

TEST_CASE("a right certificate") {
  TlsBroker tls("DNS:localhost");
  for (const int version : {3, 5}) {
    CAPTURE(version);
    tls.options.version = version;
    tls.options.subscriptions = {{"in/#"}};
    Subject subject(tls.options);
    REQUIRE(subject.wait_connected(1));
    subject.refuse_next(1);
    CHECK(subject.publish_and_wait("in/x", "1").ok());
    REQUIRE(subject.wait_messages(2));  // not taken the first time: the socket below TLS was shut down
    CHECK(subject.messages()[1].duplicate);
    subject.client().stop(std::chrono::seconds(5));
  }
}

TEST_CASE("a broker whose authority is not ours, or whose name is another") {
  TlsBroker other_name("DNS:elsewhere.invalid"), other_ca("DNS:localhost");
  other_ca.options.ca_file = other_ca.certificates.crt("other-ca");
  for (TlsBroker* tls : {&other_name, &other_ca}) {
    Subject subject(tls->options);
    REQUIRE(tls->broker->wait_for_log("Client <unknown>"));
    CHECK(subject.connections() == 0);
    CHECK(tls->broker->log().find("New client connected") == std::string::npos);
  }
}
