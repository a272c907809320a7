// cmd/scan: modules are asked anew, and what they say is the reply. A lost module is spoken to only with force, and
// whoever stands at a port takes the module's place only with accept. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <variant>
#include <vector>

#include "gateway/answer.hpp"
#include "gateway/jobs.hpp"

namespace dfota {

class ScanCommand {
 public:
  static constexpr auto kLimit = std::chrono::seconds(120);  ///< far beyond what a module takes to be asked
  static constexpr unsigned kMostAtOnce = 64;                ///< more are answered `busy`

  /// All must outlive it.
  ScanCommand(asio::io_context& loop, const Jobs& jobs, const Jobs::Modules& modules)
      : loop_(loop), jobs_(jobs), modules_(modules) {}

  /// {"module": id, "force": bool, "accept": bool}, each optional; the last two want a module. Answered later, when
  /// each was asked or could not be: {"modules": [{"module", "online", "problem", ...}]}.
  std::variant<Answer, CommandFault> run(const nlohmann::json& document);

 private:
  struct Order {
    std::vector<std::string> modules;
    bool force = false, accept = false;
  };

  std::variant<Order, CommandFault> read(const nlohmann::json& document) const;
  Awaitable<nlohmann::json> scan(Order order);

  asio::io_context& loop_;
  const Jobs& jobs_;
  const Jobs::Modules& modules_;
  unsigned running_ = 0;
};

}  // namespace dfota
