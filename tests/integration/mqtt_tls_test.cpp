// mqtts://: the broker's certificate is checked against the given authority and against the host name, and a client
// certificate is shown.
#include <doctest/doctest.h>

#include "tests/integration/mqtt_subject.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {
void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  Process process(arguments);
  const auto code = process.wait();
  INFO(process.err());
  REQUIRE(code == 0);
}

/// NAME.crt and NAME.key in `dir`, signed by ca.crt, or by itself where that is its own name.
void make_certificate(const TempDir& dir, const std::string& name, const std::string& alternative_name) {
  const bool is_ca = alternative_name.empty();
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
           "/CN=" + name, "-keyout", dir / (name + ".key"), "-out", dir / (name + ".self")});
  if (is_ca) {
    std::filesystem::rename(dir / (name + ".self"), dir / (name + ".crt"));
    return;
  }
  openssl({"req", "-new", "-key", dir / (name + ".key"), "-subj", "/CN=" + name, "-addext",
           "subjectAltName=" + alternative_name, "-out", dir / (name + ".csr")});
  openssl({"x509", "-req", "-in", dir / (name + ".csr"), "-CA", dir / "ca.crt", "-CAkey", dir / "ca.key",
           "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", dir / (name + ".crt")});
}

struct TlsBroker {
  explicit TlsBroker(const std::string& alternative_name) {
    make_certificate(dir, "ca", "");
    make_certificate(dir, "other-ca", "");
    make_certificate(dir, "server", alternative_name);
    make_certificate(dir, "client", "DNS:gw");
    broker = std::make_unique<Broker>(Broker::Options{.persistence = false,
                                                      .extra = "cafile " + dir / "ca.crt" + "\ncertfile " +
                                                               dir / "server.crt" + "\nkeyfile " + dir / "server.key" +
                                                               "\nrequire_certificate true",
                                                      .start = true});
    options.uri = "mqtts://localhost:" + std::to_string(broker->port());
    options.client_id = "gw";
    options.ca_file = dir / "ca.crt";
    options.cert_file = dir / "client.crt";
    options.key_file = dir / "client.key";
  }
  TempDir dir;
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
  other_ca.options.ca_file = other_ca.dir / "other-ca.crt";
  for (TlsBroker* tls : {&other_name, &other_ca}) {
    Subject subject(tls->options);
    REQUIRE(tls->broker->wait_for_log("Client <unknown>"));
    CHECK(subject.connections() == 0);
    CHECK(tls->broker->log().find("New client connected") == std::string::npos);
  }
}
