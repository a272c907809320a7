#include "gateway/ctl/replies.hpp"

namespace dfota::ctl {
namespace {
/// What is an object under that key of `object`, or an empty one.
Json object_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_object() ? *it : Json::object();
}

JobRow job_row(const Json& from) {
  JobRow to;
  to.job = text(from, "job");
  to.state = text(from, "state");
  to.from = text(from, "from");
  to.to = text(from, "to");
  to.run = integer(from, "run").value_or(0);
  to.counts = counts_of(from, "counts");
  to.document = from;
  return to;
}

ModuleRow module_row(const Json& from) {
  ModuleRow to;
  to.module = text(from, "module");
  to.status = text(from, "status");
  to.phase = text(from, "phase");
  to.version = text(from, "version");
  to.job = text(from, "job");
  to.last_result = text(from, "last_result");
  to.problem = text(from, "problem");
  to.document = from;
  return to;
}

/// The rows of a list that have a name; a page holds at most kMaxList of each.
template <class Row>
std::vector<Row> rows_of(const Json& data, const char* key, Row (*row_of)(const Json&), std::string Row::*name) {
  std::vector<Row> rows;
  const auto it = data.find(key);
  if (it == data.end() || !it->is_array()) return rows;
  for (const auto& one : *it) {
    if (rows.size() == kMaxList) break;
    Row row = row_of(one);
    if (!(row.*name).empty()) rows.push_back(std::move(row));
  }
  return rows;
}
}  // namespace

Result<Reply> parse_reply(const std::string& payload) {
  const Json json = parse_json(payload);
  if (!json.is_object()) return Error(Errc::invalid, "the gateway's answer is not a JSON object");
  const std::string status = text(json, "status");
  Reply reply;
  reply.ok = status == "ok";
  reply.warnings = list_of_words(json, "warnings");
  reply.data = object_in(json, "data");
  const Json error = object_in(json, "error");
  reply.code = text(error, "code");
  reply.message = text(error, "message");
  reply.pointer = text(error, "pointer");
  if (reply.ok || status == "error") return reply;
  return Error(Errc::invalid, "the gateway's answer says neither ok nor error");
}

AcceptedJob accepted_job(const Json& data) {
  AcceptedJob accepted;
  accepted.job = text(data, "job");
  accepted.state = text(data, "state");
  accepted.run = integer(data, "run").value_or(0);
  const auto modules = data.find("modules");
  if (modules != data.end() && modules->is_structured()) accepted.modules = modules->size();
  const auto forgotten = data.find("forgotten");
  accepted.forgotten = forgotten != data.end() && *forgotten == true;
  return accepted;
}

std::vector<PlannedModule> planned_modules(const Json& data) {
  std::vector<PlannedModule> modules;
  if (!data.contains("modules") || !data.at("modules").is_array()) return modules;
  for (const auto& row : data.at("modules")) {
    if (!row.is_object() || modules.size() >= kMaxList) continue;
    PlannedModule planned{text(row, "module"), text(row, "version"), text(row, "target"), {}, 0, {}, {}};
    if (row.contains("way") && row.at("way").is_array()) {
      for (const auto& hop : row.at("way")) {
        if (hop.is_object())
          planned.way.push_back(text(hop, "artifact") + ": " + text(hop, "from") + " -> " + text(hop, "to"));
      }
    }
    planned.bytes = integer(row, "bytes").value_or(0);
    planned.expected_duration_s = number(row, "expected_duration_s");
    if (row.contains("reason") && row.at("reason").is_object()) {
      const auto& reason = row.at("reason");
      planned.reason =
          text(reason, "code") + ": " + text(reason, text(reason, "message").empty() ? "meaning" : "message");
    }
    modules.push_back(std::move(planned));
  }
  return modules;
}

Cancellation cancellation(const Json& data) {
  return {list_of_words(data, "stopped"), list_of_words(data, "stopping"), list_of_words(data, "will_end")};
}

ListPage list_page(const Json& data) {
  ListPage page;
  page.jobs = rows_of(data, "jobs", job_row, &JobRow::job);
  page.modules = rows_of(data, "modules", module_row, &ModuleRow::module);
  return page;
}

void append(JobRow& job, const JobRow& continued) {
  Json modules = object_in(job.document, "modules");
  modules.update(object_in(continued.document, "modules"));
  job = continued;
  job.document["modules"] = std::move(modules);
}

}  // namespace dfota::ctl
