// What happened, in the words of the history.
#pragma once

#include <string>
#include <vector>

#include "scenario/stage.hpp"

namespace homeostat::scenario {

struct TimelineLine {
  Duration at{};
  std::string text;
};

/// "1m05.250s"
std::string show_time(Duration since_start);
/// One moment in words.
std::string describe(const Stage& stage, const Moment& moment);
/// The whole story: what the scenario did, and every record but the small ones.
std::vector<TimelineLine> timeline(const Stage& stage);
/// The lines next to a time, as text.
std::vector<std::string> around(const std::vector<TimelineLine>& story, Duration when);

}  // namespace homeostat::scenario
