#include "engine/breakers.hpp"

#include "core/planted.hpp"
#include "engine/rollout.hpp"
#include "engine/sources.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds(1);  // while a probe is under way
constexpr std::uint64_t kMostAtOnce = 1000;              // calls that others made: more would say the same
constexpr std::string_view kRequests = "traffic:";
constexpr std::string_view kProxy = "proxy:";
// A rollout waits for its proxy, and a look costs little.
constexpr Duration kProxyFirst = std::chrono::seconds(5);
constexpr Duration kProxyLongest = std::chrono::seconds(30);

// What changed becomes records: the state after a crash is the state before it.
void note(Turn& t, const std::string& name, LiveBreaker& breaker) {
  BreakerMachine& machine = breaker.machine;
  while (const auto event = machine.take_event()) {
    if (event->kind != BreakerEvent::Kind::changed) continue;
    BreakerChanged changed;
    changed.breaker = name;
    changed.identity = breaker.identity;
    changed.from = to_string(event->from);
    changed.to = to_string(event->to);
    changed.reason = to_string(event->reason);
    changed.failures = event->counts.consecutive_failures;
    changed.not_permitted = event->counts.not_permitted;
    changed.times_open = machine.times_open();
    changed.probe_at = machine.open_until();
    changed.calls = event->counts.calls;
    changed.failed = event->counts.failures;
    t.record(std::move(changed));
  }
}

// Made at the first call: most commands are never needed.
LiveBreaker& breaker_of(Turn& t, const Dependency& behind) {
  const auto [at, fresh] = t.s.breakers.try_emplace(behind.name);
  if (fresh) {
    at->second.identity = behind.identity;
    at->second.machine = BreakerMachine(breaker_options(t.s.plan, behind.name));
  }
  return at->second;
}

// What was open is closed: whatever waits may try at once.
void withdraw_breaker(Turn& t, const std::string& name, std::uint64_t identity) {
  const auto live = t.s.breakers.find(name);
  const BreakerState was = live == t.s.breakers.end() ? BreakerState::open : live->second.machine.state();
  BreakerChanged changed;
  changed.breaker = name;
  changed.identity = identity;
  changed.from = to_string(was);
  changed.to = to_string(BreakerState::closed);
  changed.reason = "withdrawn";
  t.record(std::move(changed));
  for (auto& [id, notifying] : t.s.notifying) {
    if (!notifying.in_flight) notifying.next_at = t.now;
  }
}

void restore(Turn& t, const std::string& name, const OpenBreaker& was) {
  LiveBreaker& breaker = breaker_of(t, {name, was.identity});
  breaker.machine.restore_open(was.opened_at, was.probe_at, was.times_open, t.now);
}

}  // namespace

std::optional<Dependency> command_behind(const ServicePlan& service, Op op) {
  if (service.runtime.managed || op == Op::exec) return std::nullopt;
  return Dependency{"exec:" + service.name + "/" + std::string(name_of(op)), service.runtime.commands};
}

std::optional<Dependency> requests_to(const Plan& plan, const ServicePlan& service, Slot slot) {
  const auto own = plan.ejections.find(service.name);
  if (own == plan.ejections.end()) return std::nullopt;
  return Dependency{std::string(kRequests) + service.name + "/" + std::to_string(slot), own->second.identity};
}

std::optional<Dependency> requests_to(const Plan& plan, const ServicePlan& service, std::string_view version) {
  const auto own = plan.ejections.find(service.name);
  if (own == plan.ejections.end()) return std::nullopt;
  // No version of that name is taken for a place.
  return Dependency{std::string(kRequests) + service.name + "/@" + std::string(version), own->second.identity};
}

std::optional<Dependency> proxy_before(const Plan& plan, const ServicePlan& service) {
  const auto own = plan.ejections.find(service.name);
  const bool led = service.rollout && service.rollout->policy.routing == rollout::Routing::by_weight;
  if (!led && own == plan.ejections.end()) return std::nullopt;
  return Dependency{std::string(kProxy) + service.name, own == plan.ejections.end() ? 0 : own->second.identity};
}

BreakerOptions breaker_options(const Plan& plan, std::string_view name) {
  if (name.starts_with(kProxy)) {
    BreakerOptions options = plan.breaker;
    options.open_for = std::min(options.open_for, kProxyFirst);
    options.open_cap = std::min(options.open_cap, kProxyLongest);
    return options;
  }
  if (!name.starts_with(kRequests)) return plan.breaker;
  name.remove_prefix(kRequests.size());
  const auto own = plan.ejections.find(name.substr(0, name.find('/')));
  return own == plan.ejections.end() ? plan.breaker : own->second.breaker;
}

Dependency dependency_of(const NotifierPlan& notifier) { return {"notify:" + notifier.name, notifier.identity}; }

std::map<std::string, std::uint64_t> dependencies(const Plan& plan) {
  std::map<std::string, std::uint64_t> all;
  for (const ServicePlan& service : plan.services) {
    for (std::size_t i = 0; service.scaling && i < service.scaling->sources.size(); ++i) {
      if (const auto behind = source_behind(service, i)) all.emplace(behind->name, behind->identity);
    }
    for (const Op op : {Op::start, Op::stop, Op::restart, Op::rollback, Op::scale}) {
      if (const auto behind = command_behind(service, op)) all.emplace(behind->name, behind->identity);
    }
    if (const auto proxy = proxy_before(plan, service)) all.emplace(proxy->name, proxy->identity);
    for (Slot slot = 0; slot < static_cast<Slot>(service.instances); ++slot) {
      const auto behind = requests_to(plan, service, slot);
      if (!behind) break;
      all.emplace(behind->name, behind->identity);
    }
  }
  for (const NotifierPlan& notifier : plan.notifiers) {
    const Dependency behind = dependency_of(notifier);
    all.emplace(behind.name, behind.identity);
  }
  return all;
}

