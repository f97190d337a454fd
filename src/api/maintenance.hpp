// Who works on what, and until when.
#pragma once

#include <string>

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Of a service, by itself or because all of it is; null: nobody works on it.
json::value maintenance_json(const View& view, const std::string& service);

/// All that is under way.
json::array maintenances_json(const View& view);

/// The next windows of the configuration, as far as a running daemon knows the time in their zones.
json::array planned_json(const View& view);

}  // namespace homeostat::api
