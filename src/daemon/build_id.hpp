// Which build this is: snapshots of the engine are read by the build that wrote them only.
#pragma once

#include <string>

namespace homeostat::daemon {

/// The version and the linker's build id of this program, as in "0.1.0+3f9a12…".
std::string build_id();

}  // namespace homeostat::daemon
