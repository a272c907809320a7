// The commands artifact_add, artifact_list and artifact_remove: a JSON document to a reply. artifact_add fetches for
// minutes, so its message is acknowledged before, and other commands go on meanwhile. Loop thread only.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "gateway/answer.hpp"
#include "gateway/catalog.hpp"

namespace dfota {

class ArtifactCommands {
 public:
  static constexpr std::size_t kMostAtOnce = 256;  ///< of artifact_add; more are refused as busy

  /// What could not be added is told there, too: R/error/gateway/<code>.
  using ReportFault = std::function<void(const std::string& code, const std::string& message)>;

  /// All must outlive it.
  ArtifactCommands(const ArtifactsConfig& config, Catalog& catalog, Fetch& fetch, ReportFault report_fault);

  static bool knows(const std::string& verb);
  Awaitable<Result<Answer>> run(std::string verb, nlohmann::json document, bool to_all);

 private:
  using Reply = std::variant<nlohmann::json, CommandFault>;  ///< its data

  Answer add(nlohmann::json document);
  Awaitable<nlohmann::json> added(nlohmann::json document);
  Awaitable<Reply> list(nlohmann::json document);
  Awaitable<Reply> remove(nlohmann::json document);
  [[nodiscard]] nlohmann::json refused(const CommandFault& fault, const std::string& name) const;

  const ArtifactsConfig& config_;
  Catalog& catalog_;
  Fetch& fetch_;
  ReportFault report_fault_;
  std::size_t adding_ = 0;
};

}  // namespace dfota
