#include "gateway/ctl/fleet.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kMaxGateways = 10000;
}  // namespace

std::optional<std::string> gateway_of(const std::string& root, const std::string& topic) {
  if (!topic.starts_with(root + "/")) return std::nullopt;
  const auto from = root.size() + 1;
  const auto slash = topic.find('/', from);
  if (slash == std::string::npos || slash == from) return std::nullopt;
  std::string gateway = topic.substr(from, slash - from);
  if (gateway == "all" || gateway == "client") return std::nullopt;
  return gateway;
}

void Fleet::heard_status(const std::string& gateway, bool online) {
  if (online_.contains(gateway) || online_.size() < kMaxGateways) online_[gateway] = online;
}

/// Its status decides; without one it is not there.
void Fleet::heard_info(const std::string& gateway) {
  if (online_.size() < kMaxGateways) online_.try_emplace(gateway, false);
}

std::optional<bool> Fleet::is_online(const std::string& gateway) const {
  const auto it = online_.find(gateway);
  return it == online_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<std::string> Fleet::those(bool online) const {
  std::vector<std::string> result;
  for (const auto& [gateway, is] : online_) {
    if (is == online) result.push_back(gateway);
  }
  return result;
}

bool Round::answered(const std::string& gateway) {
  if (silent_.contains(gateway) || !answered_.insert(gateway).second) return false;
  awaited_.erase(gateway);
  return true;
}

void Round::silent(const std::string& gateway) {
  if (answered_.contains(gateway)) return;
  silent_.insert(gateway);
  awaited_.erase(gateway);
}

}  // namespace dfota::ctl
