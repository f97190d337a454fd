#include "engine/durable.hpp"

#include <algorithm>

#include "core/planted.hpp"
#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"
#include "engine/scaling_fold.hpp"
#include "homeostat/breaker_types.hpp"

namespace homeostat::engine {
namespace {

template <class List>
void push_bounded(List& list, typename List::value_type item, std::size_t bound) {
  if (list.size() >= bound) list.erase(list.begin(), list.begin() + 1);
  list.push_back(std::move(item));
}

/// Applies one record; an overload a type of record.
struct Fold : ScalingFold {
  using ScalingFold::operator();

  void operator()(const EpochBegan& r) {
    if (planted(Bug::budget_forgotten)) d.disruptions.clear();
    if (planted(Bug::pause_forgotten)) d.pauses.clear();
    if (planted(Bug::maintenance_forgotten)) d.maintenance.clear();
    if (planted(Bug::breaker_forgotten)) d.breakers.clear();
    d.epoch = r.epoch;
  }

  void operator()(const ConfigLoaded& r) {
    d.generation = r.generation;
    for (const auto& name : r.services) service(name);
  }

  void operator()(const StatusChanged& r) {
    if (!r.check.empty()) return;
    ServiceState& s = service(r.service);
    if (s.status == "unknown" && s.status_since != kLongAgo) {
      push_bounded(s.unknowns, Interval{s.status_since, at}, kIntervals);
    }
    s.status = r.to;
    s.status_since = at;
  }

  void operator()(const DownBegan& r) { service(r.service).down_since = r.since; }

  void operator()(const DownEnded& r) {
    ServiceState& s = service(r.service);
    if (s.down_since) push_bounded(s.downs, Interval{*s.down_since, std::max(*s.down_since, r.until)}, kIntervals);
    s.down_since.reset();
  }

  void operator()(const IncidentFailing& r) {
    d.incidents_made = std::max(d.incidents_made, r.incident);
    IncidentState& incident = d.incidents[r.incident];
    if (incident.id == 0) {
      incident.id = r.incident;
      incident.service = r.service;
      incident.first_failure = r.first_failure;
      incident.verdict_at = incident.began_at = at;
      incident.reason = r.reason;
    }
    if (r.reopened) {
      ++incident.reopened;
      incident.began_at = at;
      incident.reason = r.reason;
    }
    incident.ending = Ending::open;
    incident.failing[r.slot] = FailingState{r.check, r.first_failure, at, std::nullopt};
    ServiceState& s = service(r.service);
    s.incident = s.last_incident = r.incident;
  }

  void operator()(const IncidentRecovering& r) {
    const auto incident = d.incidents.find(r.incident);
    if (incident != d.incidents.end()) incident->second.failing[r.slot].first_success = r.first_success;
    service(r.service).holds.erase(r.slot);
  }

  void operator()(const IncidentClosed& r) {
    ServiceState& s = service(r.service);
    s.incident = 0;
    s.last_closed_at = at;
    s.holds.clear();
    const auto found = d.incidents.find(r.incident);
    if (found == d.incidents.end()) return;
    found->second.ending = r.how;
    found->second.recovered_at = r.recovered_at;
    found->second.closed_at = at;
    found->second.failing.clear();
    found->second.diagnosed.reset();
    forget_old_incidents();
    forget_settled_escalations();
  }

  void forget_old_incidents() {
    for (auto it = d.incidents.begin(); d.incidents.size() > kClosedIncidents && it != d.incidents.end();) {
      it = it->second.ending == Ending::open ? std::next(it) : d.incidents.erase(it);
    }
  }

  void operator()(const LadderMoved& r) {
    ServiceState& s = service(r.service);
    s.ladders[r.slot] = r.state;
    if (r.walk.none())
      s.walks.erase(r.slot);
    else
      s.walks[r.slot] = r.walk;
  }

  void operator()(const Intent& r) {
    d.actions[r.id] = ActionState{r, at, false, std::nullopt};
    if (r.mode == Mode::shadow) return;
    if (r.incident != 0) {
      const auto incident = d.incidents.find(r.incident);
      if (incident != d.incidents.end()) ++incident->second.actions;
    }
    if (r.mode != Mode::approve) charge(r);
  }

