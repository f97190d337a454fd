// Saving, loading and hashing the whole state.
#include <algorithm>

#include "engine/binary.hpp"
#include "engine/breakers.hpp"
#include "engine/engine.hpp"
#include "engine/index.hpp"
#include "engine/looking.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::engine {
namespace {

constexpr std::uint32_t kSnapshotVersion = 27;

/// Everything of State but the plan and the wheel, whose deadlines are kept as a list. To write one, the state is only
/// looked at: a copy would need as much memory again.
template <class S>
struct Snapshot {
  static constexpr auto fields = [](auto& self, auto& v) {
    v("version", self.version);
    v("generation", self.generation);
    v("shadow", self.shadow);
    v("durable", self.s.durable);
    v("random", self.s.random);
    v("next_counter", self.s.next_counter);
    v("durable_seq", self.s.durable_seq);
    v("targets", self.s.targets);
    v("services", self.s.services);
    v("waiting", self.s.waiting);
    v("notifying", self.s.notifying);
    v("breakers", self.s.breakers);
    v("calls", self.s.calls);
    v("versions", self.s.versions);
    v("runtime_holds", self.s.runtime_holds);
    v("unsettled", self.s.unsettled);
    v("doubt", self.s.doubt);
    v("clocks", self.s.clocks);
    v("suspects", self.s.suspects);
    v("excused", self.s.excused);
    v("tilt_since", self.s.tilt_since);
    v("unsure_since", self.s.unsure_since);
    v("observe_only", self.s.observe_only);
    v("defect", self.s.defect);
    v("recovered", self.s.recovered);
    v("stopping", self.s.stopping);
    v("deadlines", self.deadlines);
  };
  std::uint32_t version = kSnapshotVersion;
  std::uint64_t generation = 0;
  bool shadow = false;
  S s;
  std::vector<Instant> deadlines;
};

// An index of another plan, or of a damaged snapshot, would reach beyond the tables.
bool indices_hold(const State& s, const Plan& plan) {
  const auto is_place = [&](ServiceId service, Slot slot) {
    return service < plan.services.size() && slot >= kWhole &&
           slot < static_cast<Slot>(s.services[service].places.size()) - 1;
  };
  const bool targets = std::ranges::all_of(s.targets, [&](const Target& target) {
    if (!is_place(target.service, target.slot)) return false;
    const ServicePlan& service = plan.services[target.service];
    return target.check == kNone || target.check < service.checks.size();
  });
  const bool suspects =
      std::ranges::all_of(s.suspects, [&](const auto& item) { return is_place(item.first.service, item.first.slot); });
  return targets && suspects && std::ranges::all_of(s.services, [&](const LiveService& service) {
           return !service.places.empty() && std::ranges::all_of(service.places, [&](const Place& place) {
             return place.targets.count <= s.targets.size() &&
                    place.targets.first <= s.targets.size() - place.targets.count;
           });
         });
}

Snapshot<const State&> snapshot_of(const State& s) {
  Snapshot<const State&> snapshot{.generation = s.plan.generation, .shadow = s.plan.shadow, .s = s, .deadlines = {}};
  for (Wheel::Id id = 0; id <= s.wake_of_all(); ++id) {
    snapshot.deadlines.push_back(s.wheel.deadline(id));
  }
  return snapshot;
}

}  // namespace

std::string Engine::save() const { return BinaryWriter::write(snapshot_of(state_)); }

bool Engine::load(std::string_view bytes, Plan plan) {
  Snapshot<State> snapshot;
  if (!BinaryReader::read(bytes, snapshot) || snapshot.version != kSnapshotVersion) return false;
  State& s = snapshot.s;
  const bool fits = s.services.size() == plan.services.size() &&
                    snapshot.deadlines.size() == s.targets.size() + s.services.size() + 1;
  const bool timed = !s.clocks.known || s.clocks.local.size() == plan.zones.size();
  const bool whole = std::ranges::all_of(
      s.breakers, [&](auto& item) { return item.second.machine.resume(breaker_options(plan, item.first)); });
  const bool judges = std::ranges::all_of(s.services, [](const auto& x) { return !x.judge || x.judge->intact(); });
  if (!fits || !timed || !whole || !judges || !indices_hold(s, plan)) return false;
  s.plan = std::move(plan);
  s.plan.generation = snapshot.generation;
  s.plan.shadow = snapshot.shadow;
  index_plan(s);
  s.wheel = Wheel(snapshot.deadlines.size());
  for (Wheel::Id id = 0; id < snapshot.deadlines.size(); ++id) s.wheel.set(id, snapshot.deadlines[id]);
  state_ = std::move(s);
  return true;
}

std::uint64_t Engine::hash() const { return hash_name(save()); }

}  // namespace homeostat::engine
