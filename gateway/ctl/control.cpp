#include "gateway/ctl/control.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/tables.hpp"

namespace dfota::ctl {
namespace {

/// "rack-1/" before a whole sentence.
std::string sentence(const std::string& prefix) {
  return prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1) + ": ";
}

class Control : public Call {
 public:
  Control(const Options& options, Connection& connection, Output& output)
      : options_(options), connection_(connection), output_(output) {}

  void begin() override {
    const auto& call = std::get<ControlCall>(options_.call);
    Connection::Question question{call.verb, subject_body(call.subject), nullptr};
    question.answer = [this, &call](const std::string& gateway, const Json& data) {
      for (const auto& line : control_lines(call, data, options_.prefix(gateway))) output_.line(line);
    };
    question.done = [this] { connection_.end(kExitWell); };
    connection_.ask(std::move(question));
  }

 private:
  const Options& options_;
  Connection& connection_;
  Output& output_;
};

/// A table, which needs all rows; in JSON each row goes out as soon as it is whole.
class Listing : public Call {
 public:
  Listing(const Options& options, Connection& connection, Output& output)
      : options_(options),
        of_modules_(std::get<ListCall>(options.call).of == ListCall::Of::modules),
        connection_(connection),
        output_(output),
        pages_(connection, output, "list") {}

  void begin() override {
    Pages::Reader reader;
    reader.take = [this](const std::string& gateway, const Json& data) {
      const ListPage page = list_page(data);
      return of_modules_ ? take_modules(gateway, page) : take_jobs(gateway, page);
    };
    reader.done = [this] { finish(); };
    pages_.read(nullptr, std::move(reader));
  }

 private:
  struct Rows {
    std::optional<JobRow> open;  ///< may go on on the next page
    std::vector<JobRow> jobs;
    std::vector<ModuleRow> modules;
  };

  bool take_modules(const std::string& gateway, const ListPage& page) {
    auto& modules = rows_[gateway].modules;
    for (auto row : page.modules) {
      row.module = options_.prefix(gateway) + row.module;
      tell(gateway, std::exchange(row.document, nullptr));
      modules.push_back(std::move(row));
    }
    return !output_.broken();
  }

  bool take_jobs(const std::string& gateway, const ListPage& page) {
    Rows& rows = rows_[gateway];
    for (const auto& row : page.jobs) {
      if (rows.open && rows.open->job == row.job) {
        append(*rows.open, row);
      } else {
        close_job(gateway, rows);
        rows.open = row;
      }
    }
    return page.modules.empty() && !output_.broken();  // modules are listed behind the last job
  }

  void close_job(const std::string& gateway, Rows& rows) {
    if (!rows.open) return;
    tell(gateway, std::exchange(rows.open->document, nullptr));
    rows.jobs.push_back(*std::exchange(rows.open, std::nullopt));
    rows.jobs.back().job = options_.prefix(gateway) + rows.jobs.back().job;
  }

  void tell(const std::string& gateway, Json document) {
    if (options_.is_fleet()) document["gateway"] = gateway;
    output_.json_line(dumped(document));
  }

  void finish() {
    std::vector<JobRow> jobs;
    std::vector<ModuleRow> modules;
    for (auto& [gateway, rows] : rows_) {
      close_job(gateway, rows);
      jobs.insert(jobs.end(), rows.jobs.begin(), rows.jobs.end());
      modules.insert(modules.end(), rows.modules.begin(), rows.modules.end());
    }
    output_.show({of_modules_ ? modules_table(modules) : jobs_table(jobs), {}});
    connection_.end(output_.broken() ? kExitNotWell : kExitWell);
  }

  const Options& options_;
  const bool of_modules_;
  Connection& connection_;
  Output& output_;
  Pages pages_;
  std::map<std::string, Rows> rows_;  ///< of each gateway
};

class DryRun : public Call {
 public:
  DryRun(const Options& options, Connection& connection, Output& output)
      : options_(options), connection_(connection), output_(output) {}

