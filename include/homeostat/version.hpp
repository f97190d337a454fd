// Which Homeostat this is.
#pragma once

#include <string_view>

namespace homeostat {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace homeostat
