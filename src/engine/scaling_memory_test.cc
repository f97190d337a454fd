// The autoscaler's memory goes into a record or a snapshot and comes back: a restart at any moment decides the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "engine/binary.hpp"
#include "engine/delta.hpp"
#include "engine/durable.hpp"
#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"
#include "homeostat/random.hpp"
#include "homeostat/scaling.hpp"

namespace homeostat::engine {
namespace {

using namespace std::chrono_literals;

ScalingPolicy policy() {
  ScalingPolicy policy;
  policy.range = {0, 30};
  policy.metrics = {{"queue", MetricKind::drain, 0},
                    {"load", MetricKind::panic, 10'000},
                    {"requests", MetricKind::threshold, 40'000}};
  policy.metrics[2].threshold.up_cooldown = 30s;
  policy.metrics[2].threshold.down_cooldown = 60s;
  policy.metrics[1].panic.down_delay = 20s;
  policy.activation = {.metric = 1, .above = 0, .idle_for = 60s};
  policy.help = {.tries = 2, .improvement = 50'000, .settle = 10s, .hold = 5min};
  policy.fallback = {.after = 3, .instances = 5};
  policy.flap_budget = 20;
  policy.down.window = 20s;
  return policy;
}

/// A service whose metrics are random, its sources fail at times, and its instances take 20 s to start.
class Life {
 public:
  explicit Life(std::uint64_t seed = 7) : random(seed) {}

  ScalingInput look() {
    now += 5s;
    for (ScalingInstance& one : instances) {
      if (one.ready == Readiness::yes || now - *one.started < 20s) continue;
      one.ready = Readiness::yes;
      one.ready_changed = now;
      one.first_ready = now;
    }
    std::int64_t serving = 0;
    for (const ScalingInstance& one : instances) serving += one.ready == Readiness::yes ? 1 : 0;
    const auto arrived = static_cast<std::int64_t>(random.below(busy ? 1'000'000 : 100'000));
    const std::int64_t done = std::min(queue[0] + arrived, serving * 50'000);
    queue[0] += arrived - done;
    queue[1] += done;
    if (random.below(60) == 0) busy = !busy;
    load[0] = busy ? static_cast<std::int64_t>(random.below(100'000)) : 0;
    requests[0] = static_cast<std::int64_t>(random.below(busy ? 80'000 : 40'000));
    readings = {MetricReading{MetricFault::none, {}, queue}, MetricReading{MetricFault::none, {}, load},
                MetricReading{MetricFault::none, {}, requests}};
    if (random.below(10) == 0) outage = 5;
    if (outage > 0) readings[random.below(3)].fault = MetricFault::unread;
    outage = outage > 0 ? outage - 1 : 0;
    const auto count = static_cast<std::int32_t>(instances.size());
    return {readings, instances, {count, count}, {}, {}};
  }
  void follow(std::int32_t desired) {
    while (instances.size() < static_cast<std::size_t>(desired)) {
      ScalingInstance one;
      one.ready = Readiness::no;
      one.started = now;
      instances.push_back(one);
    }
    instances.resize(static_cast<std::size_t>(desired));
  }

  Instant now{100h};

 private:
  Random random;
  std::array<std::int64_t, 2> queue{};
  std::array<std::int64_t, 1> load{};
  std::array<std::int64_t, 1> requests{};
  std::array<MetricReading, 3> readings{};
  std::vector<ScalingInstance> instances;
  int outage = 0;
  bool busy = false;
};

TEST(ScalingMemory, ARestartAtAnyMomentDecidesTheSame) {
  const ScalingPolicy rules = policy();
  Life life;
  ScalingHistory kept;
  std::string saved = BinaryWriter::write(kept);
  std::int32_t most = 0;
  int changes = 0;
  for (int i = 0; i < 2000; ++i) {
    const ScalingInput input = life.look();
    ScalingDecision decision;
    decide(rules, kept, input, life.now, decision);
    note_scaled(rules, kept, decision, life.now);
    // The other was just started.
    ScalingHistory loaded;
    ASSERT_TRUE(BinaryReader::read(saved, loaded));
    ScalingDecision again;
    decide(rules, loaded, input, life.now, again);
    note_scaled(rules, loaded, again, life.now);
    ASSERT_EQ(again.desired, decision.desired) << i;
    ASSERT_EQ(again.rule, decision.rule) << i;
    ASSERT_EQ(again.without, decision.without) << i;
    ASSERT_TRUE(loaded == kept) << i;
    saved = BinaryWriter::write(loaded);
    ASSERT_LT(saved.size(), 2000U) << "it stays small";
    life.follow(decision.desired);
    most = std::max(most, decision.desired);
    changes += decision.changes() ? 1 : 0;
  }
  EXPECT_GT(most, 10) << "much happened";
  EXPECT_GT(changes, 100);
}

/// Decides on, and calls `each` with what was remembered before and after.
void live(std::uint64_t seed, int decisions, const std::function<void(const ScalingHistory&, ScalingHistory&)>& each) {
  const ScalingPolicy rules = policy();
  Life life(seed);
  ScalingHistory kept;
  for (int i = 0; i < decisions; ++i) {
    const ScalingHistory before = kept;
    const ScalingInput input = life.look();
    ScalingDecision decision;
    decide(rules, kept, input, life.now, decision);
    note_scaled(rules, kept, decision, life.now);
    each(before, kept);
    if (testing::Test::HasFatalFailure()) return;
    life.follow(decision.desired);
  }
}

TEST(ScalingMemory, WhatHasChangedLeadsFromOneDecisionToTheNext) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    ScalingHistory followed;
    std::size_t whole = 0, changes = 0, decisions = 0;
    live(seed, 300, [&](const ScalingHistory& before, ScalingHistory& after) {
      const auto change = DeltaWriter::write(before, after);
      ++decisions;
      if (!change) {
        followed = after;
        return;
      }
      ASSERT_TRUE(DeltaReader::apply(*change, followed));
      ASSERT_TRUE(followed == after) << "seed " << seed << ", decision " << decisions;
      whole += JsonWriter::write(after).size();
      changes += JsonWriter::write(ScalingSeen{"web", {}, *change}).size();
    });
    EXPECT_LT(changes * 4, whole) << "else it is not worth it";
  }
}

TEST(ScalingMemory, WhatIsNoChangeOfItIsRefusedAndChangesNothing) {
  ScalingHistory history;
  live(1, 50, [&](const ScalingHistory&, ScalingHistory& after) { history = after; });
  const ScalingHistory before = history;
  Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::int64_t> change(random.below(12));
    for (std::int64_t& number : change)
      number = random.below(3) == 0 ? static_cast<std::int64_t>(random.next())
                                    : static_cast<std::int64_t>(random.below(40)) - 10;
    if (DeltaReader::apply(change, history))
      history = before;
    else
      ASSERT_TRUE(history == before);
  }
}

TEST(ScalingMemory, AJournalWithTheWholeMemoryInEachRecordIsStillRead) {
  ScalingHistory history;
  live(1, 50, [&](const ScalingHistory&, ScalingHistory& after) { history = after; });
  const std::string old = R"({"service":"web","history":)" + JsonWriter::write(history) + "}";
  const auto body = decode("scaling", old);
  ASSERT_TRUE(body);
  Durable durable;
  durable.apply({1, Instant(1h), 1, Scaled{"web", 0, 1, {}, 3, "configuration", "", {}}});
  durable.apply({2, Instant(1h), 1, *body});
  EXPECT_TRUE(durable.services.at("web").scaling->history == history);
}

TEST(ScalingMemory, StandsInAJsonRecordAndComesBack) {
  const ScalingPolicy rules = policy();
  Life life;
  ScalingHistory kept;
  for (int i = 0; i < 100; ++i) {
    const ScalingInput input = life.look();
    ScalingDecision decision;
    decide(rules, kept, input, life.now, decision);
    note_scaled(rules, kept, decision, life.now);
    life.follow(decision.desired);
  }
  ScalingHistory back;
  ASSERT_TRUE(JsonReader::read(JsonWriter::write(kept), back));
  EXPECT_TRUE(back == kept);
}

}  // namespace
}  // namespace homeostat::engine
