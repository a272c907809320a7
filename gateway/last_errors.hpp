// The newest error of each module, as its state tells it: what was published on its error topics, shortened. Kept in
// the journal as one fact a module, so that it is still known after a restart. A value; loop thread.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace dfota {

class LastErrors {
 public:
  LastErrors() = default;
  /// Of the journal; what cannot be read is none.
  explicit LastErrors(const std::map<std::string, std::string>& facts);

  /// `error` as it is published; the document for the journal comes back.
  std::string note(const std::string& module, const nlohmann::json& error);
  /// Whether there was one.
  bool forget(const std::string& module) { return errors_.erase(module) > 0; }
  /// {ts, job, code, class, name, meaning, hint, phase}, or null.
  [[nodiscard]] nlohmann::json of(const std::string& module) const;

  /// The journal's name of it.
  static std::string fact_of(const std::string& module) { return kFact + module; }

 private:
  static constexpr auto kFact = "last_error/";
  std::map<std::string, nlohmann::json> errors_;  ///< by module
};

}  // namespace dfota