  void charge(const Intent& intent) {
    if (!intent.disruptive || !automatic(intent.origin, intent.by)) return;
    constexpr Duration kKept = std::chrono::hours(24);
    while (!d.disruptions.empty() && later(d.disruptions.front().at, kKept) < at) d.disruptions.pop_front();
    d.disruptions.push_back(Disruption{at, intent.service, intent.id, intent.slot, Text(intent.group)});
  }

  void undisrupted(CommandId id) {
    std::erase_if(d.disruptions, [&](const Disruption& x) { return x.id == id; });
  }

  void operator()(const Approved& r) {
    const auto action = d.actions.find(r.id);
    if (action == d.actions.end()) return approve_scaling(r.id);
    action->second.approved = true;
    answered(r.id, r.by);
    // It happens now, however long ago it was asked for. (An older journal's fold may have charged it when it was.)
    undisrupted(r.id);
    charge(action->second.intent);
  }

  void approve_scaling(CommandId id) {
    for (auto& [name, state] : d.services) {
      if (state.scaling && state.scaling->asked && state.scaling->asked->id == id) state.scaling->approved = true;
    }
  }

  void operator()(const Outcome& r) {
    const auto action = d.actions.find(r.id);
    if (action == d.actions.end()) return;
    const Intent& intent = action->second.intent;
    if (r.outcome == OutcomeKind::not_started) {
      answered(r.id, "homeostat");
      const auto incident = d.incidents.find(intent.incident);
      if (incident != d.incidents.end() && intent.mode != Mode::shadow && incident->second.actions > 0) {
        --incident->second.actions;
      }
      undisrupted(r.id);
    } else if (r.outcome != OutcomeKind::succeeded) {
      tried(intent, false);
    }
    // What has not succeeded may have been done all the same: the number is told again.
    if (intent.op == Op::scale && r.outcome != OutcomeKind::not_started)
      service(r.service).scaled = r.outcome == OutcomeKind::succeeded ? intent.count : kUntold;
    if (r.outcome == OutcomeKind::succeeded) {
      action->second.succeeded_at = at;
    } else {
      d.actions.erase(action);
    }
  }

  void operator()(const Verified& r) {
    const auto action = d.actions.find(r.id);
    if (action == d.actions.end()) return;
    const Intent intent = action->second.intent;
    d.actions.erase(action);
    tried(intent, r.ok);
  }

  // What has been tried last longest ago makes room, such as a repair against a check that is gone.
  void tried(const Intent& intent, bool helped) {
    const std::string failure = d.failure_of(intent);
    if (failure.empty()) return;
    auto& in_vain = service(intent.service).in_vain;
    const std::string key = in_vain_key(intent.strategy, intent.name, failure);
    if (helped) return void(in_vain.erase(key));
    if (!in_vain.contains(key) && in_vain.size() >= kKindsOfFailure) {
      in_vain.erase(std::ranges::min_element(in_vain, {}, [](const auto& item) { return item.second.last; })->first);
    }
    ++in_vain[key].tries;
    in_vain[key].last = at;
  }

  void operator()(const InstanceChanged& r) {
    ServiceState& s = service(r.service);
    InstanceState& i = s.instances[r.slot];
    // The first release an instance runs is no change, and neither is its first configuration.
    const bool another_release = i.version != r.version && !i.version.empty();
    const bool another_command = i.identity != r.identity && i.identity != 0;
    if (another_release) s.changed[r.slot] = Change{at, Text("took release " + r.version)};
    if (another_command && !another_release) s.changed[r.slot] = Change{at, Text("took another configuration")};
    i.state = r.state;
    i.incarnation = r.incarnation;
    i.version = r.version;
    if (r.port != 0) i.port = r.port;
    i.identity = r.identity;
    i.since = at;
    s.details.erase(r.slot);
    if (r.state == RunState::released) {
      s.instances.erase(r.slot);
      s.changed.erase(r.slot);
    } else if (!r.detail.empty()) {
      s.details[r.slot] = r.detail;
    }
  }

  void operator()(const DesiredSet& r) {
    ServiceState& s = service(r.service);
    if (r.version) return set_version(s, r.slot, *r.version);
    if (!r.running) s.stopped_by = r.by;
    if (r.slot < 0) {
      s.stopped = !r.running;
      s.stopped_slots.clear();
    } else if (r.running) {
      s.stopped_slots.erase(r.slot);
    } else {
      s.stopped_slots.insert(r.slot);
    }
  }

