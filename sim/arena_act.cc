// How the arena answers: checks, actions, calls for people.
#include "sim/arena.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

// Who fails shows all that he has.
std::string said(bool ok) { return ok ? "" : "it did not work with " + std::string(kCanary); }

}  // namespace

Observation Arena::answer(ArenaPlace& place, Duration timeout) const {
  const Duration quick = options_.probe_delay;
  switch (now_ < place.conduct.until ? place.conduct.kind : place.release) {
    case Conduct::well:
    case Conduct::lost:
      break;
    case Conduct::slow:
      return {Result::success, Reason::none, 200, timeout / 5 * 4};
    case Conduct::wrong:
      return {Result::failure, Reason::wrong_status, 500, quick};
    case Conduct::refuse:
      return {Result::failure, Reason::refused, 0, quick};
    case Conduct::hang:
      return {Result::timeout, Reason::timed_out, 0, timeout};
    case Conduct::unreachable:
      return {Result::failure, Reason::unreachable, 0, quick};
    case Conduct::blind:
      return {Result::unknown, Reason::no_descriptors, 0, {}};
    case Conduct::flap:
      if ((++place.looks / 3) % 2 == 0) return {Result::failure, Reason::wrong_status, 503, quick};
      break;
  }
  return {Result::success, Reason::none, 200, quick};
}

bool Arena::is_cut_off(std::uint32_t service) const {
  switch (cut_.at(now_)) {
    case Cut::none:
      return false;
    case Cut::whole:
      return true;
    case Cut::part:
      return is_beyond(service);
    case Cut::lossy:
      break;
  }
  return Random::mix(order_) % 2 == 0;
}

Observation Arena::look(const Target& target, Duration timeout) {
  const Observation good{Result::success, Reason::none, 200, options_.probe_delay};
  if (target.check == kNone) {
    return now_ < file_gone_.until ? Observation{Result::failure, Reason::not_found, 0, {}} : good;
  }
  const ServicePlan& plan = plan_.services[target.service];
  ArenaPlace& place = services_[index_[target.service]].at(target.slot);
  const bool runs = !plan.runtime.managed || target.slot < 0 || place.alive;
  if (plan.checks[target.check].process) return runs ? good : Observation{Result::failure, Reason::exited, -1, {}};
  if (is_cut_off(index_[target.service])) return {Result::timeout, Reason::timed_out, 0, timeout};
  if (!runs) return {Result::failure, Reason::refused, 0, options_.probe_delay};
  return answer(place, timeout);
}

void Arena::handle(const Probe& c) {
  const Target& target = engine_->state().targets[c.target];
  const bool check = target.check != kNone;
  const Duration timeout =
      check ? plan_.services[target.service].checks[target.check].policy.timeout : std::chrono::seconds(1);
  if (check && now_ < services_[index_[target.service]].at(target.slot).conduct.until &&
      services_[index_[target.service]].at(target.slot).conduct.kind == Conduct::lost) {
    return;
  }
  const Observation seen = look(target, timeout);
  at(now_ + std::max(options_.probe_delay, seen.latency), Observed{c.target, c.run, seen});
}

void Arena::handle(const Notify& c) {
  ++calls_;
  const bool ok = !notifier_bad_.at(now_);
  at(now_ + std::chrono::milliseconds(10), [this, c, ok] { hear(NotifyDone{c.escalation, ok, said(ok)}); });
}

void Arena::handle(const SelfCheck& c) {
  if (self_mute_.at(now_)) return;
  const bool ok = !self_bad_.at(now_);
  at(now_ + std::chrono::milliseconds(1), [this, c, ok] { give(SelfChecked{c.round, ok}); });
}

void Arena::handle(const Release&) {}

// The arena's own time is that of every wall.
void Arena::handle(const ReadClocks& c) {
  at(now_ + std::chrono::milliseconds(1), [this, c] {
    const auto minutes = std::chrono::floor<std::chrono::minutes>(now_.time_since_epoch()).count();
    const std::vector<LocalMinutes> local(plan_.zones.size(), minutes);
    give(ClocksRead{c.round, now_.time_since_epoch().count(), local});
  });
}

MeasuredMetric Arena::measure(const ArenaService& service, bool by_instance) const {
  std::int64_t load = service.load;
  if (service.metering.at(now_) == Metering::lie_high) load = load * 20 + 1'000'000;
  if (service.metering.at(now_) == Metering::lie_low) load /= 20;
  MeasuredMetric told;
  if (!by_instance) {
    told.totals = {load};
    told.at = now_;
    return told;
  }
  for (std::size_t i = 1; i < service.places.size(); ++i) {
    if (service.places[i].alive) told.samples.push_back({static_cast<Slot>(i - 1), 0, now_, std::chrono::seconds(1)});
  }
  for (SlotSample& sample : told.samples) sample.value = load / static_cast<std::int64_t>(told.samples.size());
  return told;
}

