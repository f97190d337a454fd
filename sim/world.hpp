// A simulated world: it plays the shell's part for one engine, in virtual time, and every run is repeatable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/engine.hpp"

namespace homeostat::sim {

using engine::ServiceId;
using engine::Slot;

/// How a simulated instance answers its checks.
enum class Behaviour : std::uint8_t { well, error500, hang, refuse, unreachable, blind };

/// One effect of an action on the world: the truth that invariants are checked against.
struct Effect {
  Instant at{};
  engine::CommandId id;
  engine::Op op = engine::Op::start;
  std::string service;
  Slot slot = 0;
  std::string version;
};

struct WorldOptions {
  Duration journal_delay = std::chrono::milliseconds(1);
  Duration probe_delay = std::chrono::milliseconds(1);
  Duration start_delay = std::chrono::milliseconds(3);
  Duration stop_delay = std::chrono::milliseconds(5);
  std::uint64_t seed = 1;
};

class World {
 public:
  explicit World(engine::Plan plan, WorldOptions options = {});
  World(const World&) = delete;  // events hold on to it
  World& operator=(const World&) = delete;

  /// Starts the engine and lets it reconcile with what runs.
  void boot();
  void run_for(Duration span);
  /// Until `done` or `limit` has passed; true when done.
  bool run_until(const std::function<bool()>& done, Duration limit);

  // Faults.
  /// Its process exits with that status, or was killed by that signal, for its memory as its runtime says.
  void crash(std::string_view service, Slot slot, int code = 1, bool signalled = false, bool out_of_memory = false);
  void behave(std::string_view service, Slot slot, Behaviour behaviour);
  /// How the proxy before every service does. `gone`: it does not answer. `lies`: it reads back what it was told and
  /// sends most requests to the newest place. `refuses`: it can be looked at, and takes no orders.
  enum class Proxying : std::uint8_t { well, gone, lies, refuses };
  void proxy(Proxying how) { proxying_ = how; }
  /// It was reloaded: every weight is as in its file again, and it counts from 0.
  void proxy_reloaded() { proxies_.clear(); }
  /// Somebody has put its server in maintenance, or ends that.
  void proxy_keeps(const std::string& service, Slot slot, bool in);
  /// What each instance says of every metric of a rollout's judge, in thousandths; without it nobody says anything.
  void release_measures(std::string_view version, std::int64_t value) { measures_[std::string(version)] = value; }
  /// What the commands of rollouts' gates answer, by the gate's name; nothing: no answer comes. At first they pass.
  void gate_says(std::string_view gate, std::optional<rollout::GateResult> result) {
    gates_[std::string(gate)] = result;
  }
  /// How often each of them was asked.
  std::size_t gate_asked(const std::string& gate) const {
    return gates_asked_.contains(gate) ? gates_asked_.at(gate) : 0;
  }
  /// What part of the requests a release answers with an error, in percent.
  void release_errs(std::string_view version, std::uint64_t percent) { errs_[std::string(version)] = percent; }
  /// … and a place, whatever it runs.
  void errs(std::string_view service, Slot slot, std::uint64_t percent) {
    place_errs_[{std::string(service), slot}] = percent;
  }
  /// The share of the requests that a place gets, in hundredths of a percent.
  std::uint32_t share(std::string_view service, Slot slot) const;
  /// The share of the requests that a version gets, in hundredths of a percent.
  std::uint32_t share(std::string_view service, std::string_view version) const;
  /// What every instance of a release does from its start on.
  void release_behaves(std::string_view version, Behaviour behaviour) { by_version_[std::string(version)] = behaviour; }
  /// The process of this service ends by itself so long after each start; zero: never.
  void dies_after_start(std::string_view service, Duration after) { dies_after_[std::string(service)] = after; }
  /// Nothing that is done to the service succeeds.
  void fail_starts(std::string_view service, bool fail) { fail_starts_[std::string(service)] = fail; }
  void file_exists(bool exists) { file_exists_ = exists; }
  void self_check_silent(bool silent) { self_check_silent_ = silent; }
  void self_check_fails(bool fails) { self_check_fails_ = fails; }
  /// Nothing becomes durable while it stalls; afterwards everything at once.
  void journal_stalls(bool stalls);
  void runtime_silent(bool silent) { runtime_silent_ = silent; }
  void notifier_fails(bool fails) { notifier_fails_ = fails; }
  /// From now on it knows the time in so many zones only.
  void only_zones(std::size_t known) { zones_known_ = known; }
  void notifier_silent(bool silent) { notifier_silent_ = silent; }
  void network_cut(bool cut) { network_cut_ = cut; }
  /// What there is to do for a service, seen so long ago: its instances share it evenly. Nothing: its metrics cannot be
  /// read.
  void load(std::string_view service, std::optional<std::int64_t> thousandths, Duration ago = {}) {
    loads_[std::string(service)] = {thousandths, ago};
  }
  /// kill -9 of the engine: what is not durable is lost, replies under way are lost, instances live on. boot() again.
  void kill_engine();
  void input(const engine::Input& input);
  void reload(engine::Plan plan);
  /// What a check (empty: each) sees of an instance from now on, until it is started or restarted; nothing: well.
  void answers(std::string_view service, Slot slot, std::string_view check, std::optional<Observation> seen);
  /// What the checks see of each instance of a service, or of a release, that is started from now on.
  void comes_up(std::string_view service_or_version, std::optional<Observation> seen);
  /// Told of every command of the engine before it is carried out.
  void on_command(std::function<void(const engine::Command&)> told) { told_ = std::move(told); }
  /// Another configuration at the next boot.
  void replace_plan(engine::Plan plan) { plan_ = std::move(plan); }

