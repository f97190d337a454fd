// Where a redirect leads.
#pragma once

#include <optional>
#include <string_view>

#include "probe/spec.hpp"

namespace homeostat::probe {

/// The request that `location`, answered with `status` to `from`, asks for; nothing when it is no redirect, or to
/// something that is not http. Headers of the check stay with the server they were written for.
std::optional<HttpSpec> redirected(const HttpSpec& from, int status, std::string_view location);

}  // namespace homeostat::probe
