// The world that random faults are thrown at: it plays the shell's part for one engine, in virtual time, and knows the
// truth. Built for speed: nothing is looked up by name while it runs. (`World` is for stories told by name.)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/engine.hpp"
#include "engine/secrets.hpp"
#include "sim/witness.hpp"

namespace homeostat::sim {

using engine::ServiceId;
using engine::Slot;

/// How an instance answers its checks. `blind`: we cannot look. `lost`: the answer never reaches us.
enum class Conduct : std::uint8_t { well, slow, wrong, refuse, hang, unreachable, blind, lost, flap };
/// How actions go. `mute`: it is done, and nobody tells.
enum class Handling : std::uint8_t { well, fail, hang, late, mute };

/// How the metrics of a service go. `fail`: one of them cannot be read. `silent`: there is no answer. `lie`: far too
/// much, or far too little. `late`: the answer comes when it may be too late.
enum class Metering : std::uint8_t { well, fail, silent, lie_high, lie_low, late };

/// How the proxy before a service does. `hangs`: it is not told what comes of a look, nor of an order, until time is
/// up. `refuses`: it can be looked at and takes no orders. `lies`: it reads back what it was told and does what it
/// likes, and counts failures where there are none.
enum class Proxying : std::uint8_t { well, gone, hangs, refuses, lies };

/// How our own network is cut. `part`: from one half of the services. `lossy`: of two looks one is lost.
enum class Cut : std::uint8_t { none, whole, part, lossy };

/// A secret of the world's: everybody repeats it who has something to say.
inline constexpr std::string_view kCanary = "canary-of-the-secrets";

/// A fault that ends by itself.
template <class T>
struct Spell {
  T kind{};
  Instant until = kLongAgo;
  T at(Instant now) const { return now < until ? kind : T{}; }
};

struct ArenaPlace {
  bool alive = false;
  bool sticky = false;  // its conduct outlives a restart
  Incarnation incarnation;
  engine::CommandId started_by;
  std::string version;
  Spell<Conduct> conduct;
  Conduct release = Conduct::well;  // what its release does
  std::uint32_t looks = 0;
};

/// The proxy before a service.
struct ArenaProxy {
  Spell<Proxying> does;
  std::map<Slot, std::uint32_t> weights;  // empty: as in its file, all alike
  std::map<Slot, engine::PlaceTraffic> counters;
  std::map<Slot, Spell<std::uint32_t>> fails;  // percent of the requests, whatever the checks see
  Instant counted_at = kLongAgo;
  Instant forgot_at = kLongAgo;  // by a reload
  bool lied = false;             // it has not done what it was told, and said that it has
};

struct ArenaService {
  std::string name;
  ArenaProxy proxy;
  std::vector<ArenaPlace> places;  // by slot + 1: the first is the service as a whole
  Spell<Handling> handling;
  Duration late_by{};
  Spell<Duration> dies_after;
  Spell<Metering> metering;
  std::int64_t load = 20'000;   // that its instances share, in thousandths
  std::int32_t told_count = 0;  // how many there are, of a service whose own command makes them
  ArenaPlace& at(Slot slot) {
    const auto index = static_cast<std::size_t>(slot + 1);
    if (index >= places.size()) places.resize(index + 1);
    return places[index];
  }
};

struct ArenaOptions {
  Duration journal_delay = std::chrono::milliseconds(1);
  Duration probe_delay = std::chrono::milliseconds(2);
  Duration start_delay = std::chrono::milliseconds(3);
  Duration stop_delay = std::chrono::milliseconds(5);
};

/// Where the engine is to be killed, when nobody just does it.
struct Ambush {
  std::uint64_t records = 0;  // with this many more records written; 0: not by records
  bool in_action = false;     // when the next action has been done, before anybody could say so
  bool commands = false;      // what the step commanded is still carried out
  Duration down_for{};
};

class Arena {
 public:
  explicit Arena(engine::Plan plan, ArenaOptions options = {});
  Arena(const Arena&) = delete;  // events hold on to it
  Arena& operator=(const Arena&) = delete;
  void watch(Witness* witness) { witness_ = witness; }

