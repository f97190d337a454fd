// How much may be done: budgets, capacity, attempts.
#include <algorithm>

#include "engine/ladder.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

/// In no window are more running instances taken away by repairs than the budget allows, over crashes too.
class WithinBudget : public Invariant {
 public:
  explicit WithinBudget(Scene& scene) : Invariant(scene, "repairs_stay_within_the_budget") {}
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    const ServicePlan* plan = arena().plan_of(deed.service);
    if (story == nullptr || plan == nullptr || !story->intent.disruptive) return;
    if (!automatic(story->intent.origin, story->intent.by)) return;
    if (story->stops + story->others > 1) return;
    const Instant at = std::min(story->dispatched_at, arena().now());
    if (deed.service >= used_.size()) used_.resize(deed.service + 1);
    count(used_[deed.service], at, plan->budget, plan->instances, plan->name);
    const Intent& intent = story->intent;
    if (const auto& own = arena().plan().instance; own && intent.slot >= 0)
      count(places_[{deed.service, intent.slot}], at, *own, 1, "one instance of " + plan->name);
    for (const GroupPlan& group : arena().plan().groups) {
      if (group.name == intent.group) count_group(group, at);
    }
    std::uint32_t fleet = 0;
    for (const ServicePlan& service : arena().plan().services) fleet += service.instances;
    largest_ = std::max(largest_, fleet);
    count(all_, at, arena().plan().fleet, largest_, "the fleet");
  }

 private:
  struct Group {
    std::vector<Instant> used;
    std::uint32_t largest = 0;
  };
  void count_group(const GroupPlan& group, Instant at) {
    std::uint32_t instances = 0;
    for (const ServicePlan& service : arena().plan().services) {
      const bool is_of = service.group != kNone && arena().plan().groups[service.group].name == group.name;
      instances += is_of ? service.instances : 0;
    }
    Group& known = groups_[group.name];
    known.largest = std::max(known.largest, instances);
    count(known.used, at, group.budget, known.largest, "group " + group.name);
  }
  void count(std::vector<Instant>& used, Instant at, const Budget& budget, std::uint32_t instances,
             const std::string& whose) {
    used.insert(std::upper_bound(used.begin(), used.end(), at), at);
    const std::uint32_t limit = std::max(budget.max_actions, instances * budget.percent / 100);
    if (used.size() <= limit) return expect(true, [] { return std::string(); });
    // An intent is dated up to five seconds before its dispatch, while it waits for the journal.
    bool within = true;
    for (std::size_t i = limit; i < used.size(); ++i) within = within && used[i] - used[i - limit] > budget.per - 6s;
    expect(within, [&] { return "more than " + std::to_string(limit) + " repairs of " + whose + " in its window"; });
  }

  std::vector<std::vector<Instant>> used_;
  std::map<std::pair<std::uint32_t, Slot>, std::vector<Instant>> places_;
  std::map<std::string, Group> groups_;
  std::vector<Instant> all_;
  std::uint32_t largest_ = 0;
};

/// What is well is not taken away while too much of the service is missing already.
class CapacityKept : public Invariant {
 public:
  explicit CapacityKept(Scene& scene) : Invariant(scene, "healthy_capacity_is_kept") {}
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || story->intent.op != Op::restart || story->intent.slot < 0) return;
    const ServicePlan* plan = arena().plan_of(story->service);
    if (plan == nullptr || !plan->runtime.managed || !surely_up(*plan, story->service, story->intent.slot)) return;
    std::uint32_t missing = 0;
    for (Slot slot = 0; slot < static_cast<Slot>(plan->instances); ++slot) {
      const bool wanted = arena().engine().durable().services.at(plan->name).wants_running(slot);
      if (slot != story->intent.slot && wanted && ledger().spot(story->service, slot).dead) ++missing;
    }
    expect(missing + 1 <= plan->max_unavailable.of(plan->instances), [&] {
      return words(story->intent) + " takes a healthy instance away, " + std::to_string(missing) + " miss";
    });
  }

 private:
  bool surely_up(const ServicePlan& plan, std::uint32_t service, Slot slot) {
    const Spot& spot = ledger().spot(service, slot);
    if (spot.dead || spot.checks.empty()) return false;
    for (CheckId id = 0; id < spot.checks.size() && id < plan.checks.size(); ++id) {
      const Told& told = spot.checks[id];
      const bool counts = plan.checks[id].role == Role::alive && plan.checks[id].scope == Scope::instance;
      if (counts && (told.verdict || told.good < plan.checks[id].policy.success_threshold * 3)) return false;
    }
    return arena().well(service, slot);
  }
};

