// Whom an action touches, and in what order: its own place, nothing that is locked, never after a newer one.
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

using Spots = std::set<std::pair<std::string, Slot>>;

bool is_ours(const Arena& arena, const Story& story) {
  const ServicePlan* plan = arena.plan_of(story.service);
  return plan != nullptr && plan->runtime.managed && story.intent.op != Op::exec;
}

/// An order of an older Homeostat, or one that comes late, is refused once a newer one has been carried out.
class NewerOrdersWin : public Invariant {
 public:
  explicit NewerOrdersWin(Scene& scene) : Invariant(scene, "newer_orders_win") {}
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (story == nullptr || !is_ours(arena(), *story)) return;
    CommandId& newest = newest_[{deed.service, deed.slot}];
    expect(deed.id >= newest, [&] {
      return words(story->intent) + " was done after " + std::to_string(newest.epoch) + "." +
             std::to_string(newest.counter);
    });
    newest = deed.id;
  }

 private:
  std::map<std::pair<std::uint32_t, Slot>, CommandId> newest_;
};

/// An action names one place, one that exists, and touches no other.
class OneTarget : public Invariant {
 public:
  explicit OneTarget(Scene& scene) : Invariant(scene, "every_action_has_its_target") {}
  void recorded(const Record& record) override {
    const auto* intent = std::get_if<Intent>(&record.body);
    if (intent == nullptr) return;
    const std::uint32_t number = arena().number_of(intent->service);
    expect(number != kNone && intent->slot >= kWhole, [&] { return words(*intent) + " has no target"; });
  }
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (story == nullptr) return;
    const bool own = deed.service == story->service && deed.slot == story->intent.slot;
    expect(own, [&] { return words(story->intent) + " touched place " + std::to_string(deed.slot); });
  }
};

/// Where nobody can tell what became of an action, nothing but a stop is done until somebody could.
class LockedRests : public Invariant {
 public:
  explicit LockedRests(Scene& scene) : Invariant(scene, "what_is_locked_is_left_alone") {}
  void recorded(const Record& record) override { note(record, locked_); }
  void durable(const Record& record) override { note(record, safe_); }
  void died() override { locked_ = safe_; }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || story->intent.op == Op::stop || locked_.empty()) return;
    expect(!locked_.contains({story->intent.service, story->intent.slot}),
           [&] { return words(story->intent) + " of what is locked"; });
  }

 private:
  static void note(const Record& record, Spots& spots) {
    const auto* lock = std::get_if<LockChanged>(&record.body);
    if (lock == nullptr) return;
    if (lock->locked)
      spots.insert({lock->service, lock->slot});
    else
      spots.erase({lock->service, lock->slot});
  }
  Spots locked_, safe_;
};

/// Every call of a human is made again until it is taken, always under the same number, and then no more.
class CallsArrive : public Invariant {
 public:
  explicit CallsArrive(Scene& scene) : Invariant(scene, "calls_are_made_until_they_are_taken") {}
  void durable(const Record& record) override {
    if (const auto* call = std::get_if<Escalated>(&record.body)) calls_.try_emplace(call->id, call->notifier.empty());
    const auto* told = std::get_if<Notified>(&record.body);
    if (told != nullptr && told->ok) calls_[told->id] = true;
  }
  void recorded(const Record& record) override {
    const auto* call = std::get_if<Escalated>(&record.body);
    if (call == nullptr) return;
    expect(!calls_.contains(call->id), [&] { return "two calls have one number: " + call->summary; });
  }
  void commanded(const Command& command) override {
    const auto* notify = std::get_if<Notify>(&command);
    if (notify == nullptr) return;
    const auto call = calls_.find(notify->escalation);
    expect(call == calls_.end() || !call->second, [&] { return "somebody is called again who was told"; });
  }
  void rested() override {
    for (const auto& [id, taken] : calls_) {
      expect(taken || !arena().engine().durable().escalations.contains(id),
             [&, &call = id] { return "call " + std::to_string(call.counter) + " reached nobody"; });
    }
  }

 private:
  std::map<CommandId, bool> calls_;  // durable ones: taken, or nobody is to be called
};

}  // namespace

void add_target_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<NewerOrdersWin>(scene));
  out.push_back(std::make_unique<OneTarget>(scene));
  out.push_back(std::make_unique<LockedRests>(scene));
  out.push_back(std::make_unique<CallsArrive>(scene));
}

}  // namespace homeostat::sim
