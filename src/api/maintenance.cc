#include "api/maintenance.hpp"

#include "engine/maintenance.hpp"

namespace homeostat::api {
namespace {

json::object one_json(const View& view, const engine::MaintenanceState& state) {
  return {{"since", time_json(view.clock, state.since)},
          {"until", time_json(view.clock, state.until)},
          {"forever", state.until == kNever},
          {"reason", printable(state.reason)},
          {"by", printable(state.by)}};
}

void add(const View& view, const std::map<std::string, engine::MaintenanceState>& all, bool scheduled,
         json::array& out) {
  for (const auto& [service, state] : all) {
    if (state.over || state.until <= view.clock.now) continue;
    json::object one = one_json(view, state);
    one["service"] = service.empty() ? json::value(nullptr) : json::value(service);
    one["scheduled"] = scheduled;
    out.push_back(std::move(one));
  }
}

}  // namespace

json::value maintenance_json(const View& view, const std::string& service) {
  const engine::MaintenanceState* state = engine::maintenance_of(view.durable, service);
  return state == nullptr || state->until <= view.clock.now ? json::value(nullptr)
                                                            : json::value(one_json(view, *state));
}

json::array planned_json(const View& view) {
  json::array out;
  if (view.engine == nullptr) return out;
  for (const engine::PlannedMaintenance& one : engine::planned_maintenance(view.engine->state(), view.clock.now)) {
    out.push_back(json::object{{"service", one.service.empty() ? json::value(nullptr) : json::value(one.service)},
                               {"from", time_json(view.clock, one.from)},
                               {"reason", printable(one.reason)}});
  }
  return out;
}

json::array maintenances_json(const View& view) {
  json::array out;
  add(view, view.durable.maintenance, false, out);
  add(view, view.durable.windows, true, out);
  return out;
}

}  // namespace homeostat::api
