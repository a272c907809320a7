// Modules that nobody has written down, and modules whose IMEI decides where they are, with the real programs on
// pseudo-terminals; the same on real USB serial ports is tests/usb.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = Rig::Json;

namespace {

/// A rack of which the configuration says nothing but where to look.
struct Unwritten {
  explicit Unwritten(int modules, std::map<std::string, std::string> more = {}) : rig(options_of(modules)) {
    settings = std::move(more);
    settings["discovery.ports"] = "[\"" + rig.rack.dir().string() + "/m?\"]";
    rig.write_config(settings);
    rig.start_gateway();
  }
  static RigOptions options_of(int modules) {
    auto options = rack_of(modules);
    for (int i = 0; i < modules; ++i) options.module_blocks[i] = "";
    options.start = false;
    return options;
  }
  /// The modules of the gateway, as it lists them.
  Json modules() { return rig.request("list", Json::object())["data"]["modules"]; }
  /// Once so many are online, the id of each by its port.
  std::map<std::string, std::string> wait_for(std::size_t count) {
    rig.wait_until(
        [&](const std::vector<dfota::MqttMessage>& messages) {
          std::set<std::string> online;
          for (const auto& message : messages) {
            if (message.topic.ends_with("/status") && message.payload == "online") online.insert(message.topic);
          }
          return online.size() >= count + 1;  // the gateway is one, too
        },
        std::to_string(count) + " modules online");
    std::map<std::string, std::string> ids;
    for (const auto& module : modules()) ids[module["port"]] = module["module"];
    return ids;
  }
  std::map<std::string, std::string> settings;
  Rig rig;
};

std::string block(const std::string& id, const std::string& imei, const std::string& port) {
  return "[[module]]\nid = \"" + id + "\"\nimei = \"" + imei + "\"\n" +
         (port.empty() ? "" : "port = \"" + port + "\"\n");
}

bool stands_at(const Json& module, const std::string& port) {
  return module["port"] == port && module["problem"].is_null() && !module["version"].is_null();
}

}  // namespace

TEST_CASE("each module that answers becomes one, is called by its IMEI, is updated, and is known after a restart") {
  Unwritten found(3);
  const auto ids = found.wait_for(3);
  REQUIRE(ids.size() == 3);
  for (const auto& module : found.modules()) {
    CHECK(module["module"] == module["imei"]);
    CHECK(module["problem"].is_null());
  }
  found.rig.accept(found.rig.job("j"));
  CHECK(found.rig.finish("j")["counts"]["succeeded"] == 3);
  REQUIRE(found.rig.gateway().terminate() == 0);
  found.rig.start_gateway();
  CHECK(found.modules().size() == 3);
  found.rig.accept(found.rig.job("again"));
  CHECK(found.rig.finish("again")["counts"]["skipped"] == 3);
  found.rig.rack.stop();
  for (int i = 0; i < 3; ++i) CHECK(found.rig.rack.qfotadl(Rig::m(i)) == 1);
}

TEST_CASE("a module may be called by its port") {
  Unwritten found(2, {{"discovery.identify", "\"port\""}});
  const auto ids = found.wait_for(2);
  CHECK(ids.at(found.rig.rack.port(0)) == "m0");
  CHECK(ids.at(found.rig.rack.port(1)) == "m1");
}

TEST_CASE("a module that was found is forgotten only when it is gone") {
  Unwritten found(1);
  const auto id = found.wait_for(1).begin()->second;
  const auto refused = found.rig.request("forget", {{"module", id}});
  CHECK(refused["error"]["code"] == "module_present");
  found.rig.rack.stop();
  found.rig.wait_for_newest(found.rig.topic("module/" + id + "/state"),
                            [](const Json& state) { return state["problem"] == "absent"; });
  CHECK(found.rig.request("forget", {{"module", id}})["status"] == "ok");
  CHECK(found.modules().empty());
  CHECK_THROWS_AS(found.rig.retained(found.rig.topic("module/" + id + "/state")), std::runtime_error);
  REQUIRE(found.rig.gateway().terminate() == 0);
  found.rig.start_gateway();
  CHECK(found.modules().empty());
}

TEST_CASE("modules with an IMEI of their own are found where they are: swapped, or without a port") {
  Rig rig(rack_of(2));
  std::vector<std::string> imeis;
  const auto scanned = rig.request("scan", Json::object());
  for (const auto& row : scanned["data"]["modules"]) imeis.push_back(row["imei"]);
  REQUIRE(rig.gateway().terminate() == 0);
  auto settings = std::map<std::string, std::string>();
  SUBCASE("each is written at the other's port") {
    rig.set_block(0, block("a", imeis[0], rig.rack.port(1)));
    rig.set_block(1, block("b", imeis[1], rig.rack.port(0)));
  }
  SUBCASE("only the IMEI is written, and where modules may be") {
    rig.set_block(0, block("a", imeis[0], ""));
    rig.set_block(1, block("b", imeis[1], ""));
    settings["discovery.ports"] = "[\"" + rig.rack.dir().string() + "/*\"]";
  }
  rig.write_config(settings);
  rig.start_gateway();
  rig.wait_for_newest(rig.topic("module/a/state"), [&](const Json& a) { return stands_at(a, rig.rack.port(0)); });
  rig.wait_for_newest(rig.topic("module/b/state"), [&](const Json& b) { return stands_at(b, rig.rack.port(1)); });
  rig.accept(rig.job("j", {"a"}));
  CHECK(rig.finish("j")["modules"]["a"] == "succeeded");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.qfotadl("m1") == 0);
}
