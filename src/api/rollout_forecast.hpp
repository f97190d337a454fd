// What a rollout's judge will be able to see, and when: from what it has been told, or what the one before it was.
#pragma once

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Of each metric, before the stage is judged.
json::array forecast_json(const View& view, engine::ServiceId id, const engine::ServiceState& known);

/// So long until the metric passes, if the new version does no harm; null: nobody can tell.
json::value passes_in(const View& view, engine::ServiceId id, std::size_t metric);

}  // namespace homeostat::api
