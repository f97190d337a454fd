// A number at one place of a JSON document (RFC 6901). The document is never built: only its one path is followed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "probe/reading.hpp"

namespace homeostat::probe {

struct JsonPointer {
  std::string text;
  std::vector<std::string> steps;  // unescaped
};

std::expected<JsonPointer, Error> parse_pointer(std::string_view text);

/// What is there twice is refused: nobody can know which is meant.
Reading read_json(const JsonPointer& at, std::string_view document);

}  // namespace homeostat::probe
