// What `journal verify` and `journal accept` tell people.
#pragma once

#include <string>

#include "journal/accept.hpp"
#include "journal/check.hpp"

namespace homeostat::journal {

/// A few lines, each ended by a newline.
std::string report(const Health& health);
std::string report(const Accepted& accepted);

}  // namespace homeostat::journal