  void boot();
  /// Until then, or until `enough` was called.
  void run_until(Instant end);
  void run_for(Duration span) { run_until(now_ + span); }
  void enough() { enough_ = true; }

  // Faults. Those that return bool say whether anything came of them.
  bool crash(std::uint32_t service, Slot slot);
  void conduct(std::uint32_t service, Slot slot, Conduct conduct, Duration span, bool sticky);
  void handling(std::uint32_t service, Handling handling, Duration late_by, Duration span);
  void dies_after(std::uint32_t service, Duration after, Duration span);
  void metering(std::uint32_t service, Metering metering, Duration span) {
    services_[service].metering = {metering, later(now_, span)};
  }
  void load(std::uint32_t service, std::int64_t load) { services_[service].load = load; }
  void proxy(std::uint32_t service, Proxying proxying, Duration span) {
    services_[service].proxy.does = {proxying, later(now_, span)};
  }
  void proxy_reloaded(std::uint32_t service);
  void requests_fail(std::uint32_t service, Slot slot, std::uint32_t percent, Duration span) {
    services_[service].proxy.fails[slot] = {percent, later(now_, span)};
  }
  void release_does(const std::string& version, Conduct conduct) { releases_[version] = conduct; }
  /// kill -9; so many records beyond the acknowledged ones turn out to be durable.
  bool kill(std::uint64_t also_durable, Duration down_for);
  void lie_in_wait(Ambush ambush) { ambush_ = ambush; }
  void reboot(Duration down_for);
  bool pause(Duration span);
  bool suspend(Duration span);
  void journal_stalls(Duration span);
  /// Nothing becomes durable any more, until somebody restarts the engine.
  bool journal_fails(Duration restarted_after);
  bool cut_network(Duration span, Cut how = Cut::whole) {
    if (cut_.at(now_) != Cut::none) return false;
    cut_from_ = now_;
    cut_ = {how, later(now_, span)};
    return true;
  }
  void self_check_fails(Duration span) { self_bad_.until = later(now_, span); }
  void self_check_hangs(Duration span) { self_mute_.until = later(now_, span); }
  void notifier_fails(Duration span) { notifier_bad_.until = later(now_, span); }
  void file_missing(Duration span) { file_gone_.until = later(now_, span); }
  void reload(engine::Plan plan);
  /// Every fault ends now.
  void peace();
  /// An input from outside: it waits while the engine is stopped, and is lost while there is none.
  bool tell(const engine::Input& input);

  // The truth.
  Instant now() const { return now_; }
  Duration slept() const { return slept_; }
  bool alive() const { return engine_ != nullptr; }
  bool paused() const { return now_ < paused_until_; }
  /// True when the last cut reached into the span that ends now, and concerned the service.
  bool cut_within(Duration span, std::uint32_t service) const {
    return cut_from_ <= now_ && now_ < later(cut_.until, span) && (cut_.kind != Cut::part || is_beyond(service));
  }
  /// The service is on the other side when the network is cut in part.
  bool is_beyond(std::uint32_t service) const { return Random::mix(service) % 2 == 0; }
  const engine::Engine& engine() const { return *engine_; }
  const engine::Plan& plan() const { return plan_; }
  const std::vector<ArenaService>& services() const { return services_; }
  /// The arena's number of a service of the present plan.
  std::uint32_t index_of(ServiceId id) const { return index_[id]; }
  std::uint32_t number_of(std::string_view name) const;
  const engine::ServicePlan* plan_of(std::uint32_t service) const { return plans_[service]; }
  bool well(std::uint32_t service, Slot slot) const;
  /// What the durable records fold to, each of them written and read back.
  const engine::Durable& survives() const { return twin_; }
  const std::vector<engine::Record>& records() const { return records_; }
  /// What is written of the latest record.
  const std::string& last_written() const { return written_.back(); }
  std::size_t durable_records() const { return durable_; }
  std::uint64_t inputs() const { return inputs_; }
  std::uint64_t trace() const { return trace_; }
  std::uint64_t calls() const { return calls_; }