  void begin() override {
    const auto& call = std::get<UpdateCall>(options_.call);
    Connection::Question question{"update", update_body(call.request), nullptr};
    question.answer = [this](const std::string& gateway, const Json& data) {
      for (auto& row : planned_modules(data)) {
        row.module = options_.prefix(gateway) + row.module;
        rows_.push_back(std::move(row));
      }
    };
    question.done = [this] {
      output_.show({plan_table(rows_), {}});
      const bool all = std::all_of(rows_.begin(), rows_.end(), [](const auto& one) { return one.reason.empty(); });
      connection_.end(all ? kExitWell : kExitNotWell);
    };
    connection_.ask(std::move(question));
  }

 private:
  const Options& options_;
  Connection& connection_;
  Output& output_;
  std::vector<PlannedModule> rows_;
};

class Replay : public Call {
 public:
  Replay(const ReplayCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output), pages_(connection, output, "replay") {}

  void begin() override {
    Pages::Reader reader;
    reader.take = [this](const std::string&, const Json& data) {
      count_ += integer(data, "count").value_or(0);
      return true;
    };
    reader.done = [this] {
      output_.line(std::to_string(count_) + (count_ == 1 ? " message" : " messages") + " published again");
      connection_.end(kExitWell);
    };
    reader.told = true;
    pages_.read(call_.after, std::move(reader));
  }

 private:
  const ReplayCall& call_;
  Connection& connection_;
  Output& output_;
  Pages pages_;
  std::int64_t count_ = 0;
};

std::vector<std::string> cancel_lines(const Subject& subject, const Json& data, const std::string& prefix) {
  const std::string kind = (subject.module ? "job " : "") + prefix;
  std::vector<std::string> lines;
  const Cancellation canceled = cancellation(data);
  for (const auto& id : canceled.stopped) lines.push_back(kind + id + ": stopped");
  for (const auto& id : canceled.stopping) lines.push_back(kind + id + ": stopping, no command is sent");
  for (const auto& id : canceled.will_end) {
    lines.push_back(kind + id + ": has been commanded and cannot be cut; it ends by itself");
  }
  if (lines.empty()) lines.push_back(sentence(prefix) + "there was nothing to stop");
  return lines;
}
}  // namespace

std::vector<std::string> control_lines(const ControlCall& call, const Json& data, const std::string& prefix) {
  const Subject& subject = call.subject;
  if (call.verb == "cancel") return cancel_lines(subject, data, prefix);
  if (call.verb == "forget") {
    return {(subject.module ? "module " + *subject.module : "job " + subject.job.value_or("")) + ": forgotten"};
  }
  const std::string port = text(data, "port"), module = subject.module.value_or("");
  if (call.verb == "release") {
    return {"module " + module + ": released; open " + (port.empty() ? "its port, wherever it is," : port) +
            " with your own terminal, and then take it back: dfota claim " + module};
  }
  if (call.verb == "claim") {
    return {"module " + module + ": claimed; the gateway opens " + (port.empty() ? "its port" : port) + " again"};
  }
  const std::string word = call.verb == "pause" ? "paused" : "resumed", tail = ": " + word;
  std::vector<std::string> lines;
  for (const auto& job : list_of_words(data, "jobs")) lines.push_back("job " + prefix + job + tail);
  if (lines.empty()) lines.push_back(sentence(prefix) + "no job was " + word);
  return lines;
}

std::unique_ptr<Call> make_control(const Options& options, Connection& connection, Output& output) {
  if (std::holds_alternative<ListCall>(options.call)) return std::make_unique<Listing>(options, connection, output);
  if (std::holds_alternative<UpdateCall>(options.call)) return std::make_unique<DryRun>(options, connection, output);
  if (const auto* replay = std::get_if<ReplayCall>(&options.call)) {
    return std::make_unique<Replay>(*replay, connection, output);
  }
  return std::make_unique<Control>(options, connection, output);
}

}  // namespace dfota::ctl
