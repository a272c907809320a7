// The whole stack for one integration test: a private broker, a rack, an origin with a delta, a gateway on all of them
// and an observer of everything that is published. A wait that is in vain throws; a test that fails gets the gateway's
// log printed. The test's thread calls everything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "tests/support/origin.hpp"
#include "tests/support/rack.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace dfota::test {

inline const std::string kFrom = "UC20GQBR03A11E1G", kTo = "UC20GQBR03A12E1G";
inline const std::string kRoot = "dfota/v1", kDelta = "/delta.bin";
/// A job of many modules under sanitizers on a loaded machine.
inline constexpr std::chrono::seconds kJobWatchdog{240};

struct RigOptions {
  Rack::Options rack{};
  std::size_t delta_bytes = 65536;
  /// "section.key" and its TOML value: added to, or instead of, what the rig writes. An empty value removes the key.
  std::map<std::string, std::string> settings{};
  /// By number: what stands in the configuration instead of the module's usual [[module]]; empty: nothing.
  std::map<int, std::string> module_blocks{};
  std::string tags{};    ///< of each module of the rack, as TOML
  std::string blocks{};  ///< more of the configuration, behind all else: [[limit]], say
  int absent = 0;        ///< more modules, absent-0, absent-1, ..., whose ports do not exist
  bool start = true;
  bool verbose = false;                ///< the gateway logs the AT dialogues
  bool admin = false;                  ///< the gateway has its page, at Rig::admin_port()
  bool proxy = false;                  ///< the gateway reaches the broker through Rig::proxy
  std::vector<std::string> wrapper{};  ///< what the gateway is started by; it comes before the gateway's own argv
  std::string from = kFrom, to = kTo;
};

/// So many modules, with these faults (as --fault takes them) and settings; all else as it is.
RigOptions rack_of(int modules, std::vector<std::string> faults = {}, std::map<std::string, std::string> settings = {});
/// The same behind Rig::proxy.
RigOptions rack_behind_proxy(int modules);
/// A rack that plays these transcripts (files), as m0, m1 and so on, and nothing else.
RigOptions replay_of(std::vector<std::string> transcripts);

/// Writes a delta of the rack's kind for this model; its sha256.
std::string make_delta(const std::string& file, const std::string& model, const std::string& from,
                       const std::string& to, std::size_t bytes);

class Rig {
 public:
  using Json = nlohmann::json;

  explicit Rig(const RigOptions& options);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // --- the gateway
  [[nodiscard]] std::vector<std::string> gateway_argv() const;
  /// Returns when it has subscribed and said its R/info; or, with `may_die`, when it has ended before that.
  void start_gateway(const Process::Environment& environment = {}, bool may_die = false);
  /// Returns at once.
  void launch_gateway(const Process::Environment& environment = {});
  Process& gateway() { return *gateway_; }
  void write_config(const std::map<std::string, std::string>& settings);
  /// As RigOptions::module_blocks, for the next write_config().
  void set_block(int module, const std::string& block) { options_.module_blocks[module] = block; }
  [[nodiscard]] std::string config_file() const { return dir_ / "gateway.toml"; }
  [[nodiscard]] const TempDir& dir() const { return dir_; }
  [[nodiscard]] std::uint16_t http_port() const { return http_port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }

  // --- topics and commands
  [[nodiscard]] std::string topic(const std::string& rest) const { return kRoot + "/t/" + rest; }
  [[nodiscard]] static std::string m(int module) { return "m" + std::to_string(module); }
  /// An update of these modules (ids, or "all") from RigOptions::from to its `to`, one attempt.
  [[nodiscard]] Json job(const std::string& id, const Json& modules = "all") const;
  /// Publishes the payload with a response topic and correlation data, and returns the reply.
  Json request(const std::string& verb, const Json& body) { return request_text(topic("cmd/" + verb), body.dump()); }
  Json request_text(const std::string& topic, const std::string& payload);
  /// request(), which must be answered ok.
  void accept(const Json& body);

  // --- what was published
  /// The last word on a job.
  Json finish(const std::string& job);
  /// All on this topic so far.
  std::vector<Json> published(const std::string& topic);
  /// The results of a module so far; the first one is waited for.
  std::vector<Json> results(const std::string& module);
  Json result(const std::string& module) { return results(module).front(); }
  std::vector<Json> progress(const std::string& module) { return published(topic("module/" + module + "/progress")); }
  /// The rest of the topic behind `error/` of each error of the module, and the payload.
  std::vector<std::pair<std::string, Json>> errors(const std::string& module);
  void wait_until(const MqttObserver::Predicate& predicate, const std::string& what,
                  std::chrono::milliseconds limit = kWatchdog);
  /// Until the newest message on this topic is as wanted.
  void wait_for_newest(const std::string& topic, const std::function<bool(const Json&)>& wanted);
  /// What a subscriber that comes now is given on this topic.
  [[nodiscard]] std::string retained(const std::string& topic) const;

  Broker broker{{.persistence = false, .extra = {}, .start = true}};
  std::unique_ptr<TcpProxy> proxy;  ///< the observer does not go through it
  Origin origin;
  Rack rack;
  MqttObserver observer;
  std::string sha256;  ///< of the delta

 private:
  RigOptions options_;
  TempDir dir_;
  std::uint16_t http_port_, admin_port_;
  std::unique_ptr<Process> gateway_;
  std::string earlier_logs_;
  int requests_ = 0;
  int failures_before_;
};

}  // namespace dfota::test
