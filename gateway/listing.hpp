// cmd/list: jobs, and modules, page by page, so that a backend that missed something gets level again. A row is one
// module of one job; behind the last job, one module. A job with more modules than fit on a page is continued on the
// next. Pure functions over the gateway's state; loop thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "gateway/jobs.hpp"

namespace dfota {

/// Where a page ends: "job/<id>/<parts said>" or "module/<id>".
struct ListCursor {
  std::string job;        ///< the last one said; empty: none yet
  std::size_t parts = 0;  ///< of it
  bool in_modules = false;
  std::string module;  ///< the last one said

  [[nodiscard]] std::string text() const;
  static std::optional<ListCursor> read(const std::string& text);
};

/// As its state tells it.
using LastErrorOf = std::function<nlohmann::json(const std::string& module)>;

/// What a job is and how far it is, without its modules.
nlohmann::json job_row(const Jobs& jobs, const Job& job);

/// {"jobs":[...],"modules":[...],"next":cursor or null}. Jobs come in the order of their ids.
nlohmann::json list_page(const std::string& gateway, const Jobs& jobs, const Jobs::Modules& modules,
                         const LastErrorOf& last_error_of, const ListCursor& after, std::size_t limit);

}  // namespace dfota
