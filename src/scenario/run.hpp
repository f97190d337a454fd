// Plays a scenario in virtual time and judges what was expected.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "scenario/stage.hpp"

namespace homeostat::scenario {

struct Failure {
  config::Position at;
  std::string line;     // the expectation, or the event that could not happen
  std::string instead;  // what happened instead
  std::vector<std::string> timeline;
};

struct Verdict {
  std::vector<Failure> failures;
  std::vector<std::string> timeline;  // the whole story
  bool passed() const { return failures.empty(); }
};

/// `seed` moves the phases of the checks and the jitter of back-offs.
Verdict run(const Scenario& scenario, const Configs& configs, std::uint64_t seed = 1);

/// "file:line:column: …", what happened instead, and the timeline around it.
std::string render(const Failure& failure, const std::string& file);

}  // namespace homeostat::scenario
