// Puts what one run is about into a configured text.
#pragma once

#include <string>
#include <string_view>

#include "probe/spec.hpp"

namespace homeostat::probe {

/// Replaces `{port}`, `{instance}` and `{release}`, and `{version}` where there is one; every other brace stays as it
/// is.
std::string fill(std::string_view text, const Place& place);

}  // namespace homeostat::probe
