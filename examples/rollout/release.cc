// A release in three stages, in a world of its own: whatever the program says is done at once. Run it with `bad` to see
// a release that is taken back.
#include <cstdio>
#include <cstring>
#include <homeostat/staged_rollout.hpp>

using namespace std::chrono_literals;
using homeostat::rollout::GateResult;
using homeostat::rollout::StagedRollout;

int main(int count, char** arguments) {
  const bool bad = count > 1 && std::strcmp(arguments[1], "bad") == 0;
  homeostat::Instant now{};  // the program's own clock
  StagedRollout rollout("v1", "v2", /*instances=*/4, now);
  const auto fine = [] { return GateResult::passed; };
  const auto errors = [bad] { return bad ? GateResult::failed : GateResult::passed; };
  rollout.add_stage(5, fine, 10min).add_stage(50, errors, 10min);
  homeostat::rollout::Seen seen{.needed = 4, .ready_stable = 4};
  while (!rollout.ended()) {
    while (const auto step = rollout.advance(seen, now)) {
      std::printf("%3d of v1, %d of v2, %5.1f %% of the traffic\n", static_cast<int>(step->to.stable),
                  static_cast<int>(step->to.fresh), step->to.weight / 100.0);
      seen.ready_stable = step->to.stable;  // here the program starts and stops instances, and sets weights
      seen.ready_fresh = step->to.fresh;
      rollout.done(*step, now);
    }
    now += 1min;
  }
  std::printf("%s\n", explain(rollout.policy(), rollout.state()).c_str());
  return bad ? 1 : 0;
}
