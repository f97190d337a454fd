// What holds for every number: arithmetic without rounding, bounds, directions, and that not knowing never shrinks.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/scaling_limits.hpp"
#include "core/scaling_metric.hpp"
#include "core/scaling_test_kit.hpp"

namespace homeostat {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1000h};

DirectionRules percent(std::int32_t value) { return {LimitSelect::largest, {}, {{LimitUnit::percent, value, 60s}}}; }

// k is the smallest with 100 k >= n (100 + p), said without dividing.
TEST(ScalingExact, PercentUpIsTheSmallestNumberThatIsEnough) {
  for (std::int32_t p = 0; p <= 300; ++p) {
    const DirectionRules rules = percent(p);
    for (std::int32_t n = 0; n <= 500; ++n) {
      const std::int64_t k = up_limit({}, rules, n, kNow);
      const std::int64_t exact = std::int64_t{n} * (100 + p);
      ASSERT_TRUE(100 * k >= exact && 100 * (k - 1) < exact) << n << " instances, " << p << " % up: " << k;
    }
  }
}

TEST(ScalingExact, PercentDownIsCutTowardsZero) {
  for (std::int32_t p = 0; p <= 300; ++p) {
    const DirectionRules rules = percent(p);
    for (std::int32_t n = 0; n <= 500; ++n) {
      const std::int64_t k = down_limit({}, rules, n, kNow);
      const std::int64_t exact = std::int64_t{n} * (100 - p);
      const bool cut =
          exact >= 0 ? 100 * k <= exact && 100 * (k + 1) > exact : 100 * k >= exact && 100 * (k - 1) < exact;
      ASSERT_TRUE(cut) << n << " instances, " << p << " % down: " << k;
    }
  }
}

TEST(ScalingExact, TheRatioTimesTheInstancesIsRoundedUpOnce) {
  ScalingPolicy policy;
  policy.tolerance = {0, 0};
  MetricTrace trace;
  std::vector<ScalingInstance> instances;
  for (std::int32_t n = 1; n <= 50; ++n) {
    instances.push_back({});
    for (std::int64_t target = 1; target <= 100; ++target) {
      const MetricRule rule{"load", MetricKind::total, target};
      for (std::int64_t value = 1; value <= 200; ++value) {
        const MetricReading reading{MetricFault::none, {}, std::span(&value, 1)};
        propose(policy, rule, reading, instances, {n, n}, kNow, trace);
        const std::int64_t k = trace.proposal;
        const std::int64_t exact = n * value;
        ASSERT_TRUE(target * k >= exact && target * (k - 1) < exact) << n << " * " << value << " / " << target;
      }
    }
  }
}

TEST(ScalingExact, ToleranceIsExactAtItsEdges) {
  const std::vector<ScalingInstance> instances(10);
  const auto proposal = [&](std::int64_t value, std::int64_t target) {
    MetricTrace trace;
    const MetricReading reading{MetricFault::none, {}, std::span(&value, 1)};
    propose({}, {"load", MetricKind::total, target}, reading, instances, {10, 10}, kNow, trace);
    return trace.proposal;
  };
  for (std::int64_t target = 10; target <= 5000; target += 10) {
    ASSERT_EQ(proposal(target / 10 * 11, target), 10) << target;
    ASSERT_EQ(proposal(target / 10 * 11 + 1, target), 12) << target;
    ASSERT_EQ(proposal(target / 10 * 9, target), 10) << target;
    ASSERT_LT(proposal(target / 10 * 9 - 1, target), 10) << target;
  }
}

RateLimit any_limit() {
  return {*rc::gen::element(LimitUnit::instances, LimitUnit::percent), *rc::gen::inRange(0, 300),
          *rc::gen::element<Duration>(1s, 15s, 60s, 30min)};
}

DirectionRules any_rules() {
  DirectionRules rules;
  rules.select = *rc::gen::weightedElement<LimitSelect>(
      {{4, LimitSelect::largest}, {4, LimitSelect::smallest}, {1, LimitSelect::disabled}});
  rules.window = *rc::gen::element<Duration>(0s, 15s, 60s, 300s, 1h);
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) rules.limits.push_back(any_limit());
  return rules;
}

