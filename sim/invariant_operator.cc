// What people decide holds: pauses, stops, modes, configurations.
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// From the moment a pause or a stop is durable, nothing is done against it, also after a restart of Homeostat.
class StopMeansStop : public Invariant {
 public:
  explicit StopMeansStop(Scene& scene) : Invariant(scene, "stop_means_stop") {}
  void durable(const Record& record) override {
    if (const auto* paused = std::get_if<Paused>(&record.body)) {
      Instant& until = paused_[paused->service];
      until = std::max(until, paused->until);  // a pause shortens no other
    }
    if (const auto* resumed = std::get_if<Resumed>(&record.body)) paused_.erase(resumed->service);
    const auto* desired = std::get_if<DesiredSet>(&record.body);
    if (desired == nullptr || desired->version) return;
    auto& stopped = stopped_[desired->service];
    if (desired->slot < 0) stopped.clear();
    if (desired->running)
      stopped.erase(desired->slot);
    else
      stopped.insert(desired->slot);
  }
  // Taken back by a record that is not durable yet: no longer held against the engine.
  void recorded(const Record& record) override {
    if (const auto* resumed = std::get_if<Resumed>(&record.body)) paused_.erase(resumed->service);
    const auto* desired = std::get_if<DesiredSet>(&record.body);
    if (desired != nullptr && desired->running && !desired->version) {
      auto& stopped = stopped_[desired->service];
      if (desired->slot < 0) stopped.clear();
      stopped.erase(desired->slot);
    }
    const auto* failing = std::get_if<IncidentFailing>(&record.body);
    if (failing != nullptr && paused(failing->service)) expect(true, [] { return std::string(); });
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || story->intent.op == Op::stop) return;
    const Intent& intent = story->intent;
    if (automatic(intent.origin, intent.by)) {
      expect(!paused(intent.service), [&] { return words(intent) + " while it is paused"; });
    }
    const auto found = stopped_.find(intent.service);
    if (found == stopped_.end() || found->second.empty()) return;
    const bool stopped = found->second.contains(kWhole) || found->second.contains(intent.slot);
    const bool no_start = intent.op == Op::scale || intent.op == Op::route;
    expect(!stopped || no_start, [&] { return words(intent) + " which an operator stopped"; });
  }

 private:
  bool paused(const std::string& service) const {
    for (const std::string& name : {std::string(), service}) {
      const auto found = paused_.find(name);
      if (found != paused_.end() && arena().now() < found->second) return true;
    }
    return false;
  }
  std::map<std::string, Instant> paused_;
  std::map<std::string, std::set<Slot>> stopped_;
};

/// A rolling operation that was under way when somebody paused begins no further step until he resumes.
class PauseStopsSteps : public Invariant {
 public:
  explicit PauseStopsSteps(Scene& scene) : Invariant(scene, "a_pause_stops_steps") {}
  void recorded(const Record& record) override {
    if (const auto* moved = std::get_if<OperationMoved>(&record.body)) running_[moved->service] = moved->id;
    if (const auto* resumed = std::get_if<Resumed>(&record.body)) held_.erase(resumed->service);
    if (const auto* paused = std::get_if<Paused>(&record.body)) asked_[paused->service] = {paused->until, running_};
  }
  void durable(const Record& record) override {
    const auto* paused = std::get_if<Paused>(&record.body);
    if (paused != nullptr) held_[paused->service] = asked_[paused->service];
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr || story->intent.origin != Origin::operation) return;
    const std::string& service = story->intent.service;
    for (const auto& name : {std::string(), service}) {
      const auto pause = held_.find(name);
      if (pause == held_.end() || arena().now() >= pause->second.until) continue;
      const auto before = pause->second.operations.find(service);
      const bool held = before != pause->second.operations.end() && before->second == running_[service];
      expect(!held, [&] { return words(story->intent) + " in an operation that was paused"; });
    }
  }

 private:
  struct Pause {
    Instant until{};
    std::map<std::string, CommandId> operations;
  };
  std::map<std::string, CommandId> running_;  // the newest operation of each service
  std::map<std::string, Pause> asked_;        // that may not be durable yet
  std::map<std::string, Pause> held_;
};

/// Shadow decides and does nothing; approve waits for a durable approval.
class ModesRespected : public Invariant {
 public:
  explicit ModesRespected(Scene& scene) : Invariant(scene, "modes_are_respected") {}
  void recorded(const Record& record) override {
    const auto* intent = std::get_if<Intent>(&record.body);
    if (intent != nullptr && intent->mode == Mode::shadow) expect(true, [] { return std::string(); });
  }
  void did(const Deed& deed) override {
    const Story* story = ledger().find(deed.id);
    if (story == nullptr || !story->repairs()) return;
    const Mode mode = story->intent.mode;
    const ServicePlan* plan = arena().plan_of(story->service);
    const bool shadow = mode == Mode::shadow || (plan != nullptr && plan->mode == Mode::shadow &&
                                                 deed.at - story->dispatched_at < std::chrono::seconds(1));
    expect(!shadow || since_reload_ > deed.at - std::chrono::minutes(5),
           [&] { return words(story->intent) + " in shadow mode"; });
    if (mode == Mode::approve) {
      expect(story->approval_durable, [&] { return words(story->intent) + " was not approved"; });
    }
  }
  void reloaded() override { since_reload_ = arena().now(); }

 private:
  Instant since_reload_ = kLongAgo;
};

/// A decision belongs to one configuration: what it was made for exists in it, and what leaves it is not acted on.
class OneConfiguration : public Invariant {
 public:
  explicit OneConfiguration(Scene& scene) : Invariant(scene, "one_configuration_at_a_time") {}
  void recorded(const Record& record) override {
    // From its own record on a configuration is the one; the first record of a start comes before that.
    if (const auto* loaded = std::get_if<ConfigLoaded>(&record.body)) generation_ = loaded->generation;
    if (std::holds_alternative<EpochBegan>(record.body)) return;
    expect(record.generation == generation_, [] { return std::string("a record of another generation"); });
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    const Story* story = dispatch == nullptr ? nullptr : ledger().find(dispatch->id);
    if (story == nullptr) return;
    const auto& services = arena().plan().services;
    const bool same = dispatch->service < services.size() && services[dispatch->service].name == story->intent.service;
    expect(same, [&] { return words(story->intent) + " went to another service"; });
  }
  void reloaded() override { check_ = true; }
  void stepped() override {
    if (!check_) return;
    check_ = false;
    for (const auto& [id, story] : ledger().stories()) {
      if (story.outcome || arena().plan_of(story.service) != nullptr) continue;
      expect(false, [&, &intent = story.intent] { return words(intent) + " is open, its service removed"; });
    }
  }

 private:
  bool check_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace

void add_operator_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<StopMeansStop>(scene));
  out.push_back(std::make_unique<PauseStopsSteps>(scene));
  out.push_back(std::make_unique<ModesRespected>(scene));
  out.push_back(std::make_unique<OneConfiguration>(scene));
}

}  // namespace homeostat::sim
