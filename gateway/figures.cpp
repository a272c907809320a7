#include "gateway/figures.hpp"

#include "gateway/payloads.hpp"

namespace dfota {

Figures figures_of(const Jobs::Modules& modules, const Jobs& jobs, const FileServer& files, const MqttApi& api) {
  Figures out;
  for (const auto& [id, module] : modules) {
    ++out.modules[static_cast<std::size_t>(phase_of(*module, jobs.job_of(id)))];
    if (module->state().online) ++out.online;
    if (module->is_lost()) ++out.lost;
  }
  for (const auto& [id, job] : jobs.all()) ++out.jobs[static_cast<std::size_t>(job->state())];
  out.held = jobs.held().has_value();
  out.http = files.totals();
  out.mqtt_connected = api.connected();
  out.mqtt_connections = api.connections();
  out.outbox_rows = api.outbox_rows();
  out.problems = api.problems();
  out.faults = api.faults();
  return out;
}

}  // namespace dfota
