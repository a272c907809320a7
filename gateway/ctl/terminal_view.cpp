#include "gateway/ctl/terminal_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kNarrow = 60;
constexpr std::size_t kPhaseWidth = 11;  // "downloading"
constexpr std::size_t kPercentWidth = 5;
constexpr std::size_t kRateWidth = 10;
constexpr std::size_t kTimeWidth = 8;
constexpr std::size_t kLongestName = 24, kShortestName = 8;
constexpr std::size_t kLeastPhase = 4;  // "dow~"
constexpr std::size_t kLongestBar = 40, kLeastBar = 4;

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

/// Names differ at their ends: gateway/module-17.
std::string name_cell(const ModuleView& module, std::size_t width) {
  return fitted(cut_front(printable(module.name), width), width);
}

std::string bar(std::optional<double> percent, std::size_t width) {
  if (!percent) return "[" + std::string(width, '.') + "]";
  const auto full = static_cast<std::size_t>(std::fmin(*percent, 100) / 100 * static_cast<double>(width));
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

std::string wide_line(const ModuleView& module, std::size_t width, std::size_t name_width) {
  const Progress& progress = module.progress;
  std::string line = name_cell(module, name_width) + "  " + fitted(printable(progress.phase), kPhaseWidth) + "  ";
  const std::string tail = " " + right(percent_text(progress.percent), kPercentWidth) + " " +
                           right(rate_text(progress.bytes_per_second), kRateWidth) + " " +
                           right(time_text(progress.eta_s), kTimeWidth);
  const std::size_t used = columns(line) + columns(tail) + 2;
  const std::size_t room = width > used ? std::min(width - used, kLongestBar) : 0;
  return cut(line + (room >= kLeastBar ? bar(progress.percent, room) : "") + tail, width);
}

std::string narrow_line(const ModuleView& module, std::size_t width, std::size_t name_width) {
  const Progress& progress = module.progress;
  const std::string percent = " " + right(percent_text(progress.percent), kPercentWidth);
  const std::size_t least = columns(percent) + 1 + kLeastPhase;
  const std::size_t name = std::min(name_width, width > least ? width - least : 0);
  std::size_t room = width > name + columns(percent) + 1 ? width - name - columns(percent) - 1 : 0;
  const std::size_t phase = std::min(kPhaseWidth, room);
  room -= phase;
  std::string line = name_cell(module, name) + " " + fitted(printable(progress.phase), phase);
  if (room >= kLeastBar + 3) line += " " + bar(progress.percent, std::min(room - 3, kLongestBar));
  return cut(line + percent, width);
}

std::size_t total_of(const JobView& job) {
  std::size_t all = 0;
  for (const auto& [name, count] : job.counts) {
    if (name != "total" && count > 0) all += static_cast<std::size_t>(count);
  }
  return std::max(all, job.modules.size());
}

/// Where there is no room for all of it, the job's name gives way first.
std::string summary(const JobView& job, std::size_t width) {
  std::size_t done = 0, bad = 0;
  for (const auto& module : job.modules) {
    done += module.outcome.empty() ? 0 : 1;
    bad += !module.outcome.empty() && !is_well(module.outcome) ? 1 : 0;
  }
  std::string tail = " " + (job.state.empty() ? "?" : printable(job.state)) + ": " + std::to_string(done) + " of " +
                     std::to_string(total_of(job)) + " done";
  if (bad > 0) tail += ", " + std::to_string(bad) + " not well";
  const std::size_t used = columns("job " + tail);
  const std::size_t room = std::max(width > used ? width - used : 0, kShortestName);
  return cut("job " + cut_front(printable(job.name), room) + tail, width);
}

/// How many modules are in which state. The job's own numbers come once a second, the modules' words at once; a module
/// that has not said anything yet is known by number only.
struct Tally {
  std::size_t active = 0, running = 0, queued = 0;
  std::map<std::string, std::size_t> ended;

  void add(const JobView& job) {
    const auto told = [&](const char* state) {
      const auto it = job.counts.find(state);
      return it != job.counts.end() && it->second > 0 ? static_cast<std::size_t>(it->second) : 0;
    };
    std::map<std::string, std::size_t> outcomes;
    std::size_t active_here = 0;
    for (const auto& module : job.modules) {
      if (!module.outcome.empty()) ++outcomes[module.outcome];
      active_here += is_active(module) ? 1 : 0;
    }
    for (const char* word : {"succeeded", "skipped", "rejected", "failed", "canceled", "lost"}) {
      if (const auto count = std::max(told(word), outcomes[word]); count > 0) outcomes[word] = count;
    }
    std::size_t done = 0;
    for (const auto& [outcome, count] : outcomes) {
      done += count;
      if (count > 0) ended[outcome] += count;
    }
    const std::size_t open = std::max(total_of(job), done) - done;
    const std::size_t running_here = std::min(std::max(told("running"), active_here), open);
    active += active_here;
    running += running_here;
    queued += open - running_here;
  }

  /// Of those that have no line of their own; empty when all have.
  [[nodiscard]] std::string without(std::size_t shown) const {
    std::map<std::string, std::int64_t> rest;
    const std::size_t hidden = std::max(active, running) - std::min(shown, std::max(active, running));
    std::string text = hidden > 0 ? std::to_string(hidden) + " running" : "";
    if (queued > 0) text += (text.empty() ? "" : ", ") + std::to_string(queued) + " queued";
    for (const auto& [outcome, count] : ended) rest[outcome] = static_cast<std::int64_t>(count);
    const std::string outcomes = counts_text(rest);
    if (!outcomes.empty()) text += (text.empty() ? "" : ", ") + outcomes;
    return text.empty() ? "" : "+ " + text;
  }
};

/// At most `most`: those that are furthest, in the order in which they came, so that no line jumps about.
std::vector<const ModuleView*> chosen(const std::vector<const ModuleView*>& active, std::size_t most) {
  if (active.size() <= most) return active;
  auto furthest = active;
  std::stable_sort(furthest.begin(), furthest.end(), [](const ModuleView* a, const ModuleView* b) {
    return a->progress.overall_percent.value_or(0) > b->progress.overall_percent.value_or(0);
  });
  furthest.resize(most);
  const std::set<const ModuleView*> kept(furthest.begin(), furthest.end());
  std::vector<const ModuleView*> result;
  std::copy_if(active.begin(), active.end(), std::back_inserter(result),
               [&](const ModuleView* module) { return kept.contains(module); });
  return result;
}
}  // namespace

