#include "gateway/artifact_commands.hpp"

#include <map>

#include "gateway/json_guard.hpp"
#include "transport/base/masked.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::size_t kListRows = 200, kMostRows = 1000, kMostPageBytes = 400000;

/// `name` as a manifest may have it; empty when the document has none.
std::optional<CommandFault> take_name(const json& document, const char* key, std::string& into) {
  if (!document.contains(key)) return std::nullopt;
  const auto& value = document.at(key);
  if (value.is_string()) into = value.get<std::string>();
  if (!is_artifact_name(into)) return invalid(std::string("/") + key, "must be the name of an artifact");
  return std::nullopt;
}

/// What a manifest is called in messages, before it is known to be one.
std::string name_in(const json& document) {
  if (!document.is_object() || !document.contains("name") || !document.at("name").is_string()) return "(no name)";
  constexpr std::size_t kMost = 100;
  return document.at("name").get<std::string>().substr(0, kMost);
}

json row_of(const Manifest& manifest, const Fetch::Cached* file) {
  auto row = to_json(manifest);
  if (!manifest.url.empty()) row["url"] = masked_url(manifest.url);
  row["present"] = file != nullptr;
  row["used_at"] = file != nullptr ? json(rfc3339(file->used_at)) : json(nullptr);
  return row;
}

}  // namespace

ArtifactCommands::ArtifactCommands(const ArtifactsConfig& config, Catalog& catalog, Fetch& fetch,
                                   ReportFault report_fault)
    : config_(config), catalog_(catalog), fetch_(fetch), report_fault_(std::move(report_fault)) {}

bool ArtifactCommands::knows(const std::string& verb) {
  return verb == "artifact_add" || verb == "artifact_list" || verb == "artifact_remove";
}

Awaitable<Result<Answer>> ArtifactCommands::run(std::string verb, json document, bool to_all) {
  if (verb == "artifact_add") co_return add(std::move(document));
  auto decided = verb == "artifact_list" ? list(std::move(document)) : remove(std::move(document));
  auto reply = co_await std::move(decided);
  Answer answer;
  if (const auto* fault = std::get_if<CommandFault>(&reply)) {
    answer.reply = error_reply(*fault);
    answer.silent = to_all && fault->code == "unknown_artifact";
  } else {
    answer.reply = ok_reply(std::get<json>(std::move(reply)));
  }
  co_return answer;
}

Answer ArtifactCommands::add(json document) {
  Answer answer;
  if (adding_ >= kMostAtOnce) {
    answer.reply = error_reply({"busy", "as many artifacts as may be are being added; send the command again", ""});
    return answer;
  }
  answer.later = [this, document = std::move(document)] { return added(document); };
  return answer;
}

Awaitable<json> ArtifactCommands::added(json document) {
  const auto called = name_in(document);
  if (document.is_object()) {
    if (const auto fault = check_transaction(document)) co_return refused(*fault, called);
    document.erase("transaction");
  }
  auto parsed = parse_manifest(document, true);
  if (const auto* fault = std::get_if<CommandFault>(&parsed)) co_return refused(*fault, called);
  const auto manifest = std::get<Manifest>(std::move(parsed));
  ++adding_;
  const auto fault = co_await catalog_.add(manifest);
  --adding_;
  if (fault) co_return refused(*fault, called);
  json data = {{"name", manifest.name}, {"sha256", manifest.sha256}, {"size", *manifest.size}};
  co_return ok_reply(std::move(data));
}

/// To the sender, and to those who watch the gateway.
json ArtifactCommands::refused(const CommandFault& fault, const std::string& name) const {
  const auto place = fault.pointer.empty() ? std::string() : " " + fault.pointer;
  report_fault_(fault.code, "artifact " + name + place + ": " + fault.message);
  return error_reply(fault);
}

Awaitable<ArtifactCommands::Reply> ArtifactCommands::list(json document) {
  std::uint64_t limit = kListRows;
  std::string after;
  auto fault = check_command_keys(document, {"after", "limit"});
  if (!fault) fault = take_whole_number(document, "limit", 1, kMostRows, limit);
  if (!fault) fault = take_name(document, "after", after);
  if (fault) co_return *fault;
  const auto contents = co_await fetch_.contents();
  if (!contents) {
    const auto code = contents.error().code == Errc::busy ? "busy" : "artifact_unavailable";
    const CommandFault failed{code, contents.error().message, ""};
    co_return failed;
  }
  std::map<std::string, Fetch::Cached> files;
  std::uint64_t used_bytes = 0;
  for (const auto& file : *contents) {
    used_bytes += file.size;
    files.emplace(file.sha256, file);
  }
  auto rows = json::array();
  json next;
  std::size_t page_bytes = 0;
  const auto& all = catalog_.all();
  for (auto at = all.upper_bound(after); at != all.end(); ++at) {
    if (rows.size() == limit || page_bytes >= kMostPageBytes) {
      next = rows.back()["name"];
      break;
    }
    const auto file = files.find(at->second.sha256);
    rows.push_back(row_of(at->second, file == files.end() ? nullptr : &file->second));
    page_bytes += dump(rows.back()).size();
  }
  json data = {{"artifacts", std::move(rows)},
               {"next", next},
               {"used_bytes", used_bytes},
               {"max_bytes", config_.max_bytes},
               {"incoming", config_.incoming}};
  co_return data;
}

Awaitable<ArtifactCommands::Reply> ArtifactCommands::remove(json document) {
  std::string name;
  auto fault = check_command_keys(document, {"name"});
  if (!fault) fault = take_name(document, "name", name);
  if (!fault && name.empty()) fault = invalid("/name", "is required: the name of an artifact");
  if (fault) co_return *fault;
  fault = co_await catalog_.remove(name);
  if (fault) co_return *fault;
  json data = {{"name", name}};
  co_return data;
}

}  // namespace dfota
