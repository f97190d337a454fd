#include "api/ejection.hpp"

#include "engine/ejection.hpp"

namespace homeostat::api {

json::array ejections_json(const View& view, const std::string& service) {
  json::array out;
  const auto id = view.find(service);
  if (!id || view.engine == nullptr) return out;
  for (const engine::Ejection& one : engine::ejections_of(view.engine->state(), *id)) {
    out.push_back(json::object{{"slot", one.slot},
                               {"place", place_name(service, one.slot)},
                               {"trial", one.trial},
                               {"kept", one.kept},
                               {"evidence", one.evidence},
                               {"since", time_json(view.clock, one.since)}});
  }
  return out;
}

json::array runtime_holds_json(const View& view, const std::string& service) {
  json::array out;
  const auto id = view.find(service);
  if (!id || view.engine == nullptr) return out;
  for (const auto& [place, hold] : view.engine->state().runtime_holds) {
    if (place.service != *id) continue;
    out.push_back(
        json::object{{"place", place_name(service, place.slot)}, {"why", printable(hold.why)}, {"blind", hold.blind}});
  }
  return out;
}

}  // namespace homeostat::api
