// What holds for the autoscaler, told from the load there really is, from what was measured, and from what was done.
#include <algorithm>
#include <map>

#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

/// A change of the number that the metrics have asked for: neither by hand nor by a repair, nor to bounds that have
/// moved.
class OfMetrics : public Invariant {
 public:
  using Invariant::Invariant;

  void given(const Input& input) override {
    measured_ = std::get_if<Measured>(&input);
    if (measured_ != nullptr) copy_ = *measured_;
    const auto* in = std::get_if<Operator>(&input);
    if (in != nullptr && in->verb == Verb::scale) held_[in->service] = in->count < 0 ? now() : until(*in);
  }
  void recorded(const Record& record) override {
    if (const auto* raised = std::get_if<ScalingRaised>(&record.body)) raised_[raised->service] = *raised;
    const auto* scaled = std::get_if<Scaled>(&record.body);
    const ServicePlan* plan = scaled == nullptr ? nullptr : plan_of(scaled->service);
    if (plan == nullptr || scaled->rule == "configuration" || now() <= held_[scaled->service]) return;
    const ScalingRaised& raised = raised_[scaled->service];
    if (now() < raised.until && scaled->from < raised.count) return;
    const CountRange range = plan->scaling->policy.range;
    if (scaled->from < range.min || scaled->from > range.max) return;
    changed(*scaled, *plan, record.at);
  }

 protected:
  virtual void changed(const Scaled& scaled, const ServicePlan& plan, Instant at) = 0;
  Instant now() const { return arena().now(); }
  Instant until(const Operator& in) const { return in.length == Duration{} ? kNever : later(now(), in.length); }
  const ServicePlan* plan_of(const std::string& service) const {
    const std::uint32_t number = arena().number_of(service);
    const ServicePlan* plan = number == kNone ? nullptr : arena().plan_of(number);
    return plan == nullptr || !plan->scaling ? nullptr : plan;
  }
  /// What the engine was told in this step; null: it was something else.
  const Measured* told() const { return measured_ == nullptr ? nullptr : &copy_; }

 private:
  const Measured* measured_ = nullptr;
  Measured copy_;
  std::map<std::string, Instant> held_;
  std::map<std::string, ScalingRaised> raised_;
};

std::string words(const Scaled& scaled) {
  return scaled.service + " goes from " + std::to_string(scaled.from) + " to " + std::to_string(scaled.to) + " (" +
         scaled.rule + ")";
}

/// Never more than the most, and nothing is stopped as not needed that leaves fewer than the least.
class WithinBounds : public Invariant {
 public:
  explicit WithinBounds(Scene& scene) : Invariant(scene, "scaling_stays_within_its_bounds") {}
  void given(const Input& input) override {
    const auto* in = std::get_if<Operator>(&input);
    if (in != nullptr && in->verb == Verb::stop) stopped_.insert(in->service);
  }
  void did(const Deed& deed) override {
    std::set<Slot>& there = there_[deed.service];
    const Story* story = ledger().find(deed.id);
    const bool not_needed = deed.op == Op::stop && story != nullptr && story->intent.strategy == "stop";
    if (deed.op == Op::start || deed.op == Op::restart) there.insert(deed.slot);
    if (not_needed) there.erase(deed.slot);
    const ServicePlan* plan = arena().plan_of(deed.service);
    if (plan == nullptr || !plan->scaling || since_reload_ > arena().now() - 5min) return;
    const CountRange range = plan->scaling->policy.range;
    const ArenaService& service = arena().services()[deed.service];
    const bool told = deed.op == Op::scale;
    const auto count = told ? service.told_count : static_cast<std::int32_t>(there.size());
    const bool few = (told || not_needed) && count < range.min && !stopped_.contains(service.name);
    expect(count <= range.max && !few, [&] { return service.name + " is left with " + std::to_string(count); });
  }
  void reloaded() override { since_reload_ = arena().now(); }

 private:
  std::map<std::uint32_t, std::set<Slot>> there_;  // started, and not taken away; a crash takes nothing away
  std::set<std::string> stopped_;                  // by somebody: then any number may be
  Instant since_reload_ = kLongAgo;
};

/// With a metric that was not read, or without an answer, nothing is taken away.
class UnreadTakesNothing : public OfMetrics {
 public:
  explicit UnreadTakesNothing(Scene& scene) : OfMetrics(scene, "what_cannot_be_read_takes_nothing_away") {}

