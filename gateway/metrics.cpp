#include "gateway/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/api_codes.hpp"
#include "modem/fota_code_tables.hpp"

namespace dfota {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

const Buckets kUpdate = {10, 30, 60, 120, 180, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200};
const Buckets kCommit = {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};
const Buckets kLag = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
constexpr auto kOther = "other";  // of a label: what no table of ours knows

double to_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

/// The modules' numbers that a table of ours has.
std::set<int> known_numbers() {
  std::set<int> numbers;
  for (const auto& table : {ftp_codes(), http_codes(), file_codes(), command_codes()}) {
    for (const auto& code : table) numbers.insert(code.number);
  }
  for (const auto& report : field_reports()) numbers.insert(report.number);
  for (const auto& profile : builtin_profiles().all()) {
    for (const auto& code : profile.end_codes) numbers.insert(code.first);
  }
  return numbers;
}

/// Brings a counter up to a total that is kept elsewhere.
void raise(Counter& counter, std::uint64_t before, std::uint64_t now) {
  if (now > before) counter.Increment(static_cast<double>(now - before));
}

void set(Gauge& gauge, std::size_t value) {
  gauge.Set(static_cast<double>(value));
}

/// The registry, which owns what is made of it; made first.
struct Maker {
  prometheus::Registry registry;

  Family<Counter>& counters(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name("dfota_" + name).Help(help).Register(registry);
  }
  Family<Gauge>& gauges(const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name("dfota_" + name).Help(help).Register(registry);
  }
  Family<Histogram>& histograms(const std::string& name, const std::string& help) {
    return prometheus::BuildHistogram().Name("dfota_" + name).Help(help).Register(registry);
  }
  Counter& counter(const std::string& name, const std::string& help) { return counters(name, help).Add({}); }
  Gauge& gauge(const std::string& name, const std::string& help) { return gauges(name, help).Add({}); }
  Histogram& histogram(const std::string& name, const std::string& help, const Buckets& buckets) {
    return histograms(name, help).Add({}, buckets);
  }
};

/// A metric for each value of an enumeration, by its word.
template <class Enum, std::size_t count, class T, class... Arguments>
std::array<T*, count> each(Family<T>& family, const std::string& label, const Arguments&... arguments) {
  std::array<T*, count> made{};
  for (std::size_t i = 0; i < count; ++i) {
    made[i] = &family.Add({{label, std::string(to_word(static_cast<Enum>(i)))}}, arguments...);
  }
  return made;
}

/// A metric for each fault of the gateway that the API names, and one for all others.
template <class T>
std::map<std::string, T*> each_fault(Family<T>& family) {
  std::map<std::string, T*> made = {{kOther, &family.Add({{"code", kOther}})}};
  for (const auto& fault : fault_codes()) {
    const std::string code(fault.word);
    made[code] = &family.Add({{"code", code}});
  }
  return made;
}

template <class T>
T& at_or_other(const std::map<std::string, T*>& metrics, const std::string& key) {
  const auto found = metrics.find(key);
  return *(found == metrics.end() ? metrics.at(kOther) : found->second);
}

}  // namespace

/// What there is, in the order of the README's table.
struct Metrics::Series : Maker {
  static constexpr auto kOutcomes = std::tuple_size_v<decltype(Tally::outcomes)>;

