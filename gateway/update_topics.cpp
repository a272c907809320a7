#include "gateway/update_topics.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>

#include "gateway/text.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::size_t kMostSummary = 255;  // characters that Home Assistant takes

}  // namespace

json update_payload(const UpdateView& view) {
  json out = {{"in_progress", view.in_progress}, {"release_summary", ""}};
  out["update_percentage"] = view.in_progress && view.percent ? json(*view.percent) : json(nullptr);
  if (!view.model.empty()) out["title"] = view.model + " firmware";
  if (view.version.empty()) return out;
  out["installed_version"] = view.version;
  out["latest_version"] = view.newest ? view.newest->version : view.version;
  if (view.newest) out["release_summary"] = first_characters(view.newest->notes, kMostSummary);
  return out;
}

int percent_of_way(std::size_t done, std::size_t hops, int percent_of_hop) {
  const auto all = static_cast<int>(std::max(hops, done + 1));
  return (static_cast<int>(done) * 100 + percent_of_hop) / all;
}

UpdateTopics::UpdateTopics(asio::io_context& loop, Look look, Publish publish)
    : loop_(loop), look_(std::move(look)), publish_(std::move(publish)) {}

void UpdateTopics::changed(const std::string& module) {
  show(module);
}

void UpdateTopics::progress(const std::string& module, int percent) {
  percents_[module] = percent;
  show(module);
}

void UpdateTopics::change_soon(const std::vector<std::string>& modules) {
  for (const auto& module : modules) wait_for(module);
}

void UpdateTopics::forget(const std::string& module) {
  shown_.erase(module);
  percents_.erase(module);
  waiting_.erase(module);
}

void UpdateTopics::wait_for(const std::string& module) {
  waiting_.insert(module);
  if (std::exchange(showing_, true)) return;
  asio::co_spawn(loop_, show_waiting(), rethrow);
}

/// A beginning and an end are told at once, what is between them every so often.
void UpdateTopics::show(const std::string& module) {
  auto view = look_(module);
  if (!view.in_progress) percents_.erase(module);
  if (const auto percent = percents_.find(module); percent != percents_.end()) view.percent = percent->second;
  auto document = update_payload(view);
  auto& shown = shown_[module];
  if (shown.document == document) return;
  const auto now = Clock::now();
  if (view.in_progress && shown.in_progress && now - shown.at < kEvery) return wait_for(module);
  shown = {document, view.in_progress, now};
  publish_(module, document);
}

Awaitable<> UpdateTopics::show_waiting() {
  while (!waiting_.empty()) {
    co_await sleep_for(loop_, kLook);
    std::set<std::string> waiting;
    waiting.swap(waiting_);
    for (const auto& module : waiting) show(module);
  }
  showing_ = false;
}

}  // namespace dfota
