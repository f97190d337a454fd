// The rollout in a small world whose instances need time to become ready, with people who change their minds.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

#include "homeostat/random.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::rollout {
namespace {

using namespace std::chrono_literals;

/// One side's instances.
struct Side {
  std::uint32_t count = 0;
  std::uint32_t ready = 0;
  void toward(std::uint32_t want) {
    if (count < want) {
      ++count;
    } else if (count > want) {
      --count;
      ready = std::min(ready, count);  // what is not ready goes first
    } else if (ready < count) {
      ++ready;
    }
  }
};

struct World {
  Side stable{};
  Side fresh{};
  Side baseline{};
  std::uint32_t weight = 0;

  bool is(const Split& to) const {
    return stable.count == to.stable && stable.ready == to.stable && fresh.count == to.fresh &&
           fresh.ready == to.fresh && baseline.ready == to.baseline && baseline.count == to.baseline &&
           weight == to.weight;
  }
  std::uint32_t ready() const { return stable.ready + fresh.ready; }
  std::uint32_t count() const { return stable.count + fresh.count + baseline.count; }
};

Policy any_policy() {
  Policy policy;
  policy.routing = *rc::gen::element(Routing::by_weight, Routing::by_count);
  const auto strategies = policy.routing == Routing::by_weight
                              ? std::vector{Strategy::canary, Strategy::rolling, Strategy::blue_green}
                              : std::vector{Strategy::canary, Strategy::rolling};
  policy.strategy = *rc::gen::elementOf(strategies);
  policy.surge = *rc::gen::inRange(0U, 4U);
  policy.watch_after = *rc::gen::element<Duration>(0s, 1min);
  policy.at_deadline = *rc::gen::element(AtDeadline::roll_back, AtDeadline::promote, AtDeadline::freeze);
  policy.deadline = 2min;
  if (policy.strategy == Strategy::canary) policy.baseline = *rc::gen::inRange(0U, 3U);
  if (policy.strategy == Strategy::rolling) return policy;
  std::uint32_t traffic = 0;
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
    traffic += *rc::gen::inRange(1U, 3000U);
    Stage stage{std::min(traffic, kAll), *rc::gen::element<Duration>(0s, 30s)};
    if (*rc::gen::arbitrary<bool>()) stage.gates.emplace_back("checks");
    if (*rc::gen::arbitrary<bool>()) stage.gates.emplace_back("approval");
    stage.pause = *rc::gen::element<std::optional<Duration>>(std::nullopt, 10s, kForever);
    policy.stages.push_back(stage);
  }
  return policy;
}

class Play {
 public:
  Play(std::uint32_t needed, std::uint64_t seed)
      : random_(seed), needed_(needed), state_(begin("v1", "v2", needed, now_)) {
    world_.stable = {needed, needed};
    places_ = room_ = needed + surge_of(policy_, needed) + policy_.baseline;
    RC_ASSERT(validate(policy_).has_value());
  }

  void turn(bool people) {
    now_ += std::array<Duration, 3>{0s, 1s, 20s}[random_.below(3)];
    if (people) command();
    say_gates(people);
    if (people && random_.below(40) == 0) harm(state_, "errors");
    const State before = state_;
    const Seen seen{needed_,
                    world_.stable.ready,
                    world_.fresh.ready,
                    room_,
                    world_.stable.count,
                    world_.fresh.count,
                    world_.baseline.count};
    advance(policy_, state_, seen, now_);
    judge(before);
    act();
    if (const auto next = successor(state_, now_)) {
      if (state_.phase == Phase::promoted) world_ = {world_.fresh, world_.stable, {}, 0};
      state_ = *next;
    }
  }

  /// Nobody interferes any more, and what can pass does.
  void finish() {
    for (int i = 0; i < 2000 && !ended(state_); ++i) {
      if (!state_.frozen.empty() || i % 50 == 49) (void)resume(state_, now_);
      turn(false);
    }
    RC_ASSERT(ended(state_));
    const bool promoted = state_.phase == Phase::promoted;
    const Side& side = promoted ? world_.fresh : world_.stable;
    RC_ASSERT(world_.count() == side.count && side.ready == side.count && side.count > 0);
    RC_ASSERT(policy_.routing == Routing::by_count || world_.weight == (promoted ? kAll : 0));
    // Once people have stopped some, nobody makes up for them when nothing else is to be done.
    RC_ASSERT(stopped_any_ || side.count == state_.needed);
    RC_ASSERT(world_.count() <= room_);

    RC_ASSERT(promoted || !state_.harm.empty());
  }

 private:
  void command() {
    switch (random_.below(26)) {
      case 0:
        return void(promote(policy_, state_, "ada", true, now_));
      case 1:
      case 2:
        return void(promote(policy_, state_, "ada", false, now_));
      case 3:
        return void(abort(state_, "ada"));
      case 4:
        return void(freeze(state_, "to look at it"));
      case 5:
      case 6:
        return void(resume(state_, now_));
      case 7:
        return void(retry(state_, "ada", now_));
      case 8:
        return void(supersede(state_, "v3"));
      case 9:
        return interrupted(state_, now_);
      case 10:
        return need_more();
      case 11:
        return stop_one();
      case 12:
        room_ = std::min(room_ + 1, places_);
        return;
      default:
        return;
    }
  }