void Arena::handle(const Measure& c) {
  const ArenaService& service = services_[index_[c.service]];
  const Metering metering = service.metering.at(now_);
  if (metering == Metering::silent) return;
  Measured answer{c.service, c.round, {}, {}};
  for (const MetricRule& rule : plan_.services[c.service].scaling->policy.metrics) {
    answer.metrics.push_back(measure(service, rule.kind == MetricKind::average || rule.kind == MetricKind::threshold));
  }
  const auto fails = static_cast<std::size_t>(service.metering.until.time_since_epoch().count());
  for (std::size_t i = 0; i < answer.metrics.size(); ++i) {
    const bool asked = (c.held >> i & 1) == 0;
    const bool well = metering != Metering::fail || i != fails % answer.metrics.size();
    if (!asked || !well) answer.metrics[i] = {MetricFault::unread, {}, {}, {}, said(false)};
  }
  const Duration wait = metering == Metering::late ? std::chrono::seconds(2 + c.round % 12) : options_.probe_delay;
  // An answer that nobody waits for any more comes all the same.
  at(now_ + wait, [this, answer = std::move(answer)] { tell(answer); });
}

// Of sixteen answers one condemns, three say "not yet", one never comes and one comes when nobody waits for it any
// more.
void Arena::handle(const AskGate& c) {
  const std::uint64_t luck = Random::mix(c.id.epoch * 1'000'003 + c.id.counter) % 16;
  GateAnswered answer{c.service, c.gate, c.id};
  answer.result = luck == 0  ? rollout::GateResult::failed
                  : luck < 4 ? rollout::GateResult::waiting
                             : rollout::GateResult::passed;
  answer.why = said(luck >= 4);
  if (luck != 4) at(now_ + std::chrono::seconds(luck == 5 ? 25 : 1), [this, answer] { tell(answer); });
}

void Arena::handle(const Dispatch& c) {
  const std::uint32_t number = index_[c.service];
  if (c.op == Op::route) return route({c, number, false, true, {}});
  ArenaService& service = services_[number];
  const Handling handling = service.handling.at(now_);
  if (handling == Handling::hang) return;
  const bool ours = plan_.services[c.service].runtime.managed && c.op != Op::exec && c.op != Op::scale;
  const Order order{c, number, handling == Handling::fail, handling != Handling::mute,
                    std::string(engine_->version(c.version))};
  const auto act = [this, order, ours] { ours ? carry_out(order) : run_command(order); };
  if (handling != Handling::late) return act();
  // A command of the user's goes on when Homeostat dies; what its own process runtime does ends with it.
  at(later(now_, service.late_by), act, ours);
}

// The user's own command, for a service that somebody else runs.
void Arena::run_command(const Order& order) {
  ArenaPlace& place = services_[order.service].at(order.c.slot);
  const std::uint64_t life = life_;
  if (!order.fails && order.c.op == Op::scale)
    services_[order.service].told_count = static_cast<std::int32_t>(order.c.reference);
  if (!order.fails) {
    did(order, order.c.op, well(order.service, order.c.slot));
    if (!place.sticky) place.conduct = {};
  }
  at(
      now_ + options_.start_delay,
      [this, order, life] {
        if (life != life_) return;
        finish(order, order.fails ? OutcomeKind::failed : OutcomeKind::succeeded, {});
      },
      false);
}

void Arena::carry_out(const Order& order) {
  const Dispatch& c = order.c;
  ArenaPlace& place = services_[order.service].at(c.slot);
  if (place.alive && place.incarnation != c.expected) {
    const Incarnation running = place.incarnation;
    return at(now_, [this, order, running] { finish(order, OutcomeKind::not_started, running); });
  }
  Duration wait = options_.start_delay;
  if (c.op != Op::start && place.alive) {
    const bool was_well = well(order.service, c.slot);
    place.alive = false;
    did(order, Op::stop, was_well);
    wait += options_.stop_delay;
  }
  if (c.op == Op::stop) {
    return at(now_ + options_.stop_delay, [this, order] { finish(order, OutcomeKind::succeeded, {}); });
  }
  at(now_ + wait, [this, order] { start(order); });
}

void Arena::start(const Order& order) {
  ArenaPlace& place = services_[order.service].at(order.c.slot);
  if (order.fails) return finish(order, OutcomeKind::failed, {});
  place.alive = true;
  place.incarnation = Incarnation{next_pid_++, static_cast<std::uint64_t>(now_.time_since_epoch().count()), boot_};
  place.started_by = order.c.id;
  place.version = order.version;
  const auto release = releases_.find(order.version);
  place.release = release == releases_.end() ? Conduct::well : release->second;
  if (!place.sticky) place.conduct = {};
  did(order, Op::start, false);
  const Incarnation mine = place.incarnation;
  const Duration dies = services_[order.service].dies_after.at(now_);
  if (dies > Duration{}) {
    const auto end = [this, order, mine] {
      const ArenaPlace& now = services_[order.service].at(order.c.slot);
      if (now.alive && now.incarnation == mine) crash(order.service, order.c.slot);
    };
    at(now_ + dies, end, false);
  }
  finish(order, OutcomeKind::succeeded, mine);
}

void Arena::did(const Order& order, Op op, bool was_well) {
  witness_->did(Deed{now_, order.c.id, op, order.service, order.c.slot, was_well});
  if (!ambush_.in_action || !engine_) return;
  ambush_.in_action = false;
  sprung_ = true;
  keep_ = durable_;
}

void Arena::finish(const Order& order, OutcomeKind outcome, const Incarnation& running) {
  if (!order.tells || sprung_ || !engine_) return;
  if (paused()) return at(paused_until_, [=, this] { finish(order, outcome, running); });
  const std::string& version = services_[order.service].at(order.c.slot).version;
  hear(ActionDone{order.c.id, outcome, running, 0, said(outcome == OutcomeKind::succeeded), version});
}

}  // namespace homeostat::sim
