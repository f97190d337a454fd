// What holds for every action: it was written down first, it is done once, and what is said of it is true.
#include <tuple>

#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

std::string words(const Intent& intent) {
  return intent.strategy + " of " + intent.service + (intent.slot < 0 ? "" : "/" + std::to_string(intent.slot)) + " (" +
         std::to_string(intent.id.epoch) + "." + std::to_string(intent.id.counter) + ")";
}

namespace {

/// Whatever is done to the world was intended, and the intent was durable before.
class IntentBeforeEffect : public Invariant {
 public:
  explicit IntentBeforeEffect(Scene& scene) : Invariant(scene, "intent_before_effect") {}
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    expect(story != nullptr && story->durable, [&] {
      return story == nullptr ? "something was done without any intent" : words(story->intent) + " was not durable";
    });
  }
};

/// One intent is carried out once, and one try of one rung is one intent.
class DoneOnce : public Invariant {
 public:
  explicit DoneOnce(Scene& scene) : Invariant(scene, "action_done_once") {}
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (story == nullptr) return;
    expect(story->stops <= 1 && story->others <= 1, [&] { return words(story->intent) + " was done twice"; });
    const Intent& i = story->intent;
    if (i.origin != Origin::ladder || story->stops + story->others > 1) return;
    const bool first = tries_.emplace(i.incident, story->service, i.slot, i.rung, i.attempt, story->round).second;
    expect(first, [&] { return words(i) + " repeats a try that was had"; });
  }

 private:
  std::set<std::tuple<std::uint64_t, std::uint32_t, Slot, std::uint32_t, std::uint32_t, std::uint32_t>> tries_;
};

/// Every intent ends once; where nobody can tell how, the target is locked and somebody is told.
class OneOutcome : public Invariant {
 public:
  explicit OneOutcome(Scene& scene) : Invariant(scene, "every_intent_ends_once") {}
  void given(const Input&) override { calls_ = 0; }
  void recorded(const Record& record) override {
    if (const auto* escalated = std::get_if<Escalated>(&record.body)) calls_ += escalated->service.empty() ? 1 : 0;
    if (const auto* lock = std::get_if<LockChanged>(&record.body)) locks_.emplace_back(lock->service, lock->slot);
    const auto* outcome = std::get_if<Outcome>(&record.body);
    if (outcome == nullptr) return;
    const Story* story = ledger().find(outcome->id);
    expect(story != nullptr && story->outcomes == 1,
           [&] { return story == nullptr ? "an outcome without an intent" : words(story->intent) + " ended twice"; });
    if (story != nullptr && outcome->outcome == OutcomeKind::unknown) unknown_.push_back(outcome->id);
  }
  void stepped() override {
    for (const CommandId id : unknown_) {
      const Story* story = ledger().find(id);
      // What was removed from the configuration is not ours any more.
      if (story == nullptr || arena().plan_of(story->service) == nullptr) continue;
      const std::pair<std::string, Slot> place{story->intent.service, story->intent.slot};
      const bool locked = std::count(locks_.begin(), locks_.end(), place) > 0;
      expect(locked && calls_ > 0, [&] { return words(story->intent) + " is unknown, yet not locked or not told"; });
    }
    unknown_.clear();
    locks_.clear();
  }
  void rested() override {
    for (const auto& [id, story] : ledger().stories()) {
      expect(story.outcome.has_value(), [&] { return words(story.intent) + " never ended"; });
    }
  }

 private:
  std::vector<CommandId> unknown_;
  std::vector<std::pair<std::string, Slot>> locks_;
  int calls_ = 0;
};

/// Succeeded: it was done. Not started: it was not, and never will be.
class TruthfulOutcomes : public Invariant {
 public:
  explicit TruthfulOutcomes(Scene& scene) : Invariant(scene, "truthful_outcomes") {}
  void recorded(const Record& record) override {
    if (const auto* raised = std::get_if<ScalingRaised>(&record.body)) raised_.insert(raised->id);
    const auto* outcome = std::get_if<Outcome>(&record.body);
    const Story* story = outcome == nullptr ? nullptr : ledger().find(outcome->id);
    if (story == nullptr) return;
    const std::string said = " is said to have " + std::string(name_of(outcome->outcome));
    if (outcome->outcome == OutcomeKind::succeeded) {
      const auto& places = arena().services()[story->service].places;
      const auto index = static_cast<std::size_t>(story->intent.slot + 1);
      const bool gone = index >= places.size() || !places[index].alive;
      const bool done = story->intent.op == Op::stop     ? story->stops > 0 || gone
                        : story->intent.op == Op::adjust ? adjusted(story->intent)
                                                         : story->others > 0;
      expect(done, [&] { return words(story->intent) + said + ", and did nothing"; });
    } else if (outcome->outcome == OutcomeKind::not_started) {
      expect(story->stops + story->others == 0, [&] { return words(story->intent) + said + ", and was done"; });
    }
  }
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (story == nullptr || story->outcome != OutcomeKind::not_started) return;
    expect(false, [&] { return words(story->intent) + " was done after it had been given up"; });
  }

 private:
  // What is adjusted is a wish of the engine's own, written down with the action's id or for its place.
  bool adjusted(const Intent& intent) const {
    const ServiceState& state = arena().engine().durable().services.at(intent.service);
    return raised_.contains(intent.id) || state.drained.contains(intent.slot);
  }
  std::set<CommandId> raised_;
};

}  // namespace

void add_action_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<IntentBeforeEffect>(scene));
  out.push_back(std::make_unique<DoneOnce>(scene));
  out.push_back(std::make_unique<OneOutcome>(scene));
  out.push_back(std::make_unique<TruthfulOutcomes>(scene));
}

}  // namespace homeostat::sim
