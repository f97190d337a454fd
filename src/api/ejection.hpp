// What others do with the instances of a service, as JSON: the proxy that leads requests to them, and who runs them.
#pragma once

#include "api/json.hpp"
#include "api/view.hpp"

namespace homeostat::api {

/// Who gets none of them, or only a few, or should and keeps them; the longest first. Without a daemon: nothing is
/// known.
json::array ejections_json(const View& view, const std::string& service);
/// Instances that may not be acted on, as their runtime says; `blind`: it does not answer.
json::array runtime_holds_json(const View& view, const std::string& service);

}  // namespace homeostat::api
