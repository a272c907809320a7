// How dfota stands before the broker, whatever it asks there: as whom, by which MQTT version, and where its answers
// come. Pure but for the random id.
#pragma once

#include <string>

#include "gateway/ctl/options.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::ctl {

/// Of one run of dfota: two at once must not be one client.
std::string new_client_id();

/// <root>/client/<client id>/rsp: the example ACL gives each client its own.
std::string response_topic_of(const Options& options, const std::string& client_id);

/// Broker, user, certificates and version of the options.
MqttOptions broker_access(const Options& options, const std::string& client_id);

/// Whether it is a reply to us. MQTT 3.1.1 has no response topic: replies come where everybody's do.
bool is_reply(const Options& options, const std::string& response_topic, const MqttMessage& message);

/// Whether a reply is to this question: by its correlation data, or, with MQTT 3.1.1, its transaction.
bool answers(const Options& options, const MqttMessage& reply, const std::string& question);

}  // namespace dfota::ctl
