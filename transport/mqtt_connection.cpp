#include "transport/mqtt_connection.hpp"

#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "transport/base/log.hpp"
#include "transport/mqtt_properties.hpp"
#include "transport/mqtt_socket.hpp"
#include "transport/mqtt_uri.hpp"

namespace dfota {
namespace {
constexpr int kVersion311 = 4;  // the protocol level, which is what Paho wants to hear
constexpr int kVersion5 = 5;
constexpr std::chrono::seconds kConnectTimeout{10};
/// Messages that the broker sends us before it has our PUBACKs. A PUBACK for what we published comes behind them, and
/// each may take a commit: behind thousands of commands it looked as if the connection were dead.
constexpr std::uint16_t kReceiveMaximum = 20;
constexpr const char* kInstance = "instance";  // the name of a user property of ours

// What the user context of a token says; publications have their id above these.
enum Action : std::uint64_t { kConnect = 1, kSubscribe, kDisconnect, kFirstPublication };

/// PUBACK reason codes that speak about the publication (MQTT 5, 3.4.2.1); all else speaks about the connection.
bool is_refusal(int reason) {
  switch (reason) {
    case mqtt::UNSPECIFIED_ERROR:
    case mqtt::IMPLEMENTATION_SPECIFIC_ERROR:
    case mqtt::NOT_AUTHORIZED:
    case mqtt::TOPIC_NAME_INVALID:
    case mqtt::QUOTA_EXCEEDED:
    case mqtt::PAYLOAD_FORMAT_INVALID:
      return true;
    default:
      return false;
  }
}

bool is_subscription_refusal(const mqtt::token& token) {
  const int reason = token.get_reason_code();
  return token.get_return_code() == MQTT_BAD_SUBSCRIBE ||
         (reason >= mqtt::UNSPECIFIED_ERROR && reason != mqtt::MQTTPP_V3_CODE);
}

/// The CONNACK said no; else there was none.
bool is_broker_word(const mqtt::token& token) {
  const int code = token.get_return_code(), reason = token.get_reason_code();
  return (code >= 1 && code <= 5) || code >= mqtt::UNSPECIFIED_ERROR ||
         (reason >= mqtt::UNSPECIFIED_ERROR && reason != mqtt::MQTTPP_V3_CODE);
}

std::string reason_text(const mqtt::token& token) {
  const int code = token.get_return_code(), reason = token.get_reason_code();
  if (reason >= mqtt::UNSPECIFIED_ERROR && reason != mqtt::MQTTPP_V3_CODE) {
    return mqtt::exception::reason_code_str(reason) + " (reason " + std::to_string(reason) + ")";
  }
  static constexpr const char* kConnack311[] = {"unacceptable protocol version", "client id rejected",
                                                "server unavailable", "bad user name or password", "not authorised"};
  if (token.get_type() == mqtt::token::Type::CONNECT && code >= 1 && code <= 5) return kConnack311[code - 1];
  if (token.get_type() == mqtt::token::Type::CONNECT) {
    if (code >= mqtt::UNSPECIFIED_ERROR) return mqtt::exception::reason_code_str(code);
    try {
      token.get_connect_response();
    } catch (const mqtt::exception& e) {  // the only way to the words of the C library
      if (!e.get_message().empty()) return e.get_message();
    }
  }
  return code == MQTTASYNC_FAILURE ? "no connection" : mqtt::exception::error_str(code);
}

template <class T>
T property_or(const mqtt::properties& properties, mqtt::property::code code, T otherwise) {
  return properties.contains(code) ? mqtt::get<T>(properties, code) : otherwise;
}
}  // namespace

class MqttConnection::Paho : private mqtt::iaction_listener {
 public:
  Paho(const MqttOptions& options, std::string instance, Events events)
      : options_(options), instance_(std::move(instance)), events_(std::move(events)) {}

  Result<void> connect();
  Result<void> subscribe(const std::vector<MqttSubscription>& subscriptions);
  Result<void> publish(std::uint64_t id, const MqttPublication& publication);
  Result<void> disconnect();

 private:
  void register_handlers();
  [[nodiscard]] mqtt::connect_options connect_options() const;
  void on_message(const mqtt::message& message);
  void on_greeting(const mqtt::token& token);
  void on_subscribed(const std::string& refusal);
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;
  [[nodiscard]] bool is_v5() const { return options_.version == kVersion5; }
  static void* context(std::uint64_t action) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(action)); }

  template <class Call>
  Result<void> guarded(const char* what, Call&& call) {
    try {
      call();
      return {};
    } catch (const mqtt::exception& e) {
      const int code = e.get_return_code();
      const bool hopeless = code == MQTTASYNC_BAD_UTF8_STRING || code == MQTTASYNC_BAD_QOS ||
                            code == MQTTASYNC_BAD_PROTOCOL || code == MQTTASYNC_SSL_NOT_SUPPORTED;
      return Error(hopeless ? Errc::invalid : Errc::link_lost, std::string(what) + ": " + e.get_error_str());
    } catch (const std::exception& e) {
      return Error(Errc::link_lost, std::string(what) + ": " + e.what());
    }
  }

  const MqttOptions& options_;
  const std::string instance_;
  Events events_;
  MqttBroker broker_;
  std::set<std::uint16_t> ports_before_;     // of other connections to the same broker
  std::set<std::uint16_t> own_ports_;        // set at the CONNACK, read by the message callback: the same thread
  bool refusing_ = false;                    // Paho's thread
  std::atomic<std::size_t> subscribing_{0};  // filters without a SUBACK
  std::string refusals_;                     // Paho's thread
  std::atomic<std::size_t> maximum_packet_{268435455};
  std::unique_ptr<mqtt::async_client> client_;  // last: destroyed first, and no callback comes afterwards
};

