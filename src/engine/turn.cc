#include "engine/turn.hpp"

#include "core/planted.hpp"
#include "engine/index.hpp"

namespace homeostat::engine {

std::uint64_t Turn::record(Body body) {
  Record record{s.durable.seq + 1, now, s.plan.generation, std::move(body)};
  s.durable.apply(record);
  if (planted(Bug::record_lost) && std::holds_alternative<Skipped>(record.body)) return s.durable.seq;
  out.records.push_back(std::move(record));
  return s.durable.seq;
}

CommandId Turn::next_id() {
  const std::uint64_t counter = s.next_counter++;
  return {s.durable.epoch, planted(Bug::numbered_backwards) ? ~counter : counter};
}

std::optional<ServiceId> Turn::find(std::string_view name) const { return service_named(s, name); }

const InstanceState* instance_of(const State& s, ServiceId id, Slot slot) {
  const auto& instances = s.index.facts[id]->instances;
  const auto found = instances.find(slot);
  return found == instances.end() ? nullptr : &found->second;
}

bool wanted_in(const State& s, ServiceId id, Slot slot) {
  const ServiceState& state = *s.index.facts[id];
  if (slot < 0) return !state.stopped;
  return slot < static_cast<Slot>(s.plan.services[id].instances) && state.wants_running(slot);
}

std::uint32_t needed_in(const State& s, ServiceId id) {
  const auto& spare = s.index.facts[id]->spare;
  const auto instances = static_cast<Slot>(s.plan.services[id].instances);
  const auto idle = std::count_if(spare.begin(), spare.end(), [=](Slot slot) { return slot < instances; });
  return static_cast<std::uint32_t>(instances - idle);
}

void Turn::mark(ServiceId id) {
  LiveService& service = s.services[id];
  if (service.dirty) return;
  service.dirty = true;
  s.dirty.push_back(id);
}

Status View::status() const {
  if (!checked) return Status::unknown;
  if (failing) return recovering ? Status::degraded : critical ? Status::critical : Status::unhealthy;
  if (unknown) return Status::unknown;
  return degraded ? Status::degraded : Status::healthy;
}

namespace {

void add(View& view, const Health& health, CheckId check) {
  view.checked = true;
  view.confirmed = view.confirmed && health.confirmed();
  view.proving = view.proving && health.successes() > 0;
  view.flapping = view.flapping || health.flapping();
  view.starting = view.starting || health.starting();
  view.blind = view.blind || health.blind();
  if (health.successes() > 0) view.first_success = std::max(view.first_success, health.first_success());
  switch (health.status()) {
    case Status::unknown:
      view.unknown = true;
      break;
    case Status::degraded:
      view.degraded = true;
      break;
    case Status::critical:
      view.critical = true;
      break;
    case Status::healthy:
    case Status::unhealthy:
      break;
  }
  if (!health.failing()) return;
  if (!view.failing) {
    view.check = check;
    view.recovering = true;
  }
  view.failing = true;
  view.recovering = view.recovering && health.successes() > 0;
  view.direct = view.direct || health.last().direct();
  view.first_failure = std::min(view.first_failure, health.first_failure());
  view.last_seen = std::min(view.last_seen, health.last_seen());
}

}  // namespace

View view_of(const State& s, ServiceId id, Slot slot) {
  View view;
  view.confirmed = view.proving = true;
  const ServicePlan& plan = s.plan.services[id];
  const auto& places = s.services[id].places;
  const Place& place = slot < 0 ? places.back() : places[static_cast<std::size_t>(slot)];
  for (const TargetId target : place.targets) {
    const CheckId check = s.targets[target].check;
    if (plan.checks[check].role == Role::alive) add(view, s.targets[target].health, check);
  }
  if (!plan.runtime.managed || slot < 0) return view;
  const InstanceState* instance = instance_of(s, id, slot);
  if (instance != nullptr && instance->state == RunState::completed) {
    View done;  // as well as can be: it has nothing more to do
    done.checked = done.confirmed = done.proving = true;
    done.first_success = instance->since;
    return done;
  }
  view.checked = true;
  if (instance == nullptr || instance->state != RunState::running) {
    view.unknown = true;
    view.confirmed = view.proving = false;
  }
  if (instance == nullptr || instance->state != RunState::dead) return view;
  view.dead = view.failing = view.direct = true;
  view.recovering = false;
  view.first_failure = std::min(view.first_failure, instance->since);
  return view;
}

View doubted_view(Turn& t, ServiceId id, Slot slot) {
  View view = view_of(t, id, slot);
  if (!t.s.doubt.doubtful || !view.failing || view.direct) return view;
  view.failing = false;
  view.unknown = view.blind = true;
  return view;
}

}  // namespace homeostat::engine
