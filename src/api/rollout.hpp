// How a rollout stands, as JSON.
#pragma once

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Null where there has been none.
json::value rollout_json(const View& view, const std::string& service);

}  // namespace homeostat::api
