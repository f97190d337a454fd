// What the field tables say, for editors and for people.
#pragma once

#include <string>
#include <vector>

#include "config/field.hpp"

namespace homeostat::config {

/// Every section of the format, in the order of the reference page; the file itself is first.
std::vector<const Section*> sections();

/// The format as a JSON Schema (draft 2020-12).
std::string schema();

/// The reference page, docs/configuration.md.
std::string reference();

}  // namespace homeostat::config
