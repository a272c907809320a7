// A run of `dfota doctor --json`, and what it said of each step.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace dfota::test {

class DoctorRun {
 public:
  /// `argv` is that of dfota; --json is added.
  explicit DoctorRun(std::vector<std::string> argv, const Process::Environment& environment = {}) {
    argv.emplace_back("--json");
    Process process(argv, environment);
    code = process.wait().value_or(-1);
    err = process.err();
    std::istringstream lines(process.out());
    for (std::string line; std::getline(lines, line);) {
      const auto step = nlohmann::json::parse(line);
      steps.push_back(step.at("step").get<std::string>());
      said[steps.back()] = step;
    }
  }

  [[nodiscard]] std::string result(const std::string& step) const { return word(step, "result"); }
  [[nodiscard]] std::string message(const std::string& step) const { return word(step, "message"); }
  [[nodiscard]] std::string hint(const std::string& step) const { return word(step, "hint"); }
  /// The names of the steps that failed.
  [[nodiscard]] std::set<std::string> failed() const {
    std::set<std::string> names;
    for (const auto& [name, step] : said) {
      if (step.at("result") == "fail") names.insert(name);
    }
    return names;
  }

  int code = -1;
  std::string err;
  std::vector<std::string> steps;  ///< in their order

 private:
  [[nodiscard]] std::string word(const std::string& step, const char* key) const {
    const auto it = said.find(step);
    if (it == said.end()) return "(not told)";
    return it->second.at(key).is_string() ? it->second.at(key).get<std::string>() : "";
  }

  std::map<std::string, nlohmann::json> said;
};

}  // namespace dfota::test
