// Does an answer fulfil what the check expects? The same rules for every path an answer can come by.
#pragma once

#include <string>
#include <string_view>

#include "homeostat/observation.hpp"
#include "probe/http_parser.hpp"
#include "probe/reading.hpp"
#include "probe/spec.hpp"

namespace re2 {
class RE2;
}

namespace homeostat::probe {

/// What one run saw, and a line about it for people (empty when there is nothing to add).
struct Finding {
  Observation seen;
  std::string detail;
  Reading told{};  // of a source of numbers; a check tells none
};

/// Judges a final parser state. `pattern` may be null. Not for State::more.
Finding judge(const HttpSpec& spec, const HttpParser& answer, const re2::RE2* pattern, Duration latency);

/// Text from outside, fit to be shown: at most 256 bytes, one line, no control characters.
std::string for_people(std::string_view text);

}  // namespace homeostat::probe
