// The phrases of the language, one row each: what is read, what it means, and what it does. The reader and the
// reference page (docs/scenarios.md) are made from the same rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/pattern.hpp"
#include "scenario/stage.hpp"

namespace homeostat::scenario {

struct EventRow {
  Pattern pattern;
  std::string_view meaning;
  /// Makes it happen; the reason why it cannot happen now, else empty.
  std::string (*happen)(Stage&, const Captures&);
};

/// How a state was found.
struct Seen {
  bool holds = false;
  std::string instead;  // how it is, in words
};

struct StateRow {
  Pattern pattern;
  std::string_view meaning;
  Seen (*look)(const Stage&, const Captures&);
};

struct HappeningRow {
  Pattern pattern;
  std::string_view meaning;
  bool (*is)(const Stage&, const Captures&, const Moment&);
};

const std::vector<EventRow>& event_rows();
const std::vector<StateRow>& state_rows();
const std::vector<HappeningRow>& happening_rows();

// traffic_rows.cc; part of the two lists above.
std::vector<EventRow> traffic_events();
StateRow traffic_state();

/// The tables of the reference page.
std::string reference();

}  // namespace homeostat::scenario