  // Another release is no start: what an operator stopped stays stopped.
  static void set_version(ServiceState& s, std::int32_t slot, const std::string& version) {
    if (slot >= 0) {
      s.versions[slot] = version;
      return;
    }
    s.version = version;
    s.versions.clear();
  }

  void operator()(const OperationMoved& r) {
    ServiceState& s = service(r.service);
    if (r.phase == OperationPhase::running)
      s.operation = r;
    else
      s.operation.reset();
  }

  void operator()(const RolloutMoved& r) {
    ServiceState& s = service(r.service);
    // Another stage has a judge of its own.
    if (s.judge && (!r.state || r.state->stage != s.judge->stage || r.state->began != s.judge->began)) {
      s.judged_before = *s.judge;
      s.judge.reset();
    }
    if (r.state)
      s.rollout = *r.state;
    else
      s.rollout.reset();
    s.spare.clear();
    for (const std::int32_t slot : r.spare) s.spare.insert(slot);
    s.versions.clear();
    for (const auto& [slot, version] : r.versions) s.versions[slot] = version;
    s.baseline.clear();
    for (const std::int32_t slot : r.baseline) s.baseline.insert(slot);
  }

  void operator()(const RouteSet& r) {
    auto& route = service(r.service).route;
    if (r.route)
      route = *r.route;
    else
      route.reset();
  }

  void operator()(const JudgeKept& r) { service(r.service).judge = r; }

  void operator()(const VersionMarked& r) {
    ServiceState& s = service(r.service);
    s.stable.erase_if([&](const std::string& version) { return version == r.version; });
    if (r.mark == Mark::stable) {
      s.quarantined.erase(r.version);
      push_bounded(s.stable, r.version, 16);
    } else {
      s.quarantined.insert(r.version);
    }
  }

  void operator()(const Held& r) {
    auto& holds = service(r.service).holds;
    if (r.gate.empty())
      holds.erase(r.slot);
    else
      holds[r.slot] = HoldState{r.gate, r.detail, at};
  }

  void operator()(const Skipped&) {}

  void operator()(const Escalated& r) {
    d.escalations[r.id] = EscalationState{r, at, 0, r.notifier.empty(), {}};
    // Nobody acknowledges anything: the oldest that were delivered make room.
    for (auto it = d.escalations.begin(); d.escalations.size() > kEscalations && it != d.escalations.end();) {
      it = it->second.notified ? d.escalations.erase(it) : std::next(it);
    }
  }

  void operator()(const Notified& r) {
    const auto escalation = d.escalations.find(r.id);
    if (escalation == d.escalations.end()) return;
    escalation->second.attempts = r.attempt;
    escalation->second.notified = escalation->second.notified || r.ok;
    forget_settled_escalations();
  }

  void operator()(const Acknowledged& r) {
    const auto escalation = d.escalations.find(r.id);
    if (escalation != d.escalations.end()) escalation->second.acknowledged_by = r.by;
    forget_settled_escalations();
  }

  // Nobody is asked any more: it has been approved, or taken back.
  void answered(CommandId id, const std::string& by) {
    for (auto& [number, e] : d.escalations) {
      if (e.what.asks_for == id && e.acknowledged_by.empty()) e.acknowledged_by = by;
    }
  }

  // Kept while anybody may still ask for it: not acknowledged, not delivered, or what it tells of goes on.
  void forget_settled_escalations() {
    std::erase_if(d.escalations, [&](const auto& item) {
      const EscalationState& e = item.second;
      const auto incident = d.incidents.find(e.what.incident);
      const auto about = d.services.find(e.what.service);
      const bool fails = !e.what.asks_for.none() && about != d.services.end() && about->second.incident != 0;
      const bool open = fails || (incident != d.incidents.end() && incident->second.ending == Ending::open);
      return !e.acknowledged_by.empty() && e.notified && !open;
    });
  }

