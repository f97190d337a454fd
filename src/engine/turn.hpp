// One step of the engine while it runs: the state, the time, and where commands and records go.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "engine/state.hpp"

namespace homeostat::engine {

const InstanceState* instance_of(const State& s, ServiceId id, Slot slot);
bool wanted_in(const State& s, ServiceId id, Slot slot);
/// Instances that are needed now: of what is scaled or rolled out, not all places are.
std::uint32_t needed_in(const State& s, ServiceId id);

struct Turn {
  State& s;
  Instant now;
  Commands& out;
  Instant wake = kNever;   // of the service that is being evaluated
  bool diagnosed = false;  // Diagnosing::report is of this step
  std::string broken{};    // what must hold whatever happens, and does not

  /// Applies the fact to the durable state and hands it to the journal. Returns its sequence number.
  std::uint64_t record(Body body);
  void command(const Command& c) { out.commands.push_back(c); }
  CommandId next_id();

  const ServicePlan& plan(ServiceId id) const { return s.plan.services[id]; }
  LiveService& live(ServiceId id) { return s.services[id]; }
  ServiceState& durable(ServiceId id) { return *s.index.facts[id]; }
  Place& place(ServiceId id, Slot slot) { return s.place(id, slot); }
  bool has_place(ServiceId id, Slot slot) const {
    return slot >= kWhole && slot + 1 < static_cast<Slot>(s.services[id].places.size());
  }
  std::optional<ServiceId> find(std::string_view name) const;
  /// What is known of an instance; nothing for kWhole and for instances never started.
  const InstanceState* instance(ServiceId id, Slot slot) const { return instance_of(s, id, slot); }
  /// How many instances shall run.
  std::uint32_t count(ServiceId id) const { return needed_in(s, id); }
  /// True when the operator and the configuration want this place to run.
  bool wanted(ServiceId id, Slot slot) const { return wanted_in(s, id, slot); }

  /// What must hold whatever happens. Where it does not, this program is wrong, and acting on would make things worse:
  /// false, and from now on it only observes, and says so.
  bool check(bool holds, std::string_view what) {
    if (!holds && broken.empty()) broken = what;
    return holds;
  }

  /// The service is evaluated before this step ends.
  void mark(ServiceId id);
  /// … and again not later than `at`.
  void wake_at(Instant at) { wake = std::min(wake, at); }
};

/// A place's health by its `alive` checks, put together.
struct View {
  bool checked = false;  // it has alive checks, or a process that can end
  bool failing = false;
  bool recovering = false;  // failing, but the last answer was good
  bool direct = false;      // … by direct evidence
  bool dead = false;        // its process has ended
  bool unknown = false;
  bool degraded = false;
  bool critical = false;
  bool flapping = false;
  bool starting = false;   // one of its checks has not seen anything that counts since the start
  bool blind = false;      // one of its checks cannot look
  bool confirmed = false;  // every alive check has seen enough successes
  bool proving = false;    // … or is on the way there: the last answer of each was good
  Instant first_failure = kNever;
  Instant first_success = kLongAgo;  // the latest of its checks
  Instant last_seen = kNever;        // the oldest of its failing checks
  CheckId check = kNone;             // the first that fails
  Status status() const;
  bool up() const { return checked && !failing && !unknown; }
};

View view_of(const State& s, ServiceId id, Slot slot);
inline View view_of(Turn& t, ServiceId id, Slot slot) { return view_of(t.s, id, slot); }
/// The same with doubt applied: what fails on indirect evidence is unknown while we doubt ourselves.
View doubted_view(Turn& t, ServiceId id, Slot slot);

}  // namespace homeostat::engine
