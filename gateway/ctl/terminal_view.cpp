#include "gateway/ctl/terminal_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kNarrow = 60;
constexpr std::size_t kPhaseWidth = 11;  // "downloading"
constexpr std::size_t kPercentWidth = 5;
constexpr std::size_t kRateWidth = 10;
constexpr std::size_t kTimeWidth = 8;
constexpr std::size_t kLongestId = 24, kShortestId = 8;
constexpr std::size_t kLongestBar = 40;

bool is_active(const ModuleView& module) {
  const std::string& phase = module.progress.phase;
  return module.outcome.empty() && !phase.empty() && phase != "queued" && phase != "idle";
}

std::string percent_text(std::optional<double> percent) {
  char text[16];
  if (!percent) return "";
  std::snprintf(text, sizeof text, "%.0f %%", std::fmin(std::floor(*percent), 100));
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  const std::string short_enough = cut(text, width);
  return std::string(width - columns(short_enough), ' ') + short_enough;
}

std::string bar(std::optional<double> percent, std::size_t width) {
  if (!percent) return "[" + std::string(width, '.') + "]";
  const auto full = static_cast<std::size_t>(std::fmin(*percent, 100) / 100 * static_cast<double>(width));
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

std::string wide_line(const ModuleView& module, std::size_t width, std::size_t id_width) {
  const Progress& progress = module.progress;
  std::string line =
      fitted(printable(module.id), id_width) + "  " + fitted(printable(progress.phase), kPhaseWidth) + "  ";
  const std::string tail = " " + right(percent_text(progress.percent), kPercentWidth) + " " +
                           right(rate_text(progress.bytes_per_second), kRateWidth) + " " +
                           right(time_text(progress.eta_s), kTimeWidth);
  const std::size_t used = columns(line) + columns(tail) + 2;
  const std::size_t room = width > used ? std::min(width - used, kLongestBar) : 0;
  return cut(line + (room >= 4 ? bar(progress.percent, room) : "") + tail, width);
}

std::string narrow_line(const ModuleView& module, std::size_t width) {
  const Progress& progress = module.progress;
  const std::string percent = progress.percent ? " " + percent_text(progress.percent) : "";
  const std::string phase = " " + cut(printable(progress.phase), kPhaseWidth);
  const std::size_t fixed = columns(percent) + columns(phase);
  const std::size_t room = width > fixed ? width - fixed : 0;
  return cut(cut(printable(module.id), room) + phase + percent, width);
}

std::string summary(const JobView& job) {
  std::size_t done = 0, bad = 0;
  for (const auto& module : job.modules) {
    done += module.outcome.empty() ? 0 : 1;
    bad += !module.outcome.empty() && !is_well(module.outcome) ? 1 : 0;
  }
  std::size_t all = 0;
  for (const auto& [name, count] : job.counts) {
    if (name != "total" && count > 0) all += static_cast<std::size_t>(count);
  }
  all = std::max(all, job.modules.size());
  std::string line = "job " + printable(job.id) + " " + (job.state.empty() ? "?" : printable(job.state)) + ": " +
                     std::to_string(done) + " of " + std::to_string(all) + " done";
  if (bad > 0) line += ", " + std::to_string(bad) + " not well";
  return line;
}
}  // namespace

std::vector<std::string> draw(const WatchModel& model, Screen screen) {
  const std::size_t width = std::max<std::size_t>(screen.width, 2) - 1;
  const std::size_t rows = std::max<std::size_t>(screen.height, 2) - 1;

  std::vector<const ModuleView*> active;
  std::vector<std::string> summaries;
  for (const auto& [id, job] : model.jobs()) {
    for (const auto& module : job.modules) {
      if (is_active(module)) active.push_back(&module);
    }
    if (!is_final(job.state)) summaries.push_back(cut(summary(job), width));
  }
  const std::size_t summary_rows = std::min(summaries.size(), std::max<std::size_t>(rows / 2, 1));
  std::size_t bar_rows = rows - summary_rows;
  std::size_t hidden = 0;
  if (active.size() > bar_rows) {
    bar_rows = bar_rows > 0 ? bar_rows - 1 : 0;
    hidden = active.size() - bar_rows;
    std::stable_sort(active.begin(), active.end(), [](const ModuleView* a, const ModuleView* b) {
      return a->progress.overall_percent.value_or(0) > b->progress.overall_percent.value_or(0);
    });
    active.resize(bar_rows);
  }

  std::size_t id_width = kShortestId;
  for (const auto* module : active) id_width = std::max(id_width, std::min(columns(printable(module->id)), kLongestId));
  std::vector<std::string> lines;
  for (const auto* module : active) {
    lines.push_back(screen.width < kNarrow ? narrow_line(*module, width) : wide_line(*module, width, id_width));
  }
  if (hidden > 0 && lines.size() + summary_rows < rows) {
    lines.push_back(cut("... and " + std::to_string(hidden) + " more", width));
  }
  lines.insert(lines.end(), summaries.begin(), summaries.begin() + static_cast<std::ptrdiff_t>(summary_rows));
  return lines;
}

}  // namespace dfota::ctl