  void operator()(const Paused& r) {
    const auto [found, fresh] = d.pauses.try_emplace(r.service);
    PauseState& pause = found->second;
    // Whoever pauses what is paused for longer already takes nothing back.
    if (fresh || pause.until < r.until) pause = {at, r.until, r.by, {}};
    pause.operations.clear();
    for (const auto& [name, s] : d.services) {
      if (s.operation && (r.service.empty() || r.service == name)) pause.operations.push_back(s.operation->id);
    }
  }
  void operator()(const Resumed& r) { d.pauses.erase(r.service); }

  void operator()(const MaintenanceBegan& r) {
    const auto [state, fresh] = (r.scheduled ? d.windows : d.maintenance).try_emplace(r.service);
    if (fresh || state->second.over) state->second.since = at;
    state->second.over = false;
    state->second.until = r.until;
    state->second.reason = r.reason;
    state->second.by = r.by;
  }
  void operator()(const MaintenanceEnded& r) {
    auto& all = r.scheduled ? d.windows : d.maintenance;
    const auto found = all.find(r.service);
    if (found == all.end()) return;
    MaintenanceState& state = found->second;
    const Interval span{state.since, std::min(at, state.until)};  // nobody may have been there to end it in time
    if (!state.over) push_bounded(d.maintained, Maintained{r.service, span}, kIntervals);
    state.over = true;
    if (!r.early) all.erase(found);
  }

  void operator()(const CautionChanged& r) {
    if (r.caution == Caution::doubt && !r.on) d.storm_over = at;
  }

  void operator()(const LockChanged& r) {
    auto& locks = service(r.service).locks;
    if (r.locked)
      locks[r.slot] = r.reason;
    else
      locks.erase(r.slot);
  }

  void operator()(const ResourceMoved& r) {
    if (r.service.empty())
      d.resources.erase(r.lock);
    else
      d.resources[r.lock] = r.service;
  }
  void operator()(const Drained& r) {
    auto& drained = service(r.service).drained;
    if (r.drained)
      drained.insert(r.slot);
    else
      drained.erase(r.slot);
  }

  void operator()(const Diagnosed& r) {
    const auto incident = d.incidents.find(r.incident);
    if (incident != d.incidents.end()) incident->second.diagnosed = r;
  }
  void operator()(const ChangeNoted& r) {
    const std::string by = r.by.empty() ? std::string() : " (by " + r.by + ")";
    service(r.service).changed[-1] = Change{at, Text("was changed to " + r.version + by)};
  }

  void operator()(const BreakerChanged& r) {
    if (r.to == to_string(BreakerState::closed)) {
      d.breakers.erase(r.breaker);
      return;
    }
    if (r.to != to_string(BreakerState::open)) return;  // half-open: the probe is still owed
    const auto [found, closed] = d.breakers.try_emplace(r.breaker);
    OpenBreaker& breaker = found->second;
    if (closed) breaker.since = at;
    breaker.identity = r.identity;
    breaker.opened_at = at;
    breaker.probe_at = r.probe_at;
    breaker.times_open = r.times_open;
    breaker.failures += r.failures;
    breaker.calls = r.calls;
    breaker.failed = r.failed;
  }
};

}  // namespace

std::string in_vain_key(std::string_view strategy, std::string_view name, std::string_view failure) {
  std::string key(strategy);
  if (!name.empty()) key.append(" ").append(name);
  return key.append(" against ").append(failure);
}

std::string Durable::failure_of(const Intent& intent) const {
  if (!intent.against.empty()) return intent.against;
  const auto incident = incidents.find(intent.incident);
  if (incident == incidents.end()) return {};
  const auto failing = incident->second.failing.find(intent.slot);
  return failing == incident->second.failing.end() ? std::string() : failing->second.check;
}

const Diagnosed* Durable::diagnosed(const ServiceState& service) const {
  const auto incident = incidents.find(service.incident);
  return incident == incidents.end() || !incident->second.diagnosed ? nullptr : &*incident->second.diagnosed;
}

void Durable::apply(const Record& record) {
  seq = record.seq;
  last_at = std::max(last_at, record.at);
  std::visit(Fold{{{*this, record.at}}}, record.body);
}

std::string Durable::fold() const { return JsonWriter::write(*this); }

bool Durable::unfold(std::string_view text, Durable& out) { return JsonReader::read(text, out); }

}  // namespace homeostat::engine