Result<void> MqttConnection::Paho::connect() {
  const auto broker = parse_mqtt_uri(options_.uri);
  if (!broker) return broker.error();
  broker_ = *broker;
  ports_before_ = local_ports_to(broker_.host, broker_.port);
  return guarded("connect", [this] {
    const mqtt::create_options create(is_v5() ? kVersion5 : kVersion311);
    const std::string uri = (broker_.tls ? "ssl://" : "tcp://") + broker_.name();
    client_ = std::make_unique<mqtt::async_client>(uri, options_.client_id, create, nullptr);
    register_handlers();
    // connect() copies the options, and the copy goes on pointing to the properties of this one (fixed in 1.3.0).
    const mqtt::connect_options options = connect_options();
    client_->connect(options, context(kConnect), *this);
  });
}

mqtt::connect_options MqttConnection::Paho::connect_options() const {
  mqtt::connect_options connect;
  connect.set_mqtt_version(is_v5() ? kVersion5 : kVersion311);
  connect.set_keep_alive_interval(options_.keep_alive);
  connect.set_connect_timeout(kConnectTimeout);
  if (is_v5()) {
    connect.set_clean_start(!options_.persistent_session);
    mqtt::properties properties;
    properties.add(mqtt::property(mqtt::property::RECEIVE_MAXIMUM, kReceiveMaximum));
    if (options_.persistent_session) {
      const auto expiry = static_cast<std::int32_t>(std::min<std::int64_t>(options_.session_expiry.count(), INT32_MAX));
      properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, expiry));
    }
    connect.set_properties(properties);
  } else {
    connect.set_clean_session(!options_.persistent_session);
  }
  if (!options_.username.empty()) connect.set_user_name(options_.username);
  if (!options_.password.empty()) connect.set_password(options_.password);
  if (!options_.status_topic.empty()) {
    connect.set_will(mqtt::will_options(options_.status_topic, options_.offline, 1, true));
  }
  if (broker_.tls) {
    mqtt::ssl_options tls;
    if (!options_.ca_file.empty()) tls.set_trust_store(options_.ca_file);
    if (!options_.cert_file.empty()) tls.set_key_store(options_.cert_file);
    if (!options_.key_file.empty()) tls.set_private_key(options_.key_file);
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);
    connect.set_ssl(tls);
  }
  return connect;
}

void MqttConnection::Paho::register_handlers() {
  client_->set_connection_lost_handler([this](const std::string& cause) {
    events_.lost(cause.empty() ? "the broker closed the connection" : cause, false);
  });
  client_->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
    events_.lost("the broker ended it: " + mqtt::exception::reason_code_str(reason),
                 reason == mqtt::SESSION_TAKEN_OVER);
  });
  client_->set_message_callback([this](mqtt::const_message_ptr message) {
    // An exception here would end the process, and the message would come again after the restart, and again.
    try {
      on_message(*message);
    } catch (const std::exception& e) {
      log::error("mqtt ", broker_.name(), ": a message was given up: ", e.what());
    } catch (...) {
      log::error("mqtt ", broker_.name(), ": a message was given up: unknown exception");
    }
  });
}

void MqttConnection::Paho::on_message(const mqtt::message& message) {
  if (refusing_) return;
  if (!options_.status_topic.empty() && message.get_topic() == options_.status_topic) {
    return events_.status(message.to_string(), user_property(message, kInstance));
  }
  if (events_.message(to_mqtt_message(message))) return;
  // There is no negative acknowledgement: only a dead socket keeps Paho's PUBACK from leaving.
  refusing_ = true;
  auto ports = own_ports_;
  if (ports.empty()) {  // redelivered before the CONNACK was told
    for (const auto port : local_ports_to(broker_.host, broker_.port)) {
      if (!ports_before_.contains(port)) ports.insert(port);
    }
  }
  shut_down_sockets_to(broker_.host, broker_.port, ports);
}

