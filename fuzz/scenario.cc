// A scenario as a text of any content: one that can be played, or a problem with its place; a short one is played,
// which ends with a verdict.
#include "scenario/scenario.hpp"

#include <string>

#include "kit.hpp"
#include "problems.hpp"
#include "scenario/prepare.hpp"
#include "scenario/read.hpp"
#include "scenario/run.hpp"

namespace homeostat::fuzz {
namespace {

constexpr Duration kShort = std::chrono::seconds(20);

/// Few instances, and no more looks than fit into the time of an input.
bool is_small(const scenario::Scenario& read, const scenario::Configs& configs) {
  std::size_t instances = 0;
  for (const auto& config : configs) {
    for (const auto& service : config.second.plan.services) instances += service.instances;
  }
  return read.end <= kShort && instances <= 8;
}

}  // namespace

void run(std::string_view input) {
  const auto read = scenario::read_scenario(input, "h.scn");
  if (!read) return judge_problems({read.error()}, input);
  require(read->events.size() <= scenario::kMaxEvents && read->end <= scenario::kLongest, "it has an end");
  for (const auto& part : read->configs) {
    if (!part.from.empty()) return;  // another file
  }
  const auto configs = scenario::prepare(*read);
  if (!configs) return judge_problems(configs.error(), input);
  if (is_small(*read, *configs)) scenario::run(*read, *configs);
}

}  // namespace homeostat::fuzz
