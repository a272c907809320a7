#include "gateway/ctl/tables.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
using Cells = std::vector<std::string>;

constexpr std::size_t kWidest = 160;  // no id, version or row of counts is as long
constexpr const char* kGap = "  ";

std::string cell(const std::string& text) {
  return text.empty() ? "-" : cut(printable(text), kWidest);
}

/// The last column is not filled: no line ends in spaces.
std::vector<std::string> table(const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) line += fitted(row[i], widths[i]) + kGap;
    lines.push_back(line + row.back());
  }
  return lines;
}
}  // namespace

std::vector<std::string> jobs_table(const std::vector<JobRow>& jobs) {
  std::vector<Cells> rows = {{"job", "run", "state", "modules", "from -> to"}};
  for (const auto& job : jobs) {
    rows.push_back({cell(job.job), std::to_string(job.run), cell(job.state), cell(counts_text(job.counts)),
                    cell(job.from) + " -> " + cell(job.to)});
  }
  return table(rows);
}

std::vector<std::string> modules_table(const std::vector<ModuleRow>& modules) {
  std::vector<Cells> rows = {{"module", "status", "phase", "version", "job", "last result", "problem"}};
  for (const auto& module : modules) {
    rows.push_back({cell(module.module), cell(module.status), cell(module.phase), cell(module.version),
                    cell(module.job), cell(module.last_result), cell(module.problem)});
  }
  return table(rows);
}

std::vector<std::string> plan_table(const std::vector<PlannedModule>& modules) {
  std::vector<Cells> rows = {{"module", "version", "target", "bytes", "expected", "what would be done"}};
  for (const auto& module : modules) {
    std::string what = module.reason;
    for (const auto& hop : module.way) what += (what.empty() ? "" : ", ") + hop;
    const bool known = module.reason.empty() && module.expected_duration_s;
    rows.push_back({cell(module.module), cell(module.version), cell(module.target), std::to_string(module.bytes),
                    known ? std::to_string(std::llround(*module.expected_duration_s)) + " s" : "-",
                    what.empty() ? "nothing, it is there already" : cell(what)});
  }
  return table(rows);
}

std::vector<std::string> table_of(const std::vector<std::vector<std::string>>& rows) {
  auto cells = rows;
  for (auto& row : cells) {
    for (auto& one : row) one = cell(one);
  }
  return table(cells);
}

}  // namespace dfota::ctl
