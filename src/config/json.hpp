// The little JSON that the schema needs.
#pragma once

#include <string>
#include <string_view>

#include "config/node.hpp"

namespace homeostat::config {

/// `text` as a JSON string, quotes included.
std::string json_string(std::string_view text);

/// A tree as JSON: words that are a number, true or false are one unless they were quoted.
std::string to_json(const Node& node);

}  // namespace homeostat::config
