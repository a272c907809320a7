#include "gateway/listing.hpp"

#include "gateway/payloads.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::string_view kJob = "job/", kModule = "module/";

json module_row(const std::string& gateway, const Jobs& jobs, const LastErrorOf& last_error_of, const Module& module) {
  const auto& id = module.config().id;
  auto out = module_state_payload(gateway, module, jobs.job_of(id), jobs.last_result_of(id), last_error_of(id));
  out.erase("ts");
  out.erase("gateway");
  out["status"] = module.state().online ? "online" : "offline";
  return out;
}

}  // namespace

json job_row(const Jobs& jobs, const Job& job) {
  json out = {
      {"job", job.id()},
      {"run", job.run},
      {"state", to_word(job.state())},
      {"counts", counts_of(job)},
      {"from", job.command.planned() ? json() : json(job.command.delta.from)},
      {"to", job.command.rollback ? json() : json(job.command.planned() ? job.command.target : job.command.delta.to)},
      {"delivery", to_word(job.command.delivery)},
      {"accepted_at", rfc3339(job.accepted_at)},
      {"expires_at", nullptr}};
  if (!job.ended() && job.expires_at) {
    const auto left = std::chrono::duration_cast<WallTime::duration>(jobs.time().until(*job.expires_at));
    out["expires_at"] = rfc3339(std::chrono::system_clock::now() + left);
  }
  return out;
}

std::string ListCursor::text() const {
  if (in_modules) return std::string(kModule) + module;
  return std::string(kJob) + job + "/" + std::to_string(parts);
}

std::optional<ListCursor> ListCursor::read(const std::string& text) {
  ListCursor cursor;
  if (text.starts_with(kModule)) {
    cursor.in_modules = true;
    cursor.module = text.substr(kModule.size());
    if (!cursor.module.empty() && !is_topic_id(cursor.module)) return std::nullopt;
    return cursor;
  }
  const auto slash = text.rfind('/');
  if (!text.starts_with(kJob) || slash < kJob.size()) return std::nullopt;
  cursor.job = text.substr(kJob.size(), slash - kJob.size());
  const auto number = text.substr(slash + 1);
  constexpr std::size_t kMostDigits = 6;
  if (!is_job_id(cursor.job) || number.empty() || number.size() > kMostDigits ||
      number.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  cursor.parts = std::stoul(number);
  return cursor;
}

json list_page(const std::string& gateway, const Jobs& jobs, const Jobs::Modules& modules,
               const LastErrorOf& last_error_of, const ListCursor& after, std::size_t limit) {
  json out = {{"jobs", json::array()}, {"modules", json::array()}, {"next", nullptr}};
  std::size_t rows = 0;
  const auto& all = jobs.all();
  auto from = after.in_modules ? all.end() : all.lower_bound(after.job);
  for (; from != all.end(); ++from) {
    const auto& job = *from->second;
    std::size_t part = from->first == after.job ? after.parts : 0;
    if (part >= job.parts.size()) continue;  // all of it was said
    if (rows == limit) {
      out["next"] = ListCursor{from->first, 0, false, {}}.text();
      return out;
    }
    auto& said = out["jobs"].emplace_back(job_row(jobs, job));
    said["modules"] = json::object();
    for (; part < job.parts.size() && rows < limit; ++part, ++rows) {
      said["modules"][job.parts[part]->module] = part_word(*job.parts[part]);
    }
    if (part < job.parts.size()) {
      out["next"] = ListCursor{from->first, part, false, {}}.text();
      return out;
    }
  }
  auto module = after.in_modules ? modules.upper_bound(after.module) : modules.begin();
  for (; module != modules.end(); ++module, ++rows) {
    if (rows == limit) {
      const auto said = module == modules.begin() ? std::string() : std::prev(module)->first;
      out["next"] = ListCursor{{}, 0, true, said}.text();
      return out;
    }
    out["modules"].push_back(module_row(gateway, jobs, last_error_of, *module->second));
  }
  return out;
}

}  // namespace dfota
