// What guardrails promise: maintenance is left alone and seen afresh, calm follows a storm, approvals do not last.
#include <algorithm>

#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

bool of_everything_or(const std::string& whom, const std::string& service) { return whom.empty() || whom == service; }

/// While somebody works on a service, nothing is done to it by itself: from the moment that is durable, over crashes
/// and reloads; and in the windows of the configuration, by the clock of the world.
class MaintenanceRests : public Invariant {
 public:
  explicit MaintenanceRests(Scene& scene) : Invariant(scene, "maintenance_is_left_alone") {}
  void durable(const Record& record) override {
    const auto* began = std::get_if<MaintenanceBegan>(&record.body);
    if (began != nullptr && !began->scheduled) until_[began->service] = began->until;
    if (const auto* ended = std::get_if<MaintenanceEnded>(&record.body)) over(*ended);
  }
  // Taken back by a record that is not durable yet: no longer held against the engine.
  void recorded(const Record& record) override {
    if (const auto* ended = std::get_if<MaintenanceEnded>(&record.body)) over(*ended);
    if (const auto* failing = std::get_if<IncidentFailing>(&record.body)) {
      if (rests(failing->service)) expect(true, [] { return std::string(); });
    }
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || story->intent.op == Op::stop || !story->intent.by.empty()) return;
    expect(!rests(story->intent.service), [&] { return words(story->intent) + " in maintenance"; });
  }

 private:
  void over(const MaintenanceEnded& ended) {
    if (!ended.scheduled) until_.erase(ended.service);
    if (ended.early) ended_early_[ended.service] = arena().now();
  }
  bool rests(const std::string& service) const {
    for (const auto& [whom, until] : until_) {
      if (of_everything_or(whom, service) && arena().now() < until) return true;
    }
    const ServicePlan* plan = arena().plan_of(arena().number_of(service));
    return plan != nullptr && (open(plan->maintenance, service) || open(arena().plan().maintenance, ""));
  }
  // Since a second at least: so long a running engine may take to be told the time.
  bool open(const Few<MaintenanceWindow>& windows, const std::string& whom) const {
    const auto ended = ended_early_.find(whom);
    if (ended != ended_early_.end() && arena().now() < later(ended->second, 5min)) return false;
    return std::ranges::any_of(windows, [&](const MaintenanceWindow& window) {
      const auto is_open = [&](Instant at) {
        const auto minutes = std::chrono::floor<std::chrono::minutes>(at.time_since_epoch()).count();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
        return window.to != 0 ? window.from <= seconds && seconds < window.to
                              : between(window.start, window.end, minutes);
      };
      return is_open(arena().now()) && is_open(arena().now() - 1s);
    });
  }

  std::map<std::string, Instant> until_;
  std::map<std::string, Instant> ended_early_;
};

// A person who asks for a repair needs no evidence.
bool asked_for(const Story& story) { return !story.intent.by.empty(); }

/// What was seen in maintenance is no reason for anything after it.
class SeenAfresh : public Invariant {
 public:
  explicit SeenAfresh(Scene& scene) : Invariant(scene, "maintenance_ends_with_fresh_checks") {}
  void recorded(const Record& record) override {
    const auto* ended = std::get_if<MaintenanceEnded>(&record.body);
    if (ended != nullptr) ended_[ended->service] = arena().now();
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    const ServicePlan* plan = story == nullptr ? nullptr : arena().plan_of(story->service);
    if (plan == nullptr || story->intent.origin != Origin::ladder || !story->repairs()) return;
    if (asked_for(*story)) return;
    const Instant ended = std::max(ended_of(""), ended_of(plan->name));
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    if (ended == kLongAgo || spot.dead) return;
    bool seen = false;
    for (CheckId id = 0; id < spot.checks.size() && id < plan->checks.size(); ++id) {
      seen = seen || (plan->checks[id].role == Role::alive && spot.checks[id].last_bad >= ended);
    }
    expect(seen, [&] { return words(story->intent) + " on what was seen in maintenance"; });
  }

