#include "sim/queue/queue.hpp"

#include <gtest/gtest.h>

namespace homeostat::sim {
namespace {

using namespace std::chrono_literals;

TEST(Queue, TheDrainRuleNeitherOvershootsNorLetsWait) {
  const QueueOutcome outcome = run_queue(queue_loads()[0], drain_rule(), 60s);
  EXPECT_LE(outcome.peak, 25);
  EXPECT_LE(outcome.instance_hours(), 5);
  EXPECT_LE(outcome.mean_wait(), 8.5);
  EXPECT_GT(outcome.first_drain, 0);
  EXPECT_LE(outcome.first_drain, 175);
}

TEST(Queue, TheSameWithoutKnowingHowLongAStartTakes) {
  QueueRule rule = drain_rule();
  rule.saw_first_start = false;
  const QueueOutcome outcome = run_queue(queue_loads()[0], rule, 60s);
  EXPECT_LE(outcome.peak, 25);
  EXPECT_LE(outcome.instance_hours(), 5);
  EXPECT_LE(outcome.mean_wait(), 8.5);
  EXPECT_LE(outcome.first_drain, 185);
}

// What Kubernetes' rules do here is known from elsewhere: the same world shows the same.
TEST(Queue, TheRulesOfKubernetesOvershoot) {
  const QueueOutcome value = run_queue(queue_loads()[0], hpa_value(), 60s);
  EXPECT_EQ(value.peak, 1000);
  EXPECT_NEAR(value.instance_hours(), 178.1, 0.05);
  const QueueOutcome average = run_queue(queue_loads()[0], hpa_average(), 60s);
  EXPECT_EQ(average.peak, 570);
  EXPECT_NEAR(average.instance_hours(), 100.9, 0.05);
  const QueueOutcome quick = run_queue(queue_loads()[0], hpa_average(), 15s);
  EXPECT_EQ(quick.peak, 80);
  EXPECT_NEAR(quick.instance_hours(), 14.8, 0.05);
}

TEST(Queue, OnePolicyIsBetterForEveryLoad) {
  for (const QueueLoad& load : queue_loads()) {
    for (const Duration start_up : {15s, 60s, 120s}) {
      const QueueOutcome ours = run_queue(load, drain_rule(), start_up);
      for (const QueueRule& rule : {hpa_value(), hpa_average()}) {
        const QueueOutcome theirs = run_queue(load, rule, start_up);
        EXPECT_LT(ours.mean_wait(), theirs.mean_wait()) << load.name << ", " << start_up / 1s << " s, " << rule.name;
        EXPECT_LT(ours.instance_seconds, theirs.instance_seconds) << load.name;
        EXPECT_LT(ours.peak, theirs.peak) << load.name;
      }
    }
  }
}

// A month of decisions of one service leaves as much behind as an hour.
TEST(Queue, TheMemoryDoesNotGrow) {
  QueueLoad month{"a month", {}};
  const std::vector<QueueLoad> loads = queue_loads();
  for (int hour = 0; hour < 24 * 30; ++hour) {
    const std::vector<std::int64_t>& one = loads[static_cast<std::size_t>(hour) % loads.size()].arrivals;
    month.arrivals.insert(month.arrivals.end(), one.begin(), one.end());
  }
  const QueueOutcome outcome = run_queue(month, drain_rule(), 60s);
  EXPECT_LE(outcome.remembered, 200);
}

}  // namespace
}  // namespace homeostat::sim
