// What holds for the ladders beyond single actions: what is shared, what is rolled, what is raised.
#include <algorithm>
#include <map>

#include "engine/ladder.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// Work that has been begun and not been judged yet, by service.
class UnderWay : public Invariant {
 public:
  using Invariant::Invariant;

  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || !counts(story->intent)) return;
    begun(*story);
    under_way_[story->intent.id] = story->service;
  }
  void recorded(const Record& record) override {
    const auto* outcome = std::get_if<Outcome>(&record.body);
    if (outcome != nullptr && outcome->outcome != OutcomeKind::succeeded) under_way_.erase(outcome->id);
    if (const auto* verified = std::get_if<Verified>(&record.body)) under_way_.erase(verified->id);
  }

 protected:
  virtual bool counts(const Intent& intent) const = 0;
  virtual void begun(const Story& story) = 0;
  const std::map<CommandId, std::uint32_t>& under_way() const { return under_way_; }

 private:
  std::map<CommandId, std::uint32_t> under_way_;
};

/// Of the services that share something, one at a time is worked on.
class OneHolder : public UnderWay {
 public:
  explicit OneHolder(Scene& scene) : UnderWay(scene, "what_is_shared_has_one_holder") {}

 private:
  bool counts(const Intent& intent) const override {
    return intent.origin != Origin::desired && intent.op != Op::stop && intent.op != Op::route;
  }
  void begun(const Story& story) override {
    const ServicePlan* mine = arena().plan_of(story.service);
    if (mine == nullptr || mine->locks.empty()) return;
    const bool alone = std::ranges::none_of(under_way(), [&](const auto& one) {
      const ServicePlan* other = one.second == story.service ? nullptr : arena().plan_of(one.second);
      return other != nullptr && std::ranges::find_first_of(other->locks, mine->locks) != other->locks.end();
    });
    expect(alone, [&] { return words(story.intent) + " while another is worked on that shares with it"; });
  }
};

/// A restart that rolls has one step under way, never two.
class OneAfterTheOther : public UnderWay {
 public:
  explicit OneAfterTheOther(Scene& scene) : UnderWay(scene, "what_rolls_goes_one_after_the_other") {}

 private:
  bool counts(const Intent& intent) const override { return intent.origin == Origin::operation; }
  void begun(const Story& story) override {
    const bool first = std::ranges::none_of(under_way(), [&](const auto& one) { return one.second == story.service; });
    expect(first, [&] { return words(story.intent) + " before the step before it has proved well"; });
  }
};

/// A repair raises the number of instances no further than its rung says.
class RaisedWithinBounds : public Invariant {
 public:
  explicit RaisedWithinBounds(Scene& scene) : Invariant(scene, "what_is_raised_stays_within_its_bounds") {}
  void recorded(const Record& record) override {
    const auto* raised = std::get_if<ScalingRaised>(&record.body);
    const ServicePlan* plan = raised == nullptr ? nullptr : arena().plan_of(arena().number_of(raised->service));
    if (plan == nullptr || !plan->scaling) return;
    const auto most = static_cast<std::uint32_t>(plan->scaling->policy.range.max);
    const auto within = [&](const RungPlan& rung) {
      const std::uint32_t bound = rung.raise.max == 0 ? most : std::min(most, rung.raise.max);
      return rung.strategy == StrategyKind::scale_up && raised->count <= static_cast<std::int32_t>(bound);
    };
    expect(std::ranges::any_of(plan->ladder, within),
           [&] { return raised->service + " is raised to " + std::to_string(raised->count); });
  }
};

}  // namespace

void add_ladder_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<OneHolder>(scene));
  out.push_back(std::make_unique<OneAfterTheOther>(scene));
  out.push_back(std::make_unique<RaisedWithinBounds>(scene));
}

}  // namespace homeostat::sim
