// scaling_table: what different rules make of the same loads.
#include <cstdio>

#include "sim/queue/queue.hpp"

int main() {
  using namespace homeostat;
  using namespace homeostat::sim;
  const std::vector<QueueRule> rules{hpa_value(), hpa_average(), drain_rule()};
  std::puts("| load | start-up | rule | peak | instance-hours | mean wait | first drain |");
  std::puts("|---|---|---|---|---|---|---|");
  for (const QueueLoad& load : queue_loads()) {
    for (const int start_up : {15, 60, 120}) {
      for (const QueueRule& rule : rules) {
        const QueueOutcome outcome = run_queue(load, rule, std::chrono::seconds(start_up));
        const std::string drained = outcome.first_drain < 0 ? "never" : std::to_string(outcome.first_drain) + " s";
        std::printf("| %s | %d s | %s | %d | %.1f | %.1f s | %s |\n", load.name.c_str(), start_up, rule.name.c_str(),
                    outcome.peak, outcome.instance_hours(), outcome.mean_wait(), drained.c_str());
      }
    }
  }
  return 0;
}
