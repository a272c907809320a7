#include "gateway/ctl/artifact.hpp"

#include <unistd.h>

#include "gateway/ctl/artifact_file.hpp"
#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/tables.hpp"

namespace dfota::ctl {
namespace {

/// Asks where the gateway takes files from, which also tells that it is there; puts the file there; has it taken.
class Add : public Call {
 public:
  Add(const ArtifactAddCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output) {}
  /// What the gateway has not taken is not left behind.
  ~Add() override {
    if (!placed_.empty()) ::unlink(placed_.c_str());
  }
  Add(const Add&) = delete;
  Add& operator=(const Add&) = delete;

  void begin() override {
    const auto asked = [this](const Json& data) {
      if (!call_.file.empty() && !place(data)) return;
      add();
    };
    connection_.ask("artifact_list", {{"limit", 1}}, asked, false);
  }

 private:
  bool place(const Json& data) {
    const auto directory = call_.incoming.empty() ? text(data, "incoming") : call_.incoming;
    const auto copied = copy_into(directory, call_.name, call_.file);
    if (!copied) {
      fail(copied.error().message);
      return false;
    }
    placed_ = (std::filesystem::path(directory) / call_.name).string();
    call_.size = copied->size;
    call_.sha256 = copied->sha256;
    return true;
  }

  void add() {
    auto manifest = manifest_of(call_);
    if (!manifest) return fail(manifest.error().message);
    connection_.ask_patiently("artifact_add", std::move(*manifest), [this](const Json& data) {
      placed_.clear();
      output_.line("artifact " + text(data, "name") + ": added, " + std::to_string(integer(data, "size").value_or(0)) +
                   " bytes, sha256 " + text(data, "sha256"));
      connection_.end(kExitWell);
    });
  }

  void fail(const std::string& why) {
    output_.complain(why);
    connection_.end(kExitNotWell);
  }

  ArtifactAddCall call_;
  Connection& connection_;
  Output& output_;
  std::string placed_;  ///< in the gateway's directory; empty: nothing, or it was taken
};

class List : public Call {
 public:
  List(Connection& connection, Output& output)
      : connection_(connection), output_(output), pages_(connection, output, "artifact_list") {}

  void begin() override {
    Pages::Reader reader;
    reader.take = [this](const std::string&, const Json& data) {
      const auto rows = artifact_rows(data);
      rows_.insert(rows_.end(), rows.begin(), rows.end());
      used_ = std::to_string(integer(data, "used_bytes").value_or(0)) + " of " +
              std::to_string(integer(data, "max_bytes").value_or(0)) + " bytes used; incoming " +
              text(data, "incoming");
      return !output_.broken();
    };
    reader.done = [this] {
      for (const auto& line : artifacts_table(rows_)) output_.line(line);
      output_.line(used_);
      connection_.end(output_.broken() ? kExitNotWell : kExitWell);
    };
    reader.told = true;
    pages_.read(nullptr, std::move(reader));
  }

 private:
  Connection& connection_;
  Output& output_;
  Pages pages_;
  std::vector<ArtifactRow> rows_;
  std::string used_;
};

class Remove : public Call {
 public:
  Remove(const ArtifactRemoveCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output) {}

  void begin() override {
    connection_.ask("artifact_remove", {{"name", call_.name}}, [this](const Json&) {
      output_.line("artifact " + call_.name + ": removed");
      connection_.end(kExitWell);
    });
  }

 private:
  const ArtifactRemoveCall& call_;
  Connection& connection_;
  Output& output_;
};

ArtifactRow row_of(const Json& from) {
  ArtifactRow row{text(from, "name"),   text(from, "model"), text(from, "from"), text(from, "to"), 0, false, false,
                  text(from, "used_at")};
  row.size = integer(from, "size").value_or(0);
  const auto present = from.find("present");
  row.present = present != from.end() && *present == true;
  row.is_signed = from.contains("signature");
  return row;
}

}  // namespace

std::vector<ArtifactRow> artifact_rows(const Json& data) {
  std::vector<ArtifactRow> rows;
  const auto found = data.find("artifacts");
  if (found == data.end() || !found->is_array()) return rows;
  for (const auto& one : *found) {
    if (rows.size() == kMaxList) break;
    if (!one.is_object()) continue;
    auto row = row_of(one);
    if (!row.name.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> artifacts_table(const std::vector<ArtifactRow>& rows) {
  std::vector<std::vector<std::string>> cells = {
      {"artifact", "model", "from -> to", "bytes", "signed", "in the cache"}};
  for (const auto& row : rows) {
    cells.push_back({row.name, row.model, row.from + " -> " + row.to, std::to_string(row.size),
                     row.is_signed ? "yes" : "no", row.present ? "used " + row.used_at : "no, fetched when needed"});
  }
  return table_of(cells);
}

std::unique_ptr<Call> make_artifact(const Options& options, Connection& connection, Output& output) {
  if (const auto* add = std::get_if<ArtifactAddCall>(&options.call)) {
    return std::make_unique<Add>(*add, connection, output);
  }
  if (std::holds_alternative<ArtifactListCall>(options.call)) return std::make_unique<List>(connection, output);
  if (const auto* remove = std::get_if<ArtifactRemoveCall>(&options.call)) {
    return std::make_unique<Remove>(*remove, connection, output);
  }
  return nullptr;
}

}  // namespace dfota::ctl
