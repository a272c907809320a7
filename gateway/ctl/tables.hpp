// Rows of `list` as tables for people: a head, columns as wide as what stands in them. Pure; every line is fit for a
// terminal.
#pragma once

#include <string>
#include <vector>

#include "gateway/ctl/replies.hpp"

namespace dfota::ctl {

/// job  run  state  modules  from -> to
std::vector<std::string> jobs_table(const std::vector<JobRow>& jobs);

/// module  status  phase  version  job  last result  problem
std::vector<std::string> modules_table(const std::vector<ModuleRow>& modules);

/// module  version -> target  what would be done  bytes  expected
std::vector<std::string> plan_table(const std::vector<PlannedModule>& modules);

/// Of cells as they came, the first row being the head.
std::vector<std::string> table_of(const std::vector<std::vector<std::string>>& rows);

}  // namespace dfota::ctl
