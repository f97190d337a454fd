// The places of a service, and the servers that a proxy must have declared for them, one each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace homeostat::config {

/// "8 instances: 6, 1 more while a new version takes over and 1 to compare with".
std::string show_places(const engine::ServicePlan& plan);

/// Why the servers that the proxy's backend `has` will not do; empty: those that are `needed` are there.
std::string lacking_servers(const engine::ServicePlan& plan, std::string_view backend,
                            const std::vector<std::string>& needed, const std::vector<std::string>& has);

}  // namespace homeostat::config
