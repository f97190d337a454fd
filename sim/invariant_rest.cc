// What holds for the whole: nothing piles up, and when the faults have ended everything comes to rest and works.
#include <algorithm>

#include "homeostat/rollout.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// One run of a check at a time, few commands and records a step, few records a minute.
class Bounded : public Invariant {
 public:
  explicit Bounded(Scene& scene) : Invariant(scene, "nothing_piles_up") {}
  void given(const Input& input) override {
    commands_ = records_ = 0;
    if (const auto* in = std::get_if<Observed>(&input)) answered(*in);
    const bool forgets = std::holds_alternative<Gap>(input);
    if (forgets || std::holds_alternative<ActionDone>(input) || std::holds_alternative<Operator>(input)) excuse();
  }
  void recorded(const Record&) override {
    ++records_;
    if (arena().now() >= later(minute_, std::chrono::minutes(1))) {
      minute_ = arena().now();
      in_minute_ = 0;
    }
    expect(++in_minute_ < 200 * arena().services().size(), [] { return std::string("the journal is flooded"); });
  }
  void commanded(const Command& command) override {
    ++commands_;
    const auto* probe = std::get_if<Probe>(&command);
    if (probe == nullptr) return;
    if (probe->target >= asked_.size()) asked_.resize(probe->target + 1);
    Asked& asked = asked_[probe->target];
    // An answer that never came is given up after a while; a start, or a jump of time, forgets the run before it.
    const bool again = asked.open && arena().now() < later(asked.at, std::chrono::seconds(5)) && !asked.excused;
    expect(!again, [] { return std::string("a check runs twice at a time"); });
    asked = {arena().now(), true, probe->run, false};
  }
  void did(const Deed&) override { excuse(); }
  void ended(std::uint32_t, Slot) override { excuse(); }
  void booted() override { asked_.clear(); }
  void reloaded() override { asked_.clear(); }
  void stepped() override {
    const std::size_t most = 64 + 16 * arena().engine().state().targets.size();
    expect(commands_ < most && records_ < most, [] { return std::string("one step does too much"); });
  }

 private:
  struct Asked {
    Instant at = kLongAgo;
    bool open = false;
    std::uint32_t run = 0;
    bool excused = false;
  };
  void answered(const Observed& in) {
    if (in.target < asked_.size() && asked_[in.target].run == in.run) asked_[in.target].open = false;
  }
  void excuse() {
    for (Asked& asked : asked_) asked.excused = true;
  }
  std::vector<Asked> asked_;
  std::size_t commands_ = 0;
  std::size_t records_ = 0;
  std::size_t in_minute_ = 0;
  Instant minute_ = kLongAgo;
};

/// Liveness: all is well, nothing is open, everybody was told.
class ComesToRest : public Invariant {
 public:
  explicit ComesToRest(Scene& scene) : Invariant(scene, "comes_to_rest") {}
  // What left the configuration runs on and is not ours any more, also when the service comes back smaller.
  void recorded(const Record& record) override {
    const auto* instance = std::get_if<InstanceChanged>(&record.body);
    if (instance == nullptr || instance->state != RunState::released) return;
    released_.emplace(instance->service, instance->slot);
  }
  void rested() override {
    const Durable& durable = arena().engine().durable();
    expect(durable.actions.empty(), [] { return std::string("an action is still under way"); });
    for (const auto& [id, escalation] : durable.escalations) {
      expect(escalation.notified, [&, &what = escalation.what] { return "nobody was told: " + what.summary; });
    }
    const auto& services = arena().plan().services;
    for (ServiceId id = 0; id < services.size(); ++id) rested(services[id], arena().engine().state().services[id]);
  }

 private:
  void rested(const ServicePlan& plan, const LiveService& live) {
    const ServiceState& state = arena().engine().durable().services.at(plan.name);
    const auto where = [&plan](const char* what) { return [&plan, what] { return plan.name + " " + what; }; };
    expect(!state.operation, where("still has an operation under way"));
    expect(!plan.rollout || !state.rollout || rollout::ended(*state.rollout), where("still has a rollout under way"));
    expect(state.incident == 0, where("still has an incident"));
    expect(!state.down_since, where("is still counted as down"));
    expect(state.locks.empty(), where("is still locked"));
    expect(live.status == Status::healthy, where("is not healthy"));
    if (!plan.runtime.managed) return;
    const auto& places = arena().services()[arena().number_of(plan.name)].places;
    for (std::size_t i = 1; i < places.size(); ++i) {
      const Slot slot = static_cast<Slot>(i) - 1;
      const bool wanted = i <= plan.instances && state.wants_running(slot);
      if (!wanted && (released_.contains({plan.name, slot}) || undecided(plan.name, slot))) continue;
      expect(places[i].alive == wanted, where(wanted ? "has an instance that does not run" : "has a surplus instance"));
    }
  }

  std::set<std::pair<std::string, Slot>> released_;

  // Nobody told what became of its start, and it is not meant to run any more: only a restart could find it.
  bool undecided(const std::string& service, Slot slot) const {
    return std::ranges::any_of(ledger().stories(), [&](const auto& item) {
      const Story& story = item.second;
      return story.intent.service == service && story.intent.slot == slot && story.outcome == OutcomeKind::unknown;
    });
  }
};

}  // namespace

void add_rest_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<Bounded>(scene));
  out.push_back(std::make_unique<ComesToRest>(scene));
}

}  // namespace homeostat::sim
