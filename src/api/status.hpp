// How things stand now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// The whole, or one service. From the journal alone there are no checks and no policies.
json::object status_view(const View& view, const std::string& only_service = {});

/// What stands beside the status of a service: paused, stopped, flapping, outdated, quarantined, suppressed, locked,
/// shadow.
std::vector<std::string_view> flags_of(const View& view, const std::string& service);

/// One failing place of an open incident: where it stands on its ladder, what holds it, what is being done.
json::object repair_json(const View& view, const std::string& service, std::int32_t slot,
                         const engine::FailingState& failing);
json::value hold_json(const View& view, const engine::ServiceState& service, std::int32_t slot);

/// The rung calls somebody, who has been called about this incident: he is not called again.
bool called_already(const View& view, engine::ServiceId id, std::uint64_t incident, const engine::RungPlan& rung);

/// What a rung does, as in the configuration: "restart", "rollback", "exec flush-cache".
std::string rung_name(const engine::RungPlan& rung);

}  // namespace homeostat::api
