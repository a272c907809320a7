// cmd/rehearse: an idle module fetches a small file from this gateway's file server over its PDP context. That proves
// APN, route and address, and foretells how long a delta will take, with nothing at stake: AT+QFOTADL is not sent. The
// time is the file server's, from the module's request to its last acknowledgement. It takes no place of [limits]: what
// it measures is the network as it is, beside the downloads that run. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <variant>

#include "gateway/answer.hpp"
#include "gateway/jobs.hpp"

namespace dfota {

class RehearseCommand {
 public:
  static constexpr auto kName = "rehearsal.txt";                 ///< under gateway.state_dir, and in the address
  static constexpr std::uint64_t kLines = 512, kLineBytes = 64;  ///< 32 KiB, of lines that are no AT
  static constexpr std::uint64_t kMostBytes = 4294967296;        ///< `size`
  static constexpr auto kLimit = std::chrono::minutes(12);       ///< beyond the sum of what the module is given
  static constexpr unsigned kMostAtOnce = 8;                     ///< more are answered `busy`

  /// All must outlive it.
  RehearseCommand(asio::io_context& loop, const Config& config, const Jobs& jobs, const Jobs::Modules& modules,
                  FileServer& files);

  /// {"module": id, "size": bytes}, the size being the one whose time is wanted; optional. Answered later, when the
  /// module was through or could not be asked: {"module", "reached", "bytes", "duration_s", ..., "error", "eta_s"}.
  std::variant<Answer, CommandFault> run(const nlohmann::json& document);

 private:
  struct Order {
    std::string module;
    std::uint64_t size = 0;
  };
  struct Course;

  [[nodiscard]] std::variant<Order, CommandFault> read(const nlohmann::json& document) const;
  Awaitable<nlohmann::json> rehearse(Order order);
  std::shared_ptr<Course> begin(const std::string& module, const std::string& token);
  [[nodiscard]] nlohmann::json data_of(const Order& order, const Course& course, const Transfer& transfer) const;
  [[nodiscard]] Result<void> make_file() const;

  asio::io_context& loop_;
  const Jobs& jobs_;
  const Jobs::Modules& modules_;
  FileServer& files_;
  const std::filesystem::path file_;
  const std::string public_url_;
  unsigned running_ = 0;
};

}  // namespace dfota
