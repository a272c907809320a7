#include "gateway/ctl/doctor.hpp"

#include <algorithm>
#include <memory>

#include "gateway/ctl/broker_access.hpp"
#include "gateway/ctl/doctor_link.hpp"
#include "gateway/ctl/doctor_steps.hpp"
#include "gateway/ctl/fleet.hpp"
#include "gateway/ctl/replies.hpp"
#include "gateway/ctl/requests.hpp"
#include "transport/http_url.hpp"
#include "transport/mqtt_uri.hpp"
#include "transport/tls_fault.hpp"

namespace dfota::ctl {
namespace {
using namespace std::chrono_literals;
using Limit = DoctorLink::Limit;

constexpr Limit kGrace = 3s;        // for an answer of a gateway that is not online, and for what is retained
constexpr Limit kScanLimit = 120s;  // a module may be opened and listened to first
constexpr const char* kEcho = "echo";

class Doctor {
 public:
  Doctor(const Options& options, Output& output);

  int run() {
    if (find_broker() && log_in() && have_rights() && hear_gateway()) {
      look_at_gateway();
      look_at_files();
      look_at_module();
    }
    skip_the_rest("the way does not get there");
    return failed_ ? kExitNotWell : kExitWell;
  }

 private:
  bool find_broker();
  bool log_in();
  bool have_rights();
  bool hear_gateway();
  void look_at_gateway();
  void look_at_files();
  void look_at_module();

  Result<void> ask(const std::string& verb, Json body, const std::string& id);
  std::optional<Json> reply_to(const std::string& id, Limit limit);
  Step silence();
  Json newest(const std::string& topic) const;
  std::optional<bool> online() const;
  std::string known_modules() const;
  void tell(const Step& step);
  void tell(const std::vector<Step>& steps);
  void pass(const char* name, const std::string& message) { tell(Step{Step::Result::ok, name, message, ""}); }
  bool fail(const char* name, const std::string& message, const std::string& hint);
  void skip_the_rest(const std::string& why);