  Gauge& build = gauges("build_info", "Always 1; what runs.").Add({{"version", DFOTA_VERSION}});
  Gauge& start = gauge("start_time_seconds", "When the gateway started, in Unix time.");
  std::array<Gauge*, Figures::kPhases> modules =
      each<Phase, Figures::kPhases>(gauges("modules", "Modules by phase."), "phase");
  Gauge& online = gauge("modules_online", "Modules that answer, or are being updated.");
  Gauge& lost = gauge("modules_lost", "Modules that went silent in an update: a person must look.");
  std::array<Gauge*, Figures::kJobStates> jobs =
      each<JobState, Figures::kJobStates>(gauges("jobs", "Jobs that are kept, by state."), "state");
  Family<Counter>& ended = counters("jobs_ended_total", "Jobs that ended, by their last state.");
  std::map<JobState, Counter*> jobs_ended;
  Gauge& held = gauge("held", "1 while no module is commanded (R/hold).");
  Counter& attempts = counter("attempts_total", "AT+QFOTADL commands that were sent.");
  std::array<Counter*, kOutcomes> outcomes = each<Outcome, kOutcomes>(
      counters("update_outcomes_total", "Outcomes, one for each module of each job's run."), "outcome");
  Family<Counter>& errors = counters("update_errors_total", "Errors of updates, by class and code of their topic.");
  std::map<std::string, std::map<std::string, Counter*>> codes;
  std::array<Histogram*, kOutcomes> durations =
      each<Outcome, kOutcomes>(histograms("update_duration_seconds",
                                          "From the beginning of a module's update to its outcome, of those in which "
                                          "a command was sent."),
                               "outcome", kUpdate);
  Histogram& downloads = histogram("download_duration_seconds",
                                   "From the command to the end of the download, of those that ended well.", kUpdate);
  Counter& http_bytes = counter("http_bytes_total", "Bytes of files that TCP has delivered to modules.");
  Family<Counter>& requests =
      counters("http_requests_total", "Requests to the file server, by whether it served them.");
  Counter& served = requests.Add({{"result", "served"}});
  Counter& refused = requests.Add({{"result", "refused"}});
  Gauge& connections = gauge("http_connections", "Connections that a file is being sent over.");
  Gauge& mqtt_connected = gauge("mqtt_connected", "1 while there is a connection to the broker.");
  Counter& mqtt_reconnects = counter("mqtt_reconnects_total", "Connections to the broker after the first one.");
  Gauge& outbox = gauge("outbox_rows", "Results, errors and last job states that the broker has not acknowledged.");
  std::map<std::string, Gauge*> problems =
      each_fault(gauges("problems", "1 while this problem of the gateway lasts (problems of R/info)."));
  std::map<std::string, Counter*> faults =
      each_fault(counters("faults_total", "Faults of the gateway that were told on R/error/gateway/<code>."));
  Histogram& commits = histogram("journal_commit_seconds", "Commits of the journal, failed ones too.", kCommit);
  Counter& commit_failures = counter("journal_commit_failures_total", "Commits that the disk did not take.");
  Histogram& lag = histogram("loop_lag_seconds", "How late the loop came to what was due, once a second.", kLag);
  Gauge& lag_max = gauge("loop_lag_max_seconds", "The largest of these within the last minute.");
  Gauge& silence = gauge("loop_silence_seconds", "Since the loop last came round; more than a few: it hangs.");
  Gauge& streams = gauge("admin_streams", "Event streams of the admin listener that are open.");

  Series() {
    build.Set(1);
    start.SetToCurrentTime();
    for (std::size_t i = 0; i < Figures::kJobStates; ++i) {
      const auto state = static_cast<JobState>(i);
      if (state == JobState::queued || state == JobState::running || state == JobState::paused) continue;
      jobs_ended[state] = &ended.Add({{"state", std::string(to_word(state))}});
    }
    for (const auto& text : finding_texts()) add_code("gateway", std::string(text.word));
    for (const auto number : known_numbers()) add_code(code_class(number), std::to_string(number));
    for (int hundreds = 0; hundreds < 10; ++hundreds) add_code(code_class(hundreds * 100), kOther);
    add_code(kOther, kOther);
    add_code("gateway", kOther);
  }
  void add_code(const std::string& code_class, const std::string& code) {
    codes[code_class][code] = &errors.Add({{"class", code_class}, {"code", code}});
  }
};

Metrics::Metrics() : series_(std::make_unique<Series>()), turned_at_(Clock::now().time_since_epoch().count()) {}
Metrics::~Metrics() = default;

std::string Metrics::text() const {
  series_->silence.Set(to_seconds(std::max(Clock::duration::zero(), Clock::now() - loop_turned_at())));
  return prometheus::TextSerializer().Serialize(series_->registry.Collect());
}

void Metrics::set_admin_streams(std::size_t open) {
  set(series_->streams, open);
}

void Metrics::journal_wrote(std::chrono::nanoseconds took, bool written) {
  series_->commits.Observe(to_seconds(took));
  if (!written) series_->commit_failures.Increment();
}

