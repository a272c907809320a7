#include "gateway/admin/admin_documents.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/listing.hpp"
#include "gateway/payloads.hpp"
#include "gateway/text.hpp"

namespace dfota {
namespace {

using nlohmann::json;

json rollout_of(const Job& job) {
  json out;
  const auto command = json::parse(job.command.body);
  for (const auto* key :
       {"max_parallel", "canary", "abort_after_failures", "absent", "not_before", "window", "expires"}) {
    if (command.contains(key)) out[key] = command.at(key);
  }
  return out;
}

}  // namespace

json admin_job_row(const Jobs& jobs, const Job& job) {
  auto out = job_row(jobs, job);
  out["paused"] = job.paused;
  out["rollout"] = rollout_of(job);
  return out;
}

json admin_job(const Jobs& jobs, const Job& job) {
  auto out = admin_job_row(jobs, job);
  auto& modules = out["modules"] = json::object();
  for (const auto& part : job.parts) modules[part->module] = part_word(*part);
  return out;
}

json admin_history(const std::string& gateway, const Jobs& jobs, const std::string& module) {
  std::vector<std::pair<const Job*, const Part*>> ended;
  for (const auto& [id, job] : jobs.all()) {
    const auto* part = job->part_of(module);
    if (part != nullptr && part->result) ended.emplace_back(job.get(), part);
  }
  const auto newer = [](const auto& a, const auto& b) {
    return a.second->ended_at.value_or(a.first->accepted_at) > b.second->ended_at.value_or(b.first->accepted_at);
  };
  std::sort(ended.begin(), ended.end(), newer);
  if (ended.size() > kMostHistory) ended.resize(kMostHistory);
  auto out = json::array();
  for (const auto& [job, part] : ended) {
    auto row = result_payload(gateway, 0, *job, *part);
    for (const auto* key : {"ts", "gateway", "seq", "module"}) row.erase(key);
    row["ended_at"] = part->ended_at ? json(rfc3339(*part->ended_at)) : json(nullptr);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace dfota
