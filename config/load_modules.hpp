// [[module]] and [discovery]: who is there, written down or found (the rest of load_config). Any thread.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/section.hpp"

namespace dfota {

/// Each id, port and IMEI once.
void read_modules(std::vector<Section> sections, std::vector<ModuleConfig>& modules);
void read_discovery(Section section, DiscoveryConfig& discovery);

}  // namespace dfota