 protected:
  void changed(const Scaled& scaled, const ServicePlan&, Instant) override {
    const bool read = told() != nullptr && std::ranges::all_of(told()->metrics, [](const MeasuredMetric& metric) {
                        return metric.fault == MetricFault::none;
                      });
    expect(read || scaled.to > scaled.from, [&] { return words(scaled) + " without all of its metrics"; });
  }
};

/// Within the time of a limit no more is added or taken away than it allows, and within the down-window it does not
/// go below what the metrics have asked for.
class KeepsSpeed : public OfMetrics {
 public:
  explicit KeepsSpeed(Scene& scene) : OfMetrics(scene, "scaling_keeps_its_speed") {}
  void recorded(const Record& record) override {
    seq_ = record.seq;
    OfMetrics::recorded(record);
  }
  // What somebody does by hand counts for the limits, too.
  void durable(const Record& record) override {
    const auto* scaled = std::get_if<Scaled>(&record.body);
    if (scaled == nullptr) return;
    // One that is not scaled any more is forgotten; other bounds alone are no change.
    if (scaled->rule == "configuration" && scaled->from == 0) past_.erase(scaled->service);
    if (scaled->rule == "configuration") return;
    const std::int32_t change = scaled->to - scaled->from;
    const bool grown = change > 0 && of_metrics_.contains(record.seq);
    past_[scaled->service].push_back({record.at, change, grown ? scaled->to : 0});
  }
  void died() override { of_metrics_.clear(); }

 protected:
  void changed(const Scaled& scaled, const ServicePlan& plan, Instant at) override {
    const ScalingPolicy& policy = plan.scaling->policy;
    const bool up = scaled.to > scaled.from;
    const RateLimit& limit = (up ? policy.up : policy.down).limits.front();
    std::int32_t change = scaled.to - scaled.from;
    bool turned = false;
    for (const Past& one : past_[scaled.service]) {
      if (at - one.at < limit.period) change += one.change;
      turned = turned || (scaled.to < one.grown_to && at - one.at < policy.down.window);
    }
    expect((up ? change : -change) <= limit.value, [&] { return words(scaled) + " too fast"; });
    expect(up || !turned, [&] { return words(scaled) + " only just after some were added"; });
    of_metrics_.insert(seq_);
  }

 private:
  struct Past {
    Instant at{};
    std::int32_t change = 0;
    std::int32_t grown_to = 0;  // by the metrics; 0: otherwise, or fewer
  };
  std::uint64_t seq_ = 0;
  std::set<std::uint64_t> of_metrics_;  // records of this life
  std::map<std::string, std::vector<Past>> past_;
};

/// What is frozen does not change in that direction, and what is paused in none.
class FrozenIsFrozen : public OfMetrics {
 public:
  explicit FrozenIsFrozen(Scene& scene) : OfMetrics(scene, "frozen_is_frozen") {}
  void given(const Input& input) override {
    OfMetrics::given(input);
    // Taken back before that is durable: no longer held against the engine.
    const auto* in = std::get_if<Operator>(&input);
    if (in == nullptr) return;
    if (in->verb == Verb::freeze) frozen_.erase(in->service);
    if (in->verb == Verb::resume) paused_.erase(in->service);
  }
  void durable(const Record& record) override {
    if (const auto* frozen = std::get_if<ScalingFrozen>(&record.body))
      frozen_[frozen->service] = {frozen->direction, frozen->until};
    if (const auto* paused = std::get_if<Paused>(&record.body)) paused_[paused->service] = paused->until;
    if (const auto* resumed = std::get_if<Resumed>(&record.body)) paused_.erase(resumed->service);
    // A service that is not scaled any more is not frozen any more.
    const auto* scaled = std::get_if<Scaled>(&record.body);
    if (scaled != nullptr && scaled->places == 0) frozen_.erase(scaled->service);
  }
  void reloaded() override { frozen_.clear(); }

 protected:
  void changed(const Scaled& scaled, const ServicePlan&, Instant at) override {
    const auto found = frozen_.find(scaled.service);
    const Freeze frozen = found == frozen_.end() || at >= found->second.second ? Freeze::none : found->second.first;
    const Freeze direction = scaled.to > scaled.from ? Freeze::up : Freeze::down;
    expect(frozen != direction && frozen != Freeze::both, [&] { return words(scaled) + " although it is frozen"; });
    for (const std::string& name : {std::string(), scaled.service}) {
      const auto pause = paused_.find(name);
      const bool paused = pause != paused_.end() && at < pause->second;
      expect(!paused, [&] { return words(scaled) + " although it is paused"; });
    }
  }

 private:
  std::map<std::string, std::pair<Freeze, Instant>> frozen_;
  std::map<std::string, Instant> paused_;
};

