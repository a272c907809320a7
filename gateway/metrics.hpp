// The numbers of /metrics, by prometheus-cpp's core: what the jobs tell (JobWatcher), what is counted once a second on
// the loop (Figures), and how the loop and the journal's thread get on. Every label has a fixed set of values, all of
// them there from the start, so that rate() sees a first error, too; no module, job or version is ever one. Loop
// thread, where nothing else is said. gateway/README.md, "Metrics", has the list.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/figures.hpp"
#include "gateway/job_listeners.hpp"

namespace dfota {

class Metrics : public JobWatcher {
 public:
  static constexpr auto kTurn = std::chrono::seconds(1);
  static constexpr std::size_t kLagWindow = 60;  ///< turns: the largest lag of a minute is told by itself
  static constexpr auto kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Metrics();
  ~Metrics() override;

  /// The whole exposition, in Prometheus' text format. Any thread.
  [[nodiscard]] std::string text() const;
  /// When the loop last came round, by watch(); at first: when this was made. Any thread.
  [[nodiscard]] Clock::time_point loop_turned_at() const { return Clock::time_point(Clock::duration(turned_at_)); }
  /// Event streams of the admin listener that are open now. Any thread.
  void set_admin_streams(std::size_t open);
  /// For Journal::on_commit. Any thread.
  void journal_wrote(std::chrono::nanoseconds took, bool written);

  /// For ever: once a second, how late the loop is, and what there is to count.
  Awaitable<> watch(asio::io_context& loop, std::function<Figures()> look);
  void loop_turned(Clock::duration late);
  void show(const Figures& figures);

  // JobWatcher
  void update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                       const DownloadRate::Reading& reading) override;
  void update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                    std::optional<WallTime> next_attempt_at) override;
  void part_ended(const Job& job, const Part& part) override;
  void job_ended(const Job& job) override;

 private:
  /// What is seen of an update by its phases.
  struct Seen {
    bool prepares = false;  ///< its next command was not seen yet
    std::optional<Clock::time_point> downloads_since;
  };
  struct Series;

  std::unique_ptr<Series> series_;
  std::map<std::string, Seen> seen_;  ///< by module, while it is updated
  Figures shown_;                     ///< for what is told as a total, and counted here by its growth
  std::array<double, kLagWindow> lags_{};
  std::size_t next_lag_ = 0;
  std::atomic<Clock::rep> turned_at_;
};

}  // namespace dfota
