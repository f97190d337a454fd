// The answer of `simulate`.
#pragma once

#include <string>

#include "cli/table.hpp"
#include "sim/forecast.hpp"

namespace homeostat::cli {

json::object forecast_json(const sim::Forecast& forecast, const sim::Weather& weather, double cpu_seconds);
std::string show_forecast(const json::object& forecast, bool color);

}  // namespace homeostat::cli