/// While an instance of it is repaired nothing is taken away; more may come.
class RepairFirst : public OfMetrics {
 public:
  explicit RepairFirst(Scene& scene) : OfMetrics(scene, "repair_goes_before_scaling_down") {}

 protected:
  void changed(const Scaled& scaled, const ServicePlan&, Instant) override {
    if (scaled.to > scaled.from) return expect(true, [] { return std::string(); });
    for (const auto& [id, story] : ledger().stories()) {
      const bool repairs = story.intent.service == scaled.service && story.repairs() && !story.outcome;
      expect(!repairs, [&, &intent = story.intent] { return words(scaled) + " during " + sim::words(intent); });
    }
  }
};

/// In mode `approve` the number changes only as somebody has agreed to.
class AskedFirst : public OfMetrics {
 public:
  explicit AskedFirst(Scene& scene) : OfMetrics(scene, "scaling_asks_first") {}
  void recorded(const Record& record) override {
    note(record, now_);
    OfMetrics::recorded(record);
  }
  void durable(const Record& record) override { note(record, safe_); }
  void died() override { now_ = safe_; }

 protected:
  void changed(const Scaled& scaled, const ServicePlan& plan, Instant) override {
    if (plan.mode != Mode::approve) return;
    const bool agreed = std::ranges::any_of(now_.agreed, [&](const CommandId& id) {
      const auto asked = now_.asked.find(id);
      return asked != now_.asked.end() && asked->second.service == scaled.service &&
             asked->second.from == scaled.from && asked->second.to == scaled.to && asked->second.spare == scaled.spare;
    });
    expect(agreed, [&] { return words(scaled) + " although nobody has agreed"; });
  }

 private:
  struct Known {
    std::map<CommandId, ScalingAsked> asked;
    std::set<CommandId> agreed;
  };
  static void note(const Record& record, Known& known) {
    if (const auto* asked = std::get_if<ScalingAsked>(&record.body)) known.asked[asked->id] = *asked;
    if (const auto* dropped = std::get_if<ScalingDropped>(&record.body)) known.asked.erase(dropped->id);
    const auto* approved = std::get_if<Approved>(&record.body);
    if (approved != nullptr && known.asked.contains(approved->id)) known.agreed.insert(approved->id);
  }
  Known now_;
  Known safe_;  // what the journal knows
};

/// When the faults have ended there are as many as the load needs.
class ScaledToNeed : public Invariant {
 public:
  explicit ScaledToNeed(Scene& scene) : Invariant(scene, "scaled_to_the_need") {}
  void rested() override {
    for (const ServicePlan& plan : arena().plan().services) {
      // What does not come to rest for another reason is not the autoscaler's.
      const ServiceState& state = arena().engine().durable().services.at(plan.name);
      if (!plan.scaling || plan.mode == Mode::approve || state.incident != 0 || state.down_since) continue;
      expect(scaled_to_need(arena(), plan), [&] {
        return plan.name + " under a load of " + std::to_string(load_of(plan)) + " has another number of instances";
      });
    }
  }

 private:
  std::int64_t load_of(const ServicePlan& plan) const { return arena().services()[arena().number_of(plan.name)].load; }
};

}  // namespace

bool scaled_to_need(const Arena& arena, const ServicePlan& plan) {
  const ScalingPolicy& policy = plan.scaling->policy;
  const ArenaService& service = arena.services()[arena.number_of(plan.name)];
  std::int32_t count = service.told_count;
  if (plan.runtime.managed)
    count = static_cast<std::int32_t>(std::ranges::count_if(service.places, [](const auto& one) { return one.alive; }));
  const std::int64_t target = policy.metrics.front().target;
  const bool enough = count == policy.range.max || service.load * 10 <= target * count * 11;
  // Half of them would do, too; with a flap budget they may stay.
  const bool many = policy.flap_budget == 0 && count > policy.range.min && service.load * 2 < target * (count - 1);
  return enough && !many && count >= policy.range.min && count <= policy.range.max;
}

void add_scaling_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<WithinBounds>(scene));
  out.push_back(std::make_unique<UnreadTakesNothing>(scene));
  out.push_back(std::make_unique<KeepsSpeed>(scene));
  out.push_back(std::make_unique<FrozenIsFrozen>(scene));
  out.push_back(std::make_unique<RepairFirst>(scene));
  out.push_back(std::make_unique<AskedFirst>(scene));
  out.push_back(std::make_unique<ScaledToNeed>(scene));
}

}  // namespace homeostat::sim
