// Prometheus' text exposition format, and which of its series are meant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "probe/reading.hpp"

namespace re2 {
class RE2;
}

namespace homeostat::probe {

/// `label="value"`, `!=`, `=~`, `!~`. A label that a series does not have is an empty one.
struct LabelMatch {
  enum class How : std::uint8_t { equal, differs, matches, matches_not };
  std::string label;
  How how = How::equal;
  std::string value;
  std::shared_ptr<const re2::RE2> pattern;  // of the whole value
};

struct SeriesSelector {
  std::string text;
  std::string name;
  std::vector<LabelMatch> labels;
};

/// `jobs_waiting` or `jobs_waiting{queue="a",state!="done"}`, as in PromQL.
std::expected<SeriesSelector, Error> parse_selector(std::string_view text);

/// The sum of all series that match. One of them that is no number makes the sum none.
Reading read_series(const SeriesSelector& selector, std::string_view exposition);

}  // namespace homeostat::probe
