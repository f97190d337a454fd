// What people are told, asked, and what others have told: escalations, approvals, alerts.
#pragma once

#include <string>

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Of all services where none is named.
json::array escalations_json(const View& view, const std::string& only_service);
/// What waits for somebody to agree.
json::array approvals_json(const View& view, const std::string& only_service);
/// The alerts that no check looks for; null without a daemon.
json::value alerts_json(const View& view);

}  // namespace homeostat::api
