// A rollout that asks the judge after every request, and stops as soon as it knows.
#include <cmath>
#include <cstdio>
#include <homeostat/canary.hpp>
#include <homeostat/random.hpp>

using namespace std::chrono_literals;
namespace canary = homeostat::canary;

// Stands for a request to one of the two versions: the new one is a fifth slower.
double serve(canary::Arm arm, homeostat::Random& random) {
  const double luck = static_cast<double>(random.below(1000)) / 1000;
  return (arm == canary::Arm::canary ? 0.12 : 0.10) * std::exp(luck - 0.5);
}

int main() {
  auto judge = canary::Judge::make({}, {{.name = "latency"}, {.name = "errors", .kind = canary::Kind::errors}});
  if (!judge) {
    std::fprintf(stderr, "%s\n", judge.error().c_str());
    return 2;
  }
  homeostat::Random random(7);
  homeostat::Instant now{};  // the program's own clock, as it was when the request ended
  for (int request = 0; request < 10'000; ++request) {
    const canary::Arm arm = request % 2 == 0 ? canary::Arm::canary : canary::Arm::baseline;
    judge->sample(0, arm, serve(arm, random), now);
    judge->count(1, arm, /*events=*/0, /*traffic=*/1, now);
    now += 500ms;
    const canary::Judgement said = judge->judge(now);
    if (said.verdict == canary::Verdict::fail) {
      std::printf("rolled back after %d requests: %s\n", request + 1, said.why.c_str());
      return 0;
    }
    if (said.verdict == canary::Verdict::pass) {
      std::printf("promoted after %d requests: %s\n", request + 1, said.why.c_str());
      return 1;
    }
  }
  return 1;
}