Awaitable<> Metrics::watch(asio::io_context& loop, std::function<Figures()> look) {
  for (;;) {
    show(look());
    const auto due = Clock::now() + kTurn;
    co_await sleep_for(loop, kTurn);
    loop_turned(Clock::now() - due);
  }
}

void Metrics::loop_turned(Clock::duration late) {
  turned_at_ = Clock::now().time_since_epoch().count();
  const auto lag = to_seconds(std::max(Clock::duration::zero(), late));
  series_->lag.Observe(lag);
  lags_[next_lag_] = lag;
  next_lag_ = (next_lag_ + 1) % kLagWindow;
  series_->lag_max.Set(*std::max_element(lags_.begin(), lags_.end()));
}

void Metrics::show(const Figures& figures) {
  auto& series = *series_;
  for (std::size_t i = 0; i < Figures::kPhases; ++i) set(*series.modules[i], figures.modules[i]);
  set(series.online, figures.online);
  set(series.lost, figures.lost);
  for (std::size_t i = 0; i < Figures::kJobStates; ++i) set(*series.jobs[i], figures.jobs[i]);
  set(series.held, figures.held ? 1 : 0);
  raise(series.http_bytes, shown_.http.delivered_bytes, figures.http.delivered_bytes);
  raise(series.served, shown_.http.served, figures.http.served);
  raise(series.refused, shown_.http.refused, figures.http.refused);
  set(series.connections, figures.http.open_connections);
  set(series.mqtt_connected, figures.mqtt_connected ? 1 : 0);
  const std::uint64_t first = 1;
  raise(series.mqtt_reconnects, std::max(first, shown_.mqtt_connections), figures.mqtt_connections);
  set(series.outbox, figures.outbox_rows);

  std::map<Gauge*, std::size_t> lasting;
  for (const auto& [code, gauge] : series.problems) lasting[gauge] = 0;
  for (const auto& code : figures.problems) ++lasting[&at_or_other(series.problems, code)];
  for (const auto& [gauge, count] : lasting) set(*gauge, count);
  for (const auto& [code, count] : figures.faults) raise(at_or_other(series.faults, code), shown_.faults[code], count);
  shown_ = figures;
}

/// A command is seen by what follows it: the first phase of the download, or of the reboot, behind `preparing`. What an
/// earlier process sent was counted there.
void Metrics::update_progress(const Job&, const Part& part, const UpdateProgress& progress,
                              const DownloadRate::Reading&) {
  auto& seen = seen_[part.module];
  const auto now = Clock::now();
  switch (progress.phase) {
    case Phase::idle:
    case Phase::queued:
    case Phase::preparing:
      seen = Seen();
      seen.prepares = true;
      return;
    case Phase::uploading:  // before the command, or, as a stream, behind it
      return;
    case Phase::downloading:
      if (!std::exchange(seen.prepares, false)) return;
      seen.downloads_since = now;
      series_->attempts.Increment();
      return;
    case Phase::rebooting:
      if (std::exchange(seen.prepares, false)) series_->attempts.Increment();
      break;
    case Phase::updating:
    case Phase::verifying:
      break;
  }
  if (seen.downloads_since) series_->downloads.Observe(to_seconds(now - *seen.downloads_since));
  seen.downloads_since.reset();
}

void Metrics::update_error(const Job&, const Part&, unsigned, const UpdateError& error, std::optional<WallTime>) {
  const auto of_class = series_->codes.find(error.number ? code_class(*error.number) : "gateway");
  at_or_other(of_class->second, error.number ? std::to_string(*error.number) : error.name).Increment();
}

void Metrics::part_ended(const Job&, const Part& part) {
  seen_.erase(part.module);
  const auto outcome = static_cast<std::size_t>(part.result->outcome);
  series_->outcomes[outcome]->Increment();
  if (part.result->attempts == 0 || !part.begun_at) return;
  const std::chrono::nanoseconds took = std::chrono::system_clock::now() - *part.begun_at;
  series_->durations[outcome]->Observe(to_seconds(std::max(std::chrono::nanoseconds(0), took)));
}

void Metrics::job_ended(const Job& job) {
  series_->jobs_ended.at(job.state())->Increment();
}

}  // namespace dfota
