// A scenario as read: configurations, timed events, and what is expected when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenario/pattern.hpp"

namespace homeostat::scenario {

struct EventRow;
struct StateRow;
struct HappeningRow;

/// Written into the scenario, or the file `from`.
struct ConfigPart {
  std::string name;  // empty: the one that Homeostat starts with
  std::string from;
  std::string text;  // begins with as many empty lines as it takes for its places to be those in the scenario
  config::Position at;
};

struct Event {
  Duration when{};
  const EventRow* row = nullptr;
  Captures words;
  config::Position at;
  std::string line;  // without the time
};

/// One thing that is claimed of a span of time: that a state holds, or how often something happens.
struct Claim {
  const StateRow* state = nullptr;  // or:
  const HappeningRow* happening = nullptr;
  Captures words;
  bool counted = false;  // from `least` to `most` times; else: once at least, and after the claim before it
  std::uint64_t least = 1;
  std::uint64_t most = UINT64_MAX;
  config::Position at;
  std::string text;
};

struct Expectation {
  Duration from{};
  Duration to{};            // still part of it
  bool eventually = false;  // a state has to hold once, not all the time
  std::vector<Claim> claims;
  config::Position at;
  std::string line;
};

struct Scenario {
  std::string file;
  std::string title;  // the first comment
  std::vector<ConfigPart> configs;
  std::vector<Event> events;  // in the order of time
  std::vector<Expectation> expectations;
  Duration end{};
};

}  // namespace homeostat::scenario
