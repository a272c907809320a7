#include "gateway/ctl/control.hpp"

#include <algorithm>
#include <utility>

#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/tables.hpp"

namespace dfota::ctl {
namespace {

class Control : public Call {
 public:
  Control(const ControlCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output) {}

  void begin() override {
    connection_.ask(call_.verb, subject_body(call_.subject), [this](const Json& data) {
      for (const auto& line : control_lines(call_, data)) output_.line(line);
      connection_.end(kExitWell);
    });
  }

 private:
  const ControlCall& call_;
  Connection& connection_;
  Output& output_;
};

/// A table, which needs all rows; in JSON each row goes out as soon as it is whole.
class Listing : public Call {
 public:
  Listing(const ListCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output), pages_(connection, output, "list") {}

  void begin() override {
    Pages::Reader reader;
    reader.take = [this](const Json& data) {
      const ListPage page = list_page(data);
      if (call_.of == ListCall::Of::modules) return take_modules(page);
      return take_jobs(page);
    };
    reader.done = [this] { finish(); };
    pages_.read(nullptr, std::move(reader));
  }

 private:
  bool take_modules(const ListPage& page) {
    for (const auto& row : page.modules) {
      output_.json_line(dumped(row.document));
      modules_.push_back(row);
      modules_.back().document = nullptr;
    }
    return !output_.broken();
  }

  bool take_jobs(const ListPage& page) {
    for (const auto& row : page.jobs) {
      if (open_ && open_->job == row.job) {
        append(*open_, row);
      } else {
        close_job();
        open_ = row;
      }
    }
    return page.modules.empty() && !output_.broken();  // modules are listed behind the last job
  }

  void close_job() {
    if (!open_) return;
    output_.json_line(dumped(open_->document));
    open_->document = nullptr;
    jobs_.push_back(*std::exchange(open_, std::nullopt));
  }

  void finish() {
    close_job();
    const bool of_modules = call_.of == ListCall::Of::modules;
    output_.show({of_modules ? modules_table(modules_) : jobs_table(jobs_), {}});
    connection_.end(output_.broken() ? kExitNotWell : kExitWell);
  }

  const ListCall& call_;
  Connection& connection_;
  Output& output_;
  Pages pages_;
  std::optional<JobRow> open_;  ///< may go on on the next page
  std::vector<JobRow> jobs_;
  std::vector<ModuleRow> modules_;
};

class DryRun : public Call {
 public:
  DryRun(const UpdateCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output) {}

  void begin() override {
    connection_.ask("update", update_body(call_.request), [this](const Json& data) {
      const auto modules = planned_modules(data);
      output_.show({plan_table(modules), {}});
      const bool all = std::all_of(modules.begin(), modules.end(), [](const auto& one) { return one.reason.empty(); });
      connection_.end(all ? kExitWell : kExitNotWell);
    });
  }

 private:
  const UpdateCall& call_;
  Connection& connection_;
  Output& output_;
};

class Replay : public Call {
 public:
  Replay(const ReplayCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output), pages_(connection, output, "replay") {}

  void begin() override {
    Pages::Reader reader;
    reader.take = [this](const Json& data) {
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

std::vector<std::string> cancel_lines(const Subject& subject, const Json& data) {
  const std::string kind = subject.module ? "job " : "";
  std::vector<std::string> lines;
  const Cancellation canceled = cancellation(data);
  for (const auto& id : canceled.stopped) lines.push_back(kind + id + ": stopped");
  for (const auto& id : canceled.stopping) lines.push_back(kind + id + ": stopping, no command is sent");
  for (const auto& id : canceled.will_end) {
    lines.push_back(kind + id + ": has been commanded and cannot be cut; it ends by itself");
  }
  if (lines.empty()) lines.emplace_back("there was nothing to stop");
  return lines;
}
}  // namespace

std::vector<std::string> control_lines(const ControlCall& call, const Json& data) {
  const Subject& subject = call.subject;
  if (call.verb == "cancel") return cancel_lines(subject, data);
  if (call.verb == "forget") {
    return {(subject.module ? "module " + *subject.module : "job " + subject.job.value_or("")) + ": forgotten"};
  }
  const std::string word = call.verb == "pause" ? "paused" : "resumed", tail = ": " + word;
  std::vector<std::string> lines;
  for (const auto& job : list_of_words(data, "jobs")) lines.push_back("job " + job + tail);
  if (lines.empty()) lines.push_back("no job was " + word);
  return lines;
}

std::unique_ptr<Call> make_control(const Options& options, Connection& connection, Output& output) {
  if (const auto* list = std::get_if<ListCall>(&options.call)) {
    return std::make_unique<Listing>(*list, connection, output);
  }
  if (const auto* update = std::get_if<UpdateCall>(&options.call)) {
    return std::make_unique<DryRun>(*update, connection, output);
  }
  if (const auto* replay = std::get_if<ReplayCall>(&options.call)) {
    return std::make_unique<Replay>(*replay, connection, output);
  }
  return std::make_unique<Control>(std::get<ControlCall>(options.call), connection, output);
}

}  // namespace dfota::ctl