  // What happened.
  Instant now() const { return now_; }
  const engine::Engine& engine() const { return *engine_; }
  const engine::Durable& durable() const { return engine_->durable(); }
  const std::vector<engine::Record>& records() const { return records_; }
  const std::vector<Effect>& effects() const { return effects_; }
  /// How many commands broke the protocol: dispatched twice, or before the intent was durable.
  const std::vector<std::string>& violations() const { return violations_; }
  bool alive() const { return engine_ != nullptr; }
  const engine::Plan& plan() const { return plan_; }
  /// What the records that are durable now fold to.
  engine::Durable replayed() const;
  std::size_t notifications() const { return notifications_; }
  std::size_t probes(std::string_view service) const;
  Status status(std::string_view service) const;
  bool running(std::string_view service, Slot slot) const;
  std::string version(std::string_view service, Slot slot) const;
  std::uint64_t trace_hash() const { return trace_; }
  /// Every input of the present engine in step order, as the input log keeps them.
  const std::vector<std::string>& inputs() const { return inputs_; }
  template <class Body>
  std::vector<Body> all() const {
    std::vector<Body> found;
    for (const auto& record : records_) {
      if (const auto* body = std::get_if<Body>(&record.body)) found.push_back(*body);
    }
    return found;
  }

 private:
  struct Instance {
    bool alive = false;
    Incarnation incarnation;
    engine::CommandId started_by;
    std::string version;
    Behaviour behaviour = Behaviour::well;
  };
  /// Weights are parts of a million of each place.
  struct Proxy {
    std::map<Slot, std::uint64_t> weights;  // empty: as in its file, all alike
    std::map<Slot, engine::PlaceTraffic> counters;
    std::set<Slot> kept_out;  // by people
    Instant counted_at = kLongAgo;
    std::uint64_t part(Slot slot) const;
  };
  struct Event {
    Instant at{};
    std::uint64_t order = 0;
    std::uint64_t epoch = 0;  // of the engine that waits for it; 0: the world's own
    std::function<void()> happen;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  using Key = std::pair<std::string, Slot>;

  void at(Instant when, std::function<void()> happen, bool for_engine = true);
  void take(engine::Commands& out);
  void note(std::string_view text);
  std::optional<Observation> answer_of(const std::string& service, Slot slot, const std::string& check) const;
  void forget_answers(std::string_view service, Slot slot);
  void begins_anew(const std::string& service, Slot slot, const std::string& version);
  void handle(const engine::Probe& c);
  void handle(const engine::Dispatch& c);
  void handle(const engine::Notify& c);
  void handle(const engine::SelfCheck& c);
  void handle(const engine::Release& c);
  void handle(const engine::Measure& c);
  void handle(const engine::LookAtTraffic& c);
  void handle(const engine::MeasureVersions& c);
  void handle(const engine::ReadClocks& c);
  void handle(const engine::AskGate& c);
  void route(const engine::Dispatch& c);
  void serve(const std::string& service);
  std::uint32_t share_of(std::string_view service, const std::function<bool(Slot, const Instance&)>& counts) const;
  std::vector<engine::SlotSample> shared_load(const engine::ServicePlan& plan, std::int64_t load, Instant taken) const;
  Observation look(const engine::Target& target, Duration timeout);
  LocalMinutes local_time() const;
  void start(const engine::Dispatch& c, const Key& key, const std::string& version);
  void finish(const engine::Dispatch& c, engine::OutcomeKind outcome, const Incarnation& running, std::string detail,
              std::string version = {});
  void acknowledge();
  void judge(const engine::Dispatch& c);

  engine::Plan plan_;
  WorldOptions options_;
  std::unique_ptr<engine::Engine> engine_;
  Instant now_ = Instant(std::chrono::hours(1));
  std::uint64_t order_ = 0;
  std::uint64_t life_ = 0;  // counts engines
  std::uint64_t next_pid_ = 100;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::map<Key, Instance> instances_;
  std::map<std::string, Behaviour> by_version_;
  std::map<std::string, Duration> dies_after_;
  std::map<std::string, bool> fail_starts_;
  std::map<std::tuple<std::string, Slot, std::string>, std::optional<Observation>> answers_;
  std::map<std::string, Observation> comes_up_;
  std::function<void(const engine::Command&)> told_;
  std::map<std::string, std::size_t> probes_;
  Proxying proxying_ = Proxying::well;
  std::map<std::string, Proxy> proxies_;
  std::map<std::string, std::uint64_t> errs_;
  std::map<Key, std::uint64_t> place_errs_;
  std::map<std::string, std::int64_t> measures_;
  std::map<std::string, std::optional<rollout::GateResult>> gates_;
  std::map<std::string, std::size_t> gates_asked_;
  std::vector<std::string> inputs_;
  std::vector<engine::Record> records_;
  std::size_t durable_records_ = 0;
  std::vector<Effect> effects_;
  std::set<engine::CommandId> dispatched_;
  std::vector<std::string> violations_;
  std::size_t notifications_ = 0;
  bool file_exists_ = true;
  bool self_check_fails_ = false;
  bool self_check_silent_ = false;
  std::map<std::string, std::pair<std::optional<std::int64_t>, Duration>> loads_;
  bool journal_stalls_ = false;
  bool runtime_silent_ = false;
  bool notifier_fails_ = false;
  bool notifier_silent_ = false;
  bool network_cut_ = false;
  std::size_t zones_known_ = SIZE_MAX;
  std::uint64_t trace_ = 0;
};

}  // namespace homeostat::sim