std::vector<std::string> draw(const Models& models, Screen screen) {
  const std::size_t width = std::max<std::size_t>(screen.width, 2) - 1;
  const std::size_t rows = std::max<std::size_t>(screen.height, 2) - 1;

  std::vector<const ModuleView*> active;
  std::vector<std::string> summaries;
  Tally tally;
  for (const auto* model : models) {
    for (const auto& [id, job] : model->jobs()) {
      if (is_final(job.state)) continue;
      for (const auto& module : job.modules) {
        if (is_active(module)) active.push_back(&module);
      }
      tally.add(job);
      summaries.push_back(summary(job, width));
    }
  }
  const std::size_t summary_rows = std::min(summaries.size(), std::max<std::size_t>(rows / 2, 1));
  std::size_t bar_rows = rows - summary_rows;
  const bool rest = active.size() > bar_rows || !tally.without(active.size()).empty();
  if (rest && bar_rows > 0) --bar_rows;
  active = chosen(active, bar_rows);

  std::size_t name_width = kShortestName;
  for (const auto* module : active) {
    name_width = std::max(name_width, std::min(columns(printable(module->name)), kLongestName));
  }
  std::vector<std::string> lines;
  for (const auto* module : active) {
    lines.push_back(screen.width < kNarrow ? narrow_line(*module, width, name_width)
                                           : wide_line(*module, width, name_width));
  }
  if (rest && lines.size() + summary_rows < rows) lines.push_back(cut(tally.without(active.size()), width));
  lines.insert(lines.end(), summaries.begin(), summaries.begin() + static_cast<std::ptrdiff_t>(summary_rows));
  return lines;
}

}  // namespace dfota::ctl