/// A rung is tried as often as it says, and after the wait between two tries; a spent ladder calls somebody before it
/// begins again, or somebody was called, since it is down, about what is linked with it; it begins anew only
/// after enough health, or for an operator.
class BoundedAttempts : public Invariant {
 public:
  explicit BoundedAttempts(Scene& scene) : Invariant(scene, "attempts_are_bounded") {}
  void given(const Input& input) override {
    const auto* in = std::get_if<Operator>(&input);
    by_hand_ = in != nullptr && (in->verb == Verb::start || in->verb == Verb::remediate);
  }
  void recorded(const Record& record) override {
    if (const auto* intent = std::get_if<Intent>(&record.body)) return intended(*intent);
    if (const auto* escalated = std::get_if<Escalated>(&record.body)) called_[escalated->incident] = arena().now();
    if (const auto* well = std::get_if<IncidentRecovering>(&record.body)) {
      place(well->service, well->slot).well_since = well->first_success;
    }
    if (const auto* moved = std::get_if<LadderMoved>(&record.body)) ladder_moved(*moved);
  }
  void died() override { places_.clear(); }

 private:
  struct Place {
    LadderState last;
    Instant well_since = kLongAgo;
    bool known = false;
  };
  Place& place(const std::string& service, Slot slot) { return places_[{arena().number_of(service), slot}]; }

  void intended(const Intent& intent) {
    const ServicePlan* plan = arena().plan_of(arena().number_of(intent.service));
    if (plan == nullptr || intent.origin != Origin::ladder) return;
    const auto& rungs = rungs_of(*plan, intent.issue);
    if (intent.rung >= rungs.size()) return;
    expect(intent.attempt >= 1 && intent.attempt <= rungs[intent.rung].attempts,
           [&] { return words(intent) + " is one try too many of its rung"; });
    const Place& place = this->place(intent.service, intent.slot);
    expect(!place.known || arena().now() >= place.last.not_before,
           [&] { return words(intent) + " comes before its wait is over"; });
  }

  void ladder_moved(const LadderMoved& moved) {
    Place& place = this->place(moved.service, moved.slot);
    const LadderState last = place.last;
    const bool known = place.known;
    place.last = moved.state;
    place.known = true;
    if (!known) return;
    const ServicePlan* plan = arena().plan_of(arena().number_of(moved.service));
    if (plan == nullptr) return;
    if (moved.state.rounds > last.rounds) {
      expect(somebody_knows(moved.service), [&] { return "the ladder of " + moved.service + " was spent in silence"; });
    } else if (moved.state.tries == 0 && last.tries > 1) {
      const bool earned = place.well_since != kLongAgo && arena().now() >= later(place.well_since, plan->rearm_after);
      expect(by_hand_ || earned, [&] { return "the ladder of " + moved.service + " forgot its tries too early"; });
    }
  }

  bool somebody_knows(const std::string& service) {
    const auto& services = arena().engine().durable().services;
    if (called_.contains(services.at(service).incident)) return true;
    const auto own = arena().engine().durable().incidents.find(services.at(service).incident);
    if (own == arena().engine().durable().incidents.end()) return false;
    const Instant down_since = own->second.verdict_at;
    return std::ranges::any_of(linked_with(service), [&](const std::string& other) {
      const auto state = services.find(other);
      const auto call = state == services.end() ? called_.end() : called_.find(state->second.incident);
      return call != called_.end() && state->second.incident != 0 && call->second >= down_since;
    });
  }

  // By what needs what, over any number of steps.
  std::set<std::string> linked_with(const std::string& service) {
    const std::vector<ServicePlan>& all = arena().engine().plan().services;
    std::set<std::string> linked{service};
    for (std::size_t before = 0; before != linked.size();) {
      before = linked.size();
      for (const ServicePlan& plan : all) {
        for (const Need& need : plan.depends_on) {
          const std::string& other = all[need.service].name;
          if (linked.contains(plan.name)) linked.insert(other);
          if (linked.contains(other)) linked.insert(plan.name);
        }
      }
    }
    return linked;
  }

  std::map<std::pair<std::uint32_t, Slot>, Place> places_;
  std::map<std::uint64_t, Instant> called_;  // by incident, when last
  bool by_hand_ = false;
};

}  // namespace

void add_limit_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<WithinBudget>(scene));
  out.push_back(std::make_unique<CapacityKept>(scene));
  out.push_back(std::make_unique<BoundedAttempts>(scene));
}

}  // namespace homeostat::sim