 private:
  Instant ended_of(const std::string& service) const {
    const auto found = ended_.find(service);
    return found == ended_.end() ? kLongAgo : found->second;
  }
  std::map<std::string, Instant> ended_;
};

/// When many failed at once and that is over, nothing is done on indirect evidence for a while, over a crash too.
class CalmAfterStorm : public Invariant {
 public:
  explicit CalmAfterStorm(Scene& scene) : Invariant(scene, "calm_follows_a_storm") {}
  void recorded(const Record& record) override {
    const auto* caution = std::get_if<CautionChanged>(&record.body);
    if (caution != nullptr && caution->caution == Caution::doubt && !caution->on) over_ = record.at;
  }
  void durable(const Record& record) override {
    const auto* caution = std::get_if<CautionChanged>(&record.body);
    if (caution != nullptr && caution->caution == Caution::doubt && !caution->on) safe_ = record.at;
  }
  void died() override { over_ = safe_; }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (over_ == kLongAgo || story == nullptr || story->intent.origin != Origin::ladder || !story->repairs()) return;
    if (asked_for(*story)) return;
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    const bool direct = spot.dead || std::ranges::any_of(spot.checks, [](const Told& told) { return told.direct; });
    if (direct) return;
    expect(arena().now() >= later(over_, arena().plan().storm_cool_down),
           [&] { return words(story->intent) + " on indirect evidence, right after a storm"; });
  }

 private:
  Instant over_ = kLongAgo;
  Instant safe_ = kLongAgo;
};

/// What waits for an approval waits so long and no longer, and is done only while it is still needed.
class ApprovalsEnd : public Invariant {
 public:
  explicit ApprovalsEnd(Scene& scene) : Invariant(scene, "approvals_do_not_last") {}
  void given(const Input& input) override {
    // Nobody could say yes while time stood still.
    const auto* gap = std::get_if<Gap>(&input);
    if (gap == nullptr) return;
    for (auto& [id, until] : until_) until = later(until, gap->length);
  }
  void recorded(const Record& record) override {
    const auto* intent = std::get_if<Intent>(&record.body);
    if (intent != nullptr && intent->mode == Mode::approve)
      until_[intent->id] = later(record.at, arena().plan().approval_within);
    if (const auto* approved = std::get_if<Approved>(&record.body)) given(*approved, record.at);
    if (const auto* outcome = std::get_if<Outcome>(&record.body)) until_.erase(outcome->id);
  }
  void stepped() override {
    for (const auto& [id, until] : until_)
      expect(arena().now() <= later(until, 20s), [&] { return "what nobody has approved still waits"; });
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    const ServicePlan* plan = story == nullptr ? nullptr : arena().plan_of(story->service);
    if (plan == nullptr || story->intent.mode != Mode::approve || story->intent.origin != Origin::ladder) return;
    if (asked_for(*story)) return;
    const Spot& spot = ledger().spot(story->service, story->intent.slot);
    bool well = !spot.dead && !spot.checks.empty();
    for (CheckId id = 0; id < spot.checks.size() && id < plan->checks.size(); ++id) {
      const CheckPlan& check = plan->checks[id];
      if (check.role != Role::alive || check.process) continue;
      well = well && spot.checks[id].good >= 3 * check.policy.success_threshold;
    }
    expect(!well, [&] { return words(story->intent) + " was approved, and is not needed any more"; });
  }
  void died() override { until_.clear(); }

 private:
  void given(const Approved& approved, Instant at) {
    const auto until = until_.find(approved.id);
    if (until == until_.end()) return;
    expect(at <= later(until->second, 5s), [&] { return "an approval was taken that came too late"; });
    until_.erase(until);
  }
  std::map<CommandId, Instant> until_;
};

}  // namespace

void add_guard_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<MaintenanceRests>(scene));
  out.push_back(std::make_unique<SeenAfresh>(scene));
  out.push_back(std::make_unique<CalmAfterStorm>(scene));
  out.push_back(std::make_unique<ApprovalsEnd>(scene));
}

}  // namespace homeostat::sim