void configure_breakers(Turn& t) {
  if (t.s.breakers.empty() && t.s.durable.breakers.empty()) return;
  auto wanted = dependencies(t.s.plan);
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (!rollout_active(t, id)) continue;
    for (const std::string& version : {t.durable(id).rollout->from, t.durable(id).rollout->to}) {
      if (const auto behind = requests_to(t.s.plan, t.plan(id), version)) wanted[behind->name] = behind->identity;
    }
  }
  const auto stays = [&](const std::string& name, std::uint64_t identity) {
    const auto found = wanted.find(name);
    return found != wanted.end() && found->second == identity;
  };
  const auto open = t.s.durable.breakers;
  for (const auto& [name, was] : open) {
    if (!stays(name, was.identity)) withdraw_breaker(t, name, was.identity);
  }
  std::erase_if(t.s.breakers, [&](const auto& item) { return !stays(item.first, item.second.identity); });
  std::erase_if(t.s.calls, [&](const auto& item) { return !t.s.breakers.contains(item.second.breaker); });
  for (auto& [name, breaker] : t.s.breakers) breaker.machine.reconfigure(breaker_options(t.s.plan, name));
  for (const auto& [name, was] : t.s.durable.breakers) {
    if (!t.s.breakers.contains(name)) restore(t, name, was);
  }
}

std::optional<Hold> breaker_gate(Turn& t, const Ask& ask) {
  if (!ask.command) return std::nullopt;
  const auto found = t.s.breakers.find(ask.command->name);
  if (found == t.s.breakers.end()) return std::nullopt;
  BreakerMachine& machine = found->second.machine;
  machine.poll(t.now);
  std::optional<Hold> hold;
  if (machine.state(t.now) == BreakerState::open) {
    hold = Hold{std::string(kBreakerGate), found->first + " is open: it has failed too often", machine.open_until()};
  } else if (machine.state() == BreakerState::half_open && machine.probes() >= machine.options().half_open_max_calls) {
    hold = Hold{std::string(kBreakerGate), found->first + " is being tried once", later(t.now, kAskAgain)};
  }
  if (!hold) return hold;
  // However often it is asked while it waits, it is one call that is not admitted.
  const auto& holds = t.durable(ask.service).holds;
  const auto known = holds.find(ask.slot);
  if (known == holds.end() || known->second.gate != kBreakerGate) machine.add_rejected(1);
  return hold;
}

std::expected<void, Rejected> breaker_admits(Turn& t, const Dependency& behind, CommandId id) {
  LiveBreaker& breaker = breaker_of(t, behind);
  const auto ticket = breaker.machine.acquire(t.now);
  note(t, behind.name, breaker);
  if (!ticket && planted(Bug::breaker_ignored)) return {};
  if (!ticket) {
    Rejected rejected = ticket.error();
    if (rejected.retry_after <= Duration{}) rejected.retry_after = kAskAgain;
    return std::unexpected(rejected);
  }
  t.s.calls[id] = BreakerCall{behind.name, *ticket};
  return {};
}

std::size_t calls_under_way(const Turn& t, const Dependency& behind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(t.s.calls, [&](const auto& call) { return call.second.breaker == behind.name; }));
}

void close_by_hand(Turn& t, const Dependency& behind) {
  LiveBreaker& breaker = breaker_of(t, behind);
  if (breaker.machine.state() == BreakerState::closed) return;
  breaker.machine.force(BreakerState::closed, t.now);
  note(t, behind.name, breaker);
}

void breaker_saw(Turn& t, const Dependency& behind, std::uint64_t calls, std::uint64_t failed) {
  if (calls == 0) return;
  for (; calls > 0xffffffffU; calls /= 2) failed /= 2;
  const std::uint64_t counted = std::min(calls, kMostAtOnce);
  const std::uint64_t failures = std::min(failed, calls) * counted / calls;
  LiveBreaker& breaker = breaker_of(t, behind);
  // In which order they came nobody knows: the failures are spread evenly.
  for (std::uint64_t i = 0; i < counted && breaker.machine.state() != BreakerState::open; ++i) {
    const auto ticket = breaker.machine.acquire(t.now);
    if (!ticket) break;
    BreakerMachine::Result result;
    if ((i + 1) * failures / counted != i * failures / counted) result.outcome = CallOutcome::failure;
    breaker.machine.finish(*ticket, result, t.now);
  }
  note(t, behind.name, breaker);
}

void breaker_probes(Turn& t, const Dependency& behind) {
  LiveBreaker& breaker = breaker_of(t, behind);
  BreakerMachine& machine = breaker.machine;
  if (machine.state() != BreakerState::open) return;
  machine.restore_open(machine.opened_at(), std::min(machine.open_until(), t.now), machine.times_open(), t.now);
  const auto ticket = machine.acquire(t.now);
  if (ticket) machine.finish(*ticket, {CallOutcome::ignored}, t.now);
  note(t, behind.name, breaker);
}

void forget_breaker(Turn& t, const Dependency& behind) {
  withdraw_breaker(t, behind.name, behind.identity);
  t.s.breakers.erase(behind.name);
}

void breaker_result(Turn& t, CommandId id, CallOutcome outcome) {
  const auto call = t.s.calls.extract(id);
  if (call.empty()) return;
  const auto found = t.s.breakers.find(call.mapped().breaker);
  if (found == t.s.breakers.end()) return;
  BreakerMachine::Result result;
  result.outcome = outcome;
  found->second.machine.finish(call.mapped().ticket, result, t.now);
  note(t, found->first, found->second);
}

}  // namespace homeostat::engine