 private:
  struct Acknowledge {
    std::size_t count = 0;
  };
  using What = std::variant<engine::Observed, Acknowledge, std::function<void()>>;
  struct Event {
    Instant at{};
    std::uint64_t order = 0;
    std::uint64_t life = 0;  // of the engine that waits for it; 0: the world's own
    What what;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  /// A dispatch on its way; the numbers of services change at a reload, those of the arena do not.
  struct Order {
    engine::Dispatch c;
    std::uint32_t service = 0;
    bool fails = false;
    bool tells = true;
    std::string version;
  };

  void at(Instant when, What what, bool for_engine = true);
  void happen(Event event);
  void give(const engine::Input& input);
  void hear(engine::Input input);
  void take();
  void spring(std::size_t records_before);
  void die(std::size_t keep);
  void mark_durable(std::size_t count);
  void acknowledge();
  void rebuild_index();
  void note(std::uint64_t value) { trace_ = Random::mix(trace_ ^ value); }
  void handle(const engine::Probe& c);
  void handle(const engine::Dispatch& c);
  void handle(const engine::Notify& c);
  void handle(const engine::SelfCheck& c);
  void handle(const engine::Release& c);
  void handle(const engine::Measure& c);
  void handle(const engine::ReadClocks& c);
  void handle(const engine::LookAtTraffic& c);
  // No rollout of the fleet is judged by numbers of others.
  void handle(const engine::MeasureVersions&) {}
  void handle(const engine::AskGate& c);
  engine::MeasuredMetric measure(const ArenaService& service, bool by_instance) const;
  bool is_cut_off(std::uint32_t service) const;
  Observation look(const engine::Target& target, Duration timeout);
  Observation answer(ArenaPlace& place, Duration timeout) const;
  void serve(std::uint32_t service);
  engine::TrafficSeen seen_by_proxy(ServiceId id);
  void route(const Order& order);
  void carry_out(const Order& order);
  void run_command(const Order& order);
  void start(const Order& order);
  void finish(const Order& order, engine::OutcomeKind outcome, const Incarnation& running);
  void did(const Order& order, engine::Op op, bool was_well);

  engine::Plan plan_;
  ArenaOptions options_;
  engine::Secrets secrets_;
  Witness none_;
  Witness* witness_ = &none_;
  std::unique_ptr<engine::Engine> engine_;
  engine::Commands out_;
  std::vector<engine::Command> commands_;
  Instant now_ = Instant(std::chrono::hours(1));
  Instant paused_until_ = kLongAgo;
  Duration slept_{};
  std::uint64_t order_ = 0;
  std::uint64_t life_ = 0;
  std::uint64_t next_pid_ = 100;
  std::uint64_t boot_ = 1;
  std::vector<Event> events_;  // a heap, the earliest first
  std::vector<ArenaService> services_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::uint32_t> index_;
  std::vector<const engine::ServicePlan*> plans_;
  std::map<std::string, Conduct> releases_;
  std::vector<engine::Record> records_;
  std::vector<std::string> written_;  // the texts of the records that are not durable yet
  std::size_t durable_ = 0;
  engine::Durable twin_;
  Ambush ambush_;
  bool sprung_ = false;
  std::size_t keep_ = 0;
  Spell<Cut> cut_;
  Instant cut_from_ = kNever;
  Spell<bool> self_bad_{true};
  Spell<bool> self_mute_{true};
  Spell<bool> notifier_bad_{true};
  Spell<bool> file_gone_{true};
  Instant stalled_until_ = kLongAgo;
  bool journal_dead_ = false;
  bool enough_ = false;
  std::uint64_t inputs_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t trace_ = 0;
};

}  // namespace homeostat::sim