MetricRule any_metric(bool forms) {
  MetricRule rule;
  rule.id = *rc::gen::element("a", "b", "c", "d");
  rule.kind = static_cast<MetricKind>(*rc::gen::inRange(0, forms ? 7 : 4));
  rule.target = *rc::gen::weightedElement<std::int64_t>({{1, 0}, {5, 50}, {5, 1000}, {5, 30'000}});
  rule.cpu = *rc::gen::arbitrary<bool>();
  return rule;
}

ScalingInstance any_instance(Instant now) {
  ScalingInstance instance;
  instance.phase = *rc::gen::weightedElement<InstancePhase>({{1, InstancePhase::pending},
                                                             {8, InstancePhase::running},
                                                             {1, InstancePhase::succeeded},
                                                             {1, InstancePhase::failed}});
  instance.leaving = *rc::gen::inRange(0, 10) == 0;
  instance.ready = *rc::gen::weightedElement<Readiness>(
      {{8, Readiness::yes}, {2, Readiness::no}, {1, Readiness::absent}, {1, Readiness::unknown}});
  if (*rc::gen::inRange(0, 10) != 0) instance.started = now - *rc::gen::element<Duration>(0s, 20s, 100s, 1h);
  instance.ready_changed = now - *rc::gen::element<Duration>(0s, 10s, 70s, 1h);
  if (*rc::gen::inRange(0, 10) != 0) instance.request = *rc::gen::element<std::int64_t>(0, 500, 2000);
  return instance;
}

/// What goes beyond a HorizontalPodAutoscaler.
void add_anything(ScalingPolicy& policy) {
  for (MetricRule& rule : policy.metrics) {
    rule.threshold.range = {*rc::gen::inRange(0, 4), *rc::gen::inRange(4, 100)};
    rule.threshold.up_cooldown = rule.threshold.down_cooldown = *rc::gen::element<Duration>(0s, 30s, 300s);
    rule.panic.down_delay = *rc::gen::element<Duration>(0s, 30s);
    rule.drain.spare = *rc::gen::element<std::int64_t>(0, 200'000);
  }
  if (policy.range.min == 0 && *rc::gen::arbitrary<bool>())
    policy.activation = {.metric = 0, .above = *rc::gen::element<std::int64_t>(0, 1000), .idle_for = 60s};
  policy.fallback = {.after = *rc::gen::inRange(0, 4), .instances = *rc::gen::inRange(0, 20)};
  policy.flap_budget = *rc::gen::inRange(0, 3);
  policy.help.tries = *rc::gen::inRange(0, 3);
}

ScalingControl any_control() {
  const auto rarely = [] { return *rc::gen::inRange(0, 6) == 0; };
  ScalingControl control{rarely(), rarely(), rarely(), rarely(), {}};
  if (rarely()) control.by_hand = *rc::gen::inRange(0, 300);
  return control;
}

/// One service with random rules, told random things again and again.
struct AnyService {
  ScalingPolicy policy;
  ScalingHistory history;
  std::vector<ScalingInstance> instances;
  std::vector<std::vector<MetricSample>> samples;
  std::vector<std::vector<std::int64_t>> totals;
  std::vector<MetricReading> readings;
  std::int32_t wanted = 0;
  std::int32_t running = 0;
  Instant now{kNow};
  ScalingDecision out;

  bool forms;
  ScalingControl control;

  explicit AnyService(bool beyond) : forms(beyond) {
    policy.range.min = *rc::gen::inRange(0, 5);
    policy.range.max = policy.range.min + *rc::gen::inRange(1, 200);
    policy.behavior = *rc::gen::arbitrary<bool>();
    policy.up = any_rules();
    policy.down = any_rules();
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) policy.metrics.push_back(any_metric(forms));
    if (forms) add_anything(policy);
    wanted = *rc::gen::inRange(0, policy.range.max + 3);
  }

  void look() {
    now += *rc::gen::element<Duration>(1s, 15s, 61s, 400s);
    instances.clear();
    for (int i = *rc::gen::inRange(0, 8); i > 0; --i) instances.push_back(any_instance(now));
    samples.assign(policy.metrics.size(), {});
    totals.assign(policy.metrics.size(), {});
    readings.clear();
    for (std::size_t m = 0; m < policy.metrics.size(); ++m) {
      for (std::uint32_t i = 0; i < instances.size(); ++i) {
        if (*rc::gen::inRange(0, 6) == 0) continue;
        samples[m].push_back({i, *rc::gen::inRange<std::int64_t>(0, 3000), now - 1s, 15s});
      }
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
        totals[m].push_back(*rc::gen::inRange<std::int64_t>(*rc::gen::inRange(-1, 1), 200'000));
      const bool failed = *rc::gen::inRange(0, 8) == 0;
      readings.push_back({failed ? MetricFault::unread : MetricFault::none, samples[m], totals[m]});
    }
    running = std::max(0, wanted + *rc::gen::inRange(-1, 2));
    if (forms) control = any_control();
    decide(policy, history, input(), now, out);
  }

  ScalingInput input() const { return {readings, instances, {wanted, running}, control, {}}; }

  void act() {
    note_scaled(policy, history, out, now);
    wanted = out.desired;
  }
};

std::int32_t sign(std::int32_t a) { return a > 0 ? 1 : a < 0 ? -1 : 0; }

TEST(ScalingProperty, HoldsForEveryDecision) {
  const auto walk = [] {
    AnyService service(false);
    for (int i = *rc::gen::inRange(1, 25); i > 0; --i) {
      service.look();
      const ScalingDecision& out = service.out;
      if (out.rule != ScalingRule::disabled) {
        RC_ASSERT(out.desired >= service.policy.range.min);
        RC_ASSERT(out.desired <= service.policy.range.max);
      }
      if (out.weighed) {
        // A limit holds; it never turns around.
        RC_ASSERT(sign(out.desired - out.current) * sign(out.stable.result - out.current) >= 0);
        if (service.policy.behavior) RC_ASSERT(sign(out.desired - out.current) * sign(out.proposal - out.current) >= 0);
        if (out.fault != MetricFault::none) RC_ASSERT(out.desired >= out.current);
      }
      if (*rc::gen::inRange(0, 4) != 0) service.act();
    }
  };
  EXPECT_TRUE(rc::check("bounds, directions, and not knowing never shrinks", walk));
}

TEST(ScalingProperty, HoldsForEveryPolicyAndEveryHand) {
  const auto walk = [] {
    AnyService service(true);
    for (int i = *rc::gen::inRange(1, 40); i > 0; --i) {
      service.look();
      const ScalingDecision& out = service.out;
      const ScalingControl& control = service.control;
      const bool inside = out.desired >= out.range.min && out.desired <= out.range.max;
      RC_ASSERT(inside || out.desired == out.current);
      if (control.paused) RC_ASSERT(out.desired == out.current);
      if (!control.by_hand) {
        if (control.freeze_up) RC_ASSERT(out.desired <= out.current);
        if (control.freeze_down || control.repairing) RC_ASSERT(out.desired >= out.current);
        if (out.weighed && out.fault != MetricFault::none) RC_ASSERT(out.desired >= out.current);
        if (out.hand_over && out.weighed) RC_ASSERT(out.desired <= out.current);
      }
      if (out.rule == ScalingRule::metrics) RC_ASSERT(out.without == out.desired);
      RC_ASSERT(service.history.metrics.size() == service.policy.metrics.size());
      recommend(service.policy, out);
      RC_ASSERT(!explain(service.policy, out).empty());
      if (*rc::gen::inRange(0, 4) != 0) service.act();
    }
  };
  EXPECT_TRUE(rc::check("bounds, hands, and not knowing never shrinks", walk));
}

TEST(ScalingProperty, ACopyOfTheMemoryDecidesTheSame) {
  const auto walk = [] {
    AnyService service(true);
    for (int i = *rc::gen::inRange(1, 15); i > 0; --i) {
      ScalingHistory copy = service.history;
      service.look();
      ScalingDecision again;
      decide(service.policy, copy, service.input(), service.now, again);
      RC_ASSERT(again.desired == service.out.desired);
      RC_ASSERT(again.rule == service.out.rule);
      RC_ASSERT(again.without == service.out.without);
      RC_ASSERT(copy == service.history);
      service.act();
    }
  };
  EXPECT_TRUE(rc::check("the memory is all there is", walk));
}

}  // namespace
}  // namespace homeostat