void MqttConnection::Paho::on_greeting(const mqtt::token& token) {
  const mqtt::connect_response response = token.get_connect_response();
  const mqtt::properties& properties = response.get_properties();
  MqttGreeting greeting;
  greeting.session_present = response.is_session_present();
  if (is_v5()) {
    greeting.receive_maximum = property_or<std::uint16_t>(properties, mqtt::property::RECEIVE_MAXIMUM, 65535);
    greeting.maximum_packet = property_or<std::uint32_t>(properties, mqtt::property::MAXIMUM_PACKET_SIZE, 268435455);
  }
  maximum_packet_ = greeting.maximum_packet;
  for (const auto port : local_ports_to(broker_.host, broker_.port)) {
    if (!ports_before_.contains(port)) own_ports_.insert(port);
  }
  send_at_once_to(broker_.host, broker_.port, own_ports_);
  events_.connected(greeting);
}

void MqttConnection::Paho::on_subscribed(const std::string& refusal) {
  if (!refusal.empty() && refusals_.find(refusal) == std::string::npos)
    refusals_ += (refusals_.empty() ? "" : ", ") + refusal;
  if (--subscribing_ > 0) return;
  if (refusals_.empty()) return events_.subscribed({});
  events_.subscribed(Error(Errc::refused, "the broker refused a subscription: " + refusals_));
}

void MqttConnection::Paho::on_success(const mqtt::token& token) {
  const auto action = reinterpret_cast<std::uintptr_t>(token.get_user_context());
  try {
    switch (action) {
      case kConnect:
        return on_greeting(token);
      case kSubscribe:
        return on_subscribed(token.get_reason_code() > mqtt::GRANTED_QOS_2 ? reason_text(token) : "");
      case kDisconnect:
        return events_.disconnected();
      default:
        return events_.published(action - kFirstPublication, {});
    }
  } catch (const std::exception& e) {
    events_.lost(e.what(), false);
  }
}

void MqttConnection::Paho::on_failure(const mqtt::token& token) {
  const auto action = reinterpret_cast<std::uintptr_t>(token.get_user_context());
  switch (action) {
    case kConnect:
      return events_.connected(Error(is_broker_word(token) ? Errc::refused : Errc::link_lost, reason_text(token)));
    case kSubscribe:
      if (!is_subscription_refusal(token)) return events_.lost("a subscription failed: " + reason_text(token), false);
      return on_subscribed(reason_text(token));
    case kDisconnect:
      return events_.disconnected();
    default:
      if (is_v5() && is_refusal(token.get_reason_code())) {
        return events_.published(action - kFirstPublication, Error(Errc::refused, reason_text(token)));
      }
      return events_.lost("a publication failed: " + reason_text(token), false);
  }
}

// One filter each: in 1.2.0 subscribing to several with options reads beyond the list of them.
Result<void> MqttConnection::Paho::subscribe(const std::vector<MqttSubscription>& subscriptions) {
  subscribing_ = subscriptions.size();
  for (const auto& subscription : subscriptions) {
    const mqtt::subscribe_options options(
        mqtt::subscribe_options::SUBSCRIBE_LOCAL, mqtt::subscribe_options::RETAIN_AS_PUBLISHED,
        subscription.wants_retained ? mqtt::subscribe_options::SEND_RETAINED_ON_SUBSCRIBE
                                    : mqtt::subscribe_options::DONT_SEND_RETAINED);
    auto begun = guarded("subscribe", [&] {
      client_->subscribe(subscription.filter, 1, context(kSubscribe), *this,
                         is_v5() ? options : mqtt::subscribe_options());
    });
    if (!begun) return begun;
  }
  return {};
}

Result<void> MqttConnection::Paho::publish(std::uint64_t id, const MqttPublication& publication) {
  if (packet_size_of(publication, options_) > maximum_packet_)
    return Error(Errc::invalid, "larger than the broker takes");
  return guarded("publish", [&] {
    mqtt::properties properties;
    if (is_v5()) properties = properties_of(publication, options_);
    if (is_v5() && publication.topic == options_.status_topic) {
      properties.add(mqtt::property(mqtt::property::USER_PROPERTY, kInstance, instance_));
    }
    const auto message = mqtt::message::create(publication.topic, publication.payload, publication.qos,
                                               publication.retained, properties);
    client_->publish(message, context(id + kFirstPublication), *this);
  });
}

Result<void> MqttConnection::Paho::disconnect() {
  return guarded("disconnect", [this] { client_->disconnect(0, context(kDisconnect), *this); });
}

MqttConnection::MqttConnection(const MqttOptions& options, std::string instance, Events events)
    : paho_(std::make_unique<Paho>(options, std::move(instance), std::move(events))) {}
MqttConnection::~MqttConnection() = default;
Result<void> MqttConnection::connect() {
  return paho_->connect();
}
Result<void> MqttConnection::subscribe(const std::vector<MqttSubscription>& subscriptions) {
  return paho_->subscribe(subscriptions);
}
Result<void> MqttConnection::publish(std::uint64_t id, const MqttPublication& publication) {
  return paho_->publish(id, publication);
}
Result<void> MqttConnection::disconnect() {
  return paho_->disconnect();
}

}  // namespace dfota