  const Options& options_;
  Output& output_;
  const std::optional<std::string> module_;
  const std::string id_;
  const std::string response_topic_;
  MqttOptions mqtt_;
  std::unique_ptr<DoctorLink> link_;
  std::string broker_address_;
  Json pong_, info_;
  std::size_t told_ = 0;  ///< steps
  bool failed_ = false;
};

Doctor::Doctor(const Options& options, Output& output)
    : options_(options),
      output_(output),
      module_(std::get<DoctorCall>(options.call).module),
      id_(new_client_id()),
      response_topic_(response_topic_of(options, id_)),
      mqtt_(broker_access(options, id_)) {
  mqtt_.persistent_session = false;
}

void Doctor::tell(const Step& step) {
  ++told_;
  failed_ = failed_ || step.result == Step::Result::fail;
  output_.line(line_of(step));
  output_.json_line(dumped(document_of(step)));
}

void Doctor::tell(const std::vector<Step>& steps) {
  for (const auto& step : steps) tell(step);
}

bool Doctor::fail(const char* name, const std::string& message, const std::string& hint) {
  tell(Step{Step::Result::fail, name, message, hint});
  return false;
}

/// Steps are told in the order of their names, each once.
void Doctor::skip_the_rest(const std::string& why) {
  while (told_ < step_names().size()) tell(Step{Step::Result::skip, step_names()[told_], why, ""});
}

bool Doctor::find_broker() {
  const auto broker = parse_mqtt_uri(options_.broker);
  if (!broker) return fail("broker_name", broker.error().message, "See --broker");
  const ProbeOptions probe{options_.timeout, mqtt_.ca_file, mqtt_.cert_file, mqtt_.key_file};
  auto seen = probe_connection(broker->host, broker->port, broker->tls, probe);
  broker_address_ = seen.address;
  // A client certificate that the broker does not want shows after the handshake only, and the words are better.
  const bool connected = broker->tls && (!seen.fault || seen.fault->stage == ProbeStage::tls);
  const auto tls =
      connected ? tls_fault(*broker, {mqtt_.ca_file, mqtt_.cert_file, mqtt_.key_file}, options_.timeout) : std::nullopt;
  if (tls) seen.fault = ProbeFault{ProbeStage::tls, *tls};
  tell(broker_steps(seen, broker->name(), broker->tls));
  return !failed_;
}

bool Doctor::log_in() {
  link_ = std::make_unique<DoctorLink>(mqtt_);
  const auto connected = link_->connect(options_.timeout);
  if (!connected) {
    return fail("broker_login", connected.error().message,
                "Are user name, password and certificate those that the broker knows? Its log tells why");
  }
  pass("broker_login", options_.username.empty() ? "without a user name" : "as " + options_.username);
  return true;
}

bool Doctor::have_rights() {
  std::vector<MqttSubscription> filters = {{response_topic_, false},
                                           {options_.root + "/+/status", true},
                                           {options_.base() + "/info", true},
                                           {options_.base() + "/status", true}};
  if (mqtt_.version == 3) filters.push_back({options_.base() + "/rsp/#", false});
  if (module_) filters.push_back({options_.base() + "/module/+/status", true});
  const auto subscribed = link_->subscribe(filters, options_.timeout);
  if (!subscribed) {
    return fail("rights_read", subscribed.error().message,
                "The broker's ACL must let us read " + options_.base() + "/# and " + options_.root + "/client/#");
  }
  pass("rights_read", "the broker takes our subscriptions");
  const auto asked = ask("ping", Json::object(), "ping");
  if (!asked) {
    return fail("rights_write", options_.base() + "/cmd/ping: " + asked.error().message,
                "The broker's ACL must let us write " + options_.base() + "/cmd/#");
  }
  pass("rights_write", "the broker takes commands of ours");
  return true;
}

Result<void> Doctor::ask(const std::string& verb, Json body, const std::string& id) {
  body["transaction"] = id_ + "-" + id;
  MqttPublication command;
  command.topic = options_.base() + "/cmd/" + verb;
  command.payload = dumped(body);
  command.response_topic = response_topic_;
  command.correlation_data = id_ + "-" + id;
  command.message_expiry = std::max(std::chrono::ceil<std::chrono::seconds>(options_.timeout), 1s);
  return link_->publish(std::move(command), options_.timeout);
}

std::optional<Json> Doctor::reply_to(const std::string& id, Limit limit) {
  const auto message = link_->wait_for(
      [&](const MqttMessage& one) {
        return is_reply(options_, response_topic_, one) && answers(options_, one, id_ + "-" + id);
      },
      limit);
  if (!message) return std::nullopt;
  Json reply = parse_json(message->payload);
  return reply.is_object() ? std::optional(std::move(reply)) : std::nullopt;
}

std::optional<bool> Doctor::online() const {
  std::optional<bool> result;
  for (const auto& message : link_->messages()) {
    if (message.topic == options_.base() + "/status" && !message.payload.empty()) result = message.payload == "online";
  }
  return result;
}

Json Doctor::newest(const std::string& topic) const {
  Json result;
  for (const auto& message : link_->messages()) {
    if (message.topic == topic) result = parse_json(message.payload);
  }
  return result;
}

bool Doctor::hear_gateway() {
  const Limit grace = std::min(kGrace, options_.timeout);
  auto reply = reply_to("ping", grace);
  if (!reply && online().value_or(false)) reply = reply_to("ping", options_.timeout - grace);
  if (!reply) {
    tell(silence());
    return false;
  }
  pong_ = *std::move(reply);
  const bool knows_ping = text(pong_, "status") == "ok";
  pass("gateway_reply", knows_ping
                            ? "gateway " + options_.gateway + " hears us, and we hear it"
                            : "gateway " + options_.gateway + " hears us, and we hear it; it is too old to know ping");
  return true;
}

/// Why nothing came.
Step Doctor::silence() {
  Silence seen{options_.gateway, options_.base(), options_.root, response_topic_, online(), {}, std::nullopt};
  for (const auto& message : link_->messages()) {
    const auto gateway = gateway_of(options_.root, message.topic);
    const bool is_status = gateway && message.topic == options_.root + "/" + *gateway + "/status";
    if (!is_status || message.payload.empty() || *gateway == options_.gateway) continue;
    if (std::find(seen.others.begin(), seen.others.end(), *gateway) == seen.others.end()) {
      seen.others.push_back(*gateway);
    }
  }
  if (seen.online.value_or(false)) {
    MqttPublication echo;
    echo.topic = response_topic_;
    echo.payload = kEcho;
    if (link_->publish(std::move(echo), options_.timeout)) {
      seen.echo_came =
          link_
              ->wait_for([&](const MqttMessage& one) { return one.topic == response_topic_ && one.payload == kEcho; },
                         std::min(kGrace, options_.timeout))
              .has_value();
    }
  }
  return silence_step(seen);
}

void Doctor::look_at_gateway() {
  const std::string topic = options_.base() + "/info";
  link_->wait_for([&](const MqttMessage& one) { return one.topic == topic; }, std::min(kGrace, options_.timeout));
  info_ = newest(topic);
  tell(gateway_steps(info_, pong_, std::chrono::system_clock::now()));
}

void Doctor::look_at_files() {
  std::string http = info_.is_object() ? text(info_, "http") : "";
  if (http.empty()) {
    return tell(Step{Step::Result::skip, "file_server", "the gateway does not tell its address", ""});
  }
  while (http.ends_with('/')) http.pop_back();
  if (is_loopback(host_of(http)) && !is_loopback(broker_address_)) {
    return tell(
        Step{Step::Result::skip, "file_server", http + " is not asked: every machine calls itself by that address",
             "No module off the gateway's own host gets there: set http.public_url to an address of its network"});
  }
  tell(file_server_step(http, probe_http(http + "/a/doctor/doctor", {.limit = options_.timeout})));
}

std::string Doctor::known_modules() const {
  std::string names;
  const std::string before = options_.base() + "/module/", behind = "/status";
  for (const auto& message : link_->messages()) {
    if (!message.topic.starts_with(before) || !message.topic.ends_with(behind) || message.payload.empty()) continue;
    const auto name = message.topic.substr(before.size(), message.topic.size() - before.size() - behind.size());
    if ((", " + names + ",").find(", " + name + ",") == std::string::npos) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

void Doctor::look_at_module() {
  if (!module_) return skip_the_rest("no --module is named");
  const auto asked = ask("scan", scan_body(*module_, false, false), "scan");
  const auto reply = asked ? reply_to("scan", std::min(std::max(options_.patience, options_.timeout), kScanLimit))
                           : std::optional<Json>();
  if (!reply) {
    fail("module", asked ? "no answer to the scan of " + *module_ : asked.error().message,
         "See the gateway's log for what it says of the module");
    return;
  }
  const auto parsed = parse_reply(dumped(*reply));
  if (!parsed || !parsed->ok) {
    const std::string why = parsed ? parsed->code + ": " + parsed->message : parsed.error().message;
    const bool unknown = parsed && parsed->code == "unknown_module";
    const std::string names = unknown ? known_modules() : "";
    fail("module", why, unknown ? "There is " + (names.empty() ? "none" : names) : "See dfota explain CODE");
    return;
  }
  const auto modules = scanned_modules(parsed->data);
  const auto found =
      std::find_if(modules.begin(), modules.end(), [&](const auto& one) { return one.module == *module_; });
  if (found == modules.end()) {
    fail("module", "the gateway's answer does not tell of " + *module_, "Is it another version of dfota-gateway?");
    return;
  }
  tell(module_steps(*found));
}
}  // namespace

int doctor(const Options& options, Output& output) {
  return Doctor(options, output).run();
}

}  // namespace dfota::ctl
