#include "gateway/scan_command.hpp"

#include "gateway/payloads.hpp"
#include "gateway/text.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

using nlohmann::json;

/// What has been said so far. A module may answer after nobody waits any more.
struct Found {
  explicit Found(asio::io_context& loop) : changed(loop) {}
  Signal changed;
  std::map<std::string, json> rows;
};

}  // namespace

std::variant<ScanCommand::Order, CommandFault> ScanCommand::read(const json& document) const {
  Order order;
  std::string module;
  auto fault = check_command_keys(document, {"module", "force", "accept"});
  if (!fault) fault = take_string(document, "module", "", 64, module);
  if (!fault) fault = take_flag(document, "force", order.force);
  if (!fault) fault = take_flag(document, "accept", order.accept);
  if (fault) return *fault;
  if (document.contains("module")) {
    if (!is_topic_id(module)) return invalid("/module", "must be a module's id");
    const auto found = modules_.find(module);
    if (found == modules_.end()) return jobs_.unknown_module(module, "/module");
    if (order.accept && !found->second->config().imei.empty()) {
      return CommandFault{"module_configured", "the configuration names its IMEI: change it there", "/accept"};
    }
    order.modules.push_back(module);
    return order;
  }
  if (order.force) return invalid("/force", "wants a \"module\": one that is lost");
  if (order.accept) return invalid("/accept", "wants a \"module\": the one whose place was taken");
  for (const auto& [id, one] : modules_) order.modules.push_back(id);
  return order;
}

std::variant<Answer, CommandFault> ScanCommand::run(const json& document) {
  auto read_order = read(document);
  if (auto* fault = std::get_if<CommandFault>(&read_order)) return *fault;
  if (running_ >= kMostAtOnce) {
    return CommandFault{"busy", "as many scans as may be are under way; send the command again", ""};
  }
  Answer answer;
  answer.later = [this, order = std::get<Order>(std::move(read_order))] { return scan(order); };
  return answer;
}

Awaitable<json> ScanCommand::scan(Order order) {
  ++running_;
  const auto found = std::make_shared<Found>(loop_);
  const auto forgotten = [this](const std::string& id) { return !modules_.contains(id); };
  std::erase_if(order.modules, forgotten);
  for (const auto& id : order.modules) {
    auto* module = modules_.at(id).get();
    Scan scan{order.force, order.accept, nullptr};
    scan.done = [found, module, id](const std::string& problem, const std::optional<NetworkState>& network) {
      found->rows[id] = scan_row(*module, problem, network);
      found->changed.notify();
    };
    module->scan(std::move(scan));
  }
  const auto deadline = Clock::now() + kLimit;
  while (found->rows.size() < order.modules.size() && Clock::now() < deadline) {
    co_await found->changed.wait_until(deadline);
  }
  --running_;
  json rows = json::array();
  for (const auto& id : order.modules) {
    const auto row = found->rows.find(id);
    if (row != found->rows.end()) {
      rows.push_back(row->second);
    } else if (!forgotten(id)) {
      rows.push_back(scan_row(*modules_.at(id), "busy", std::nullopt));
    }
  }
  json data = {{"modules", std::move(rows)}};
  co_return ok_reply(std::move(data));
}

}  // namespace dfota