  void need_more() {
    if (needed_ == 9) return;
    const std::uint32_t more = surge_of(policy_, needed_ + 1) - surge_of(policy_, needed_) + 1;
    ++needed_;
    places_ += more;
    room_ += more;
  }

  // A place that a person has stopped is missing at once, and nobody else's fault.
  void stop_one() {
    if (room_ <= least_room(policy_)) return;
    --room_;
    stopped_any_ = true;
    least_ = fit(policy_, least_, room_).needed;
    if (world_.count() <= room_) return;  // none that was in use
    std::array<Side*, 3> sides{&world_.stable, &world_.fresh, &world_.baseline};
    Side* side = sides[random_.below(3)];
    while (side->count == 0) side = sides[random_.below(3)];
    --side->count;
    side->ready = std::min(side->ready, side->count);
    excused_ = true;
  }

  void say_gates(bool people) {
    for (const std::string name : {"checks", "approval"}) {
      if (people && random_.below(4) != 0) continue;
      gate(state_, name, GateResult::passed, "", name == "approval" ? "ada" : "");
    }
    if (people && random_.below(8) == 0) gate(state_, "checks", GateResult::closed, "until the morning");
  }

  void judge(const State& before) {
    if (state_.phase == Phase::shifting || state_.phase == Phase::baking) {
      const std::uint32_t allowed = state_.stage < policy_.stages.size() ? policy_.stages[state_.stage].traffic : kAll;
      if (policy_.routing == Routing::by_weight) RC_ASSERT(state_.split.weight <= allowed);
    }
    RC_ASSERT(state_.split.baseline <= policy_.baseline);
    RC_ASSERT(stopped_any_ || state_.split.baseline <= std::max(1U, state_.split.fresh));
    const bool over = ended(state_) || state_.phase == Phase::watching || state_.phase == Phase::finishing;
    RC_ASSERT(!over || state_.split.baseline == 0);
    for (std::size_t i = before.passed.size(); i < state_.passed.size(); ++i) {
      RC_ASSERT(state_.passed[i].stage == i);
      RC_ASSERT(state_.passed[i].waived.empty() || !state_.passed[i].by.empty());
    }
    RC_ASSERT(rising(state_) || state_.phase == Phase::promoted || state_.phase == Phase::rolled_back ||
              !state_.harm.empty());
  }

  // A part of the step is done, or all of it.
  void act() {
    if (!state_.step) {
      if (world_.fresh.count == 0) world_.weight = state_.split.weight;
      return;
    }
    const Split& to = state_.step->to;
    if (random_.below(3) != 0) world_.stable.toward(to.stable);
    if (random_.below(3) != 0) world_.fresh.toward(to.fresh);
    if (random_.below(3) != 0) world_.baseline.toward(to.baseline);
    if (random_.below(2) == 0) world_.weight = to.weight;
    RC_ASSERT(excused_ || carries());
    if (!world_.is(to)) return;
    confirm(state_, state_.step->id, now_);
    excused_ = excused_ && !carries();
  }

  // What is not ready because the need has just grown is nobody's fault.
  bool carries() const {
    const std::uint32_t known = std::max(1U, least_);
    const std::uint32_t base = surge_of(policy_, known) == 0 ? known - 1 : known;
    if (policy_.routing == Routing::by_count) return world_.ready() >= base;
    return world_.ready() >= base && world_.fresh.ready >= capacity_for(base, world_.weight) &&
           world_.stable.ready >= capacity_for(base, kAll - world_.weight);
  }

  Random random_;
  Policy policy_ = any_policy();
  Instant now_{1h};
  std::uint32_t needed_;
  std::uint32_t least_ = needed_;
  std::uint32_t places_ = 0;
  std::uint32_t room_ = 0;  // places that people have not stopped
  bool stopped_any_ = false;
  bool excused_ = false;  // since they stopped one, until a step is done and there are enough again
  State state_;
  World world_;
};

RC_GTEST_PROP(RolloutProperty, WhateverIsWantedItEndsAndNeverOverloads, ()) {
  Play play(*rc::gen::inRange(1U, 7U), *rc::gen::arbitrary<std::uint64_t>());
  for (int turns = *rc::gen::inRange(0, 200); turns > 0; --turns) play.turn(true);
  play.finish();
}

RC_GTEST_PROP(RolloutProperty, SharesAddUpAndAreOffByLessThanOne, ()) {
  const auto shares = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 10'001U));
  const auto total = *rc::gen::inRange(0U, 100'000U);
  const auto parts = apportion(total, shares);
  std::uint64_t all = 0;
  for (const std::uint32_t share : shares) all += share;
  RC_PRE(all > 0);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sum += parts[i];
    const double exact = static_cast<double>(total) * shares[i] / static_cast<double>(all);
    RC_ASSERT(std::abs(parts[i] - exact) < 1);
  }
  RC_ASSERT(sum == total);
}

}  // namespace
}  // namespace homeostat::rollout
