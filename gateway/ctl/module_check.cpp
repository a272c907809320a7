#include "gateway/ctl/module_check.hpp"

#include <utility>

#include "gateway/ctl/tables.hpp"
#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {

class Ping : public Call {
 public:
  Ping(const Options& options, Connection& connection, Output& output)
      : options_(options), connection_(connection), output_(output) {}

  void begin() override {
    const auto asked_at = Clock::now();
    Connection::Question question{"ping", Json::object(), nullptr};
    question.answer = [this, asked_at](const std::string& gateway, const Json& data) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked_at).count();
      output_.line(gateway + ": " + ping_line(data) + ", answered in " + std::to_string(ms) + " ms");
    };
    question.done = [this] { connection_.end(kExitWell); };
    connection_.ask(std::move(question));
  }

 private:
  const Options& options_;
  Connection& connection_;
  Output& output_;
};

class Scan : public Call {
 public:
  Scan(const Options& options, Connection& connection, Output& output)
      : options_(options), call_(std::get<ScanCall>(options.call)), connection_(connection), output_(output) {}

  /// Of a fleet: a gateway without that module is silent, so it must be known which one has it.
  [[nodiscard]] std::vector<MqttSubscription> subscriptions() const override {
    if (!options_.is_fleet() || !call_.module) return {};
    return {{options_.heard_base() + "/module/" + *call_.module + "/status", true}};
  }

  void heard(const MqttMessage& message) override {
    const auto gateway = gateway_of(options_.root, message.topic);
    if (!gateway || !message.topic.ends_with("/status") || message.payload.empty()) return;
    if (message.topic.find("/module/", options_.root.size()) != std::string::npos) owners_.insert(*gateway);
  }

  void begin() override {
    Connection::Question question{"scan", scan_body(call_.module, call_.force, call_.accept), nullptr};
    question.answer = [this](const std::string& gateway, const Json& data) { take(gateway, data); };
    question.done = [this] { finish(); };
    question.told = false;
    question.patient = true;
    if (options_.is_fleet() && call_.module) {
      question.of.assign(owners_.begin(), owners_.end());
      if (owners_.empty()) {
        output_.complain("no gateway has a module " + *call_.module);
        return connection_.end(kExitNotWell);
      }
    }
    connection_.ask(std::move(question));
  }

 private:
  void take(const std::string& gateway, const Json& data) {
    for (auto& module : scanned_modules(data)) {
      Json document = std::exchange(module.document, nullptr);
      if (options_.is_fleet()) document["gateway"] = gateway;
      output_.json_line(dumped(document));
      module.module = options_.prefix(gateway) + module.module;
      modules_.push_back(std::move(module));
    }
  }

  void finish() {
    output_.show({scan_table(modules_), {}});
    for (const auto& module : modules_) {
      if (module.network && !module.network->hint.empty()) {
        output_.line(module.module + ": " + module.network->code + ": " + module.network->hint);
      }
    }
    connection_.end(output_.broken() ? kExitNotWell : kExitWell);
  }

  const Options& options_;
  const ScanCall& call_;
  Connection& connection_;
  Output& output_;
  std::set<std::string> owners_;
  std::vector<ScannedModule> modules_;
};

std::string what_is_wrong(const ScannedModule& module) {
  std::string wrong = module.problem;
  if (module.network) {
    wrong += (wrong.empty() ? "" : "; ") + module.network->code;
    if (!module.network->message.empty()) wrong += ": " + module.network->message;
  }
  return wrong;
}

std::optional<bool> truth(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() ? std::optional(it->get<bool>()) : std::nullopt;
}

ScannedModule scanned(const Json& from) {
  ScannedModule to;
  to.module = text(from, "module");
  to.online = truth(from, "online").value_or(false);
  to.problem = text(from, "problem");
  to.model = text(from, "model");
  to.version = text(from, "version");
  to.imei = text(from, "imei");
  to.sim = text(from, "sim");
  to.registered = truth(from, "registered");
  to.signal_dbm = integer(from, "signal_dbm");
  const auto network = from.find("network");
  if (network != from.end() && network->is_object()) {
    to.network = ScannedModule::Finding{text(*network, "code"), text(*network, "message"), text(*network, "hint")};
  }
  to.document = from;
  return to;
}
}  // namespace

std::vector<ScannedModule> scanned_modules(const Json& data) {
  std::vector<ScannedModule> modules;
  const auto found = data.find("modules");
  if (found == data.end() || !found->is_array()) return modules;
  for (const auto& one : *found) {
    if (modules.size() == kMaxList) break;
    if (!one.is_object()) continue;
    auto module = scanned(one);
    if (!module.module.empty()) modules.push_back(std::move(module));
  }
  return modules;
}

std::string ping_line(const Json& data) {
  const auto part = [&](const char* key) {
    const auto it = data.find(key);
    return it != data.end() && it->is_object() ? *it : Json::object();
  };
  const Json modules = part("modules"), mqtt = part("mqtt");
  const std::string version = text(data, "version"), http = text(data, "http");
  std::string line = "dfota-gateway " + (version.empty() ? "?" : version);
  if (const auto uptime = number(data, "uptime_s")) line += ", up " + time_text(uptime);
  if (!modules.empty())
    line += ", modules " + text(modules, "online") + " of " + text(modules, "configured") + " online";
  if (!http.empty()) line += ", " + http;
  if (!mqtt.empty()) line += ", MQTT " + text(mqtt, "version") + " at QoS " + text(mqtt, "qos");
  return line;
}

std::vector<std::string> scan_table(const std::vector<ScannedModule>& modules) {
  std::vector<std::vector<std::string>> rows = {
      {"module", "status", "model", "version", "IMEI", "SIM", "registered", "signal", "what is wrong"}};
  for (const auto& module : modules) {
    const std::string registered = !module.registered ? "" : *module.registered ? "yes" : "no";
    const std::string signal = module.signal_dbm ? std::to_string(*module.signal_dbm) + " dBm" : "";
    rows.push_back({module.module, module.online ? "online" : "offline", module.model, module.version, module.imei,
                    module.sim, registered, signal, what_is_wrong(module)});
  }
  return table_of(rows);
}

std::unique_ptr<Call> make_module_check(const Options& options, Connection& connection, Output& output) {
  if (std::holds_alternative<PingCall>(options.call)) return std::make_unique<Ping>(options, connection, output);
  if (std::holds_alternative<ScanCall>(options.call)) return std::make_unique<Scan>(options, connection, output);
  return nullptr;
}

}  // namespace dfota::ctl
