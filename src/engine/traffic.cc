#include "engine/traffic.hpp"

#include <algorithm>
#include <cmath>

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/breakers.hpp"
#include "engine/calls.hpp"
#include "engine/doubt.hpp"
#include "engine/ejection.hpp"
#include "engine/operations.hpp"
#include "engine/rollout.hpp"
#include "engine/rollout_judge.hpp"
#include "engine/rollout_places.hpp"
#include "engine/status.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kEvery = std::chrono::seconds(1);
constexpr Duration kEveryAtRest = std::chrono::seconds(10);
constexpr Duration kStillTrue = std::chrono::seconds(5);
constexpr Duration kSilent = std::chrono::seconds(15);  // the shell's own time-outs end long before
constexpr Duration kLongestWait = std::chrono::seconds(30);
// A proxy that is reloaded, or for a moment has no room for our question, is no reason to call somebody.
constexpr Duration kLasting = std::chrono::seconds(5);

bool names(const std::vector<std::int32_t>& slots, Slot slot) { return std::ranges::find(slots, slot) != slots.end(); }

void note_wellness(LiveTraffic& live, Instant now) {
  const bool well = live.fault.empty() && live.refused.empty();
  live.unwell_since = well ? kNever : std::min(live.unwell_since, now);
}

bool leads_to(const Route& route, Slot slot) {
  return names(route.stable, slot) || names(route.fresh, slot) || names(route.baseline, slot);
}

// On a way back in the dark, the old version is what there is, as far as it has been seen before.
bool is_old_unseen(Turn& t, ServiceId id, const Place& place) {
  const auto& state = t.durable(id).rollout;
  if (!rollout_active(t, id) || rollout::rising(*state) || place.action) return false;
  return trusts_unseen(t, id, *state) && !runs_new(t, id, place.slot, *state) &&
         ran_before(t.s, *t.instance(id, place.slot));
}

// Who gets requests keeps them until it fails: after a restart of Homeostat nobody has been seen well yet.
bool may_serve(Turn& t, ServiceId id, const Place& place) {
  const InstanceState* known = t.instance(id, place.slot);
  if (known == nullptr || known->state != RunState::running || !t.wanted(id, place.slot)) return false;
  if (planted(Bug::unready_served)) return true;
  if (known->version != wanted_version_of(t.plan(id), t.durable(id), place.slot)) return false;
  if (!takes_requests(t, id, place.slot) || is_drained(t, id, place.slot)) return false;
  const auto& route = t.durable(id).route;
  const bool serves = route && leads_to(*route, place.slot);
  const View view = view_of(t, id, place.slot);
  return is_ready(t, id, place) || (serves && !view.failing) || (is_old_unseen(t, id, place) && !view.direct);
}

// Without a rollout each server gets as much as any other, whether it runs or not; but those that are drained.
Route at_rest(Turn& t, ServiceId id) {
  Route route;
  for (const Place& place : t.live(id).places) {
    if (place.slot >= 0 && !is_drained(t, id, place.slot)) route.stable.push_back(place.slot);
  }
  return route;
}

bool has_proxy(Turn& t, ServiceId id) { return t.plan(id).routed || is_routed(t, id); }

bool runs(Turn& t, ServiceId id, Slot slot) {
  const InstanceState* known = t.instance(id, slot);
  return known != nullptr && known->state == RunState::running;
}

// Something that runs may have to go before long: who else takes its requests must be known then.
bool stops_soon(Turn& t, ServiceId id) {
  return operation_running(t, id) || std::ranges::any_of(t.live(id).places, [&](const Place& place) {
           return place.slot >= 0 && runs(t, id, place.slot) && !t.wanted(id, place.slot);
         });
}

// What was drained gets requests again when its own checks have proved it well, or when it is not there any more.
void take_back(Turn& t, ServiceId id) {
  const auto drained = t.durable(id).drained;
  for (const Slot slot : drained) {
    const bool gone = !t.has_place(id, slot) || !has_proxy(t, id);
    const View view = gone ? View{} : view_of(t, id, slot);
    const bool well = !gone && view.up() && view.confirmed && !t.place(id, slot).action;
    if (gone || well) t.record(Drained{t.plan(id).name, slot, false, well ? "it is well again" : "it is not there"});
  }
}

// Those that have been taken out get nothing, those on trial a part of what they would get.
void take_out(Turn& t, ServiceId id, Route& route) {
  for (const Ejection& one : ejections_of(t.s, id)) {
    if (!one.kept.empty() || !leads_to(route, one.slot)) continue;
    if (one.trial) {
      route.trial.push_back(one.slot);
      route.part = t.s.plan.ejections.at(t.plan(id).name).trial;
      continue;
    }
    std::erase(route.stable, one.slot);
    std::erase(route.fresh, one.slot);
    std::erase(route.baseline, one.slot);
  }
  std::ranges::sort(route.trial);
}

/// Nothing: there is nobody who could take the requests; they stay where they are.
std::optional<Route> wanted_route(Turn& t, ServiceId id) {
  if (!is_routed(t, id) || !rollout_active(t, id)) {
    Route route = at_rest(t, id);
    take_out(t, id, route);
    return route;
  }
  const rollout::State& state = *t.durable(id).rollout;
  Route route;
  for (const Place& place : t.live(id).places) {
    if (place.slot < 0 || !may_serve(t, id, place)) continue;
    const bool compared = t.durable(id).baseline.contains(place.slot);
    (runs_new(t, id, place.slot, state) ? route.fresh : compared ? route.baseline : route.stable).push_back(place.slot);
  }
  route.share = state.step ? state.step->to.weight : state.split.weight;
  const bool any_fresh = !route.fresh.empty();
  take_out(t, id, route);
  if (const auto out = version_ejection(t.s, id); out && out->kept.empty()) {
    const bool tried = out->trial && rollout::rising(state);
    const std::uint32_t part = tried ? t.s.plan.ejections.at(t.plan(id).name).trial : 0;
    route.share = (part * route.share + 99) / 100;
  }
  // Where all of the new version is taken out, the old one takes over.
  if ((any_fresh || !rollout::rising(state)) && route.fresh.empty()) route.share = 0;
  if (route.share == 0) route.fresh.clear();
  if (route.share == rollout::kAll) route.stable.clear();
  const std::uint64_t both = route.fresh.size() + route.baseline.size();
  const bool room = !route.stable.empty() && route.share * both < rollout::kAll * std::uint64_t{route.fresh.size()};
  if (!room) route.baseline.clear();
  const bool nobody = (route.share < rollout::kAll && route.stable.empty()) || (route.share > 0 && route.fresh.empty());
  return nobody ? std::nullopt : std::optional(std::move(route));
}

std::string words(const Route& route, const std::string& version) {
  const std::string some = std::to_string(route.trial.size()) + " of them on trial";
  if (route.share == 0 && !route.trial.empty())
    return "all requests to " + std::to_string(route.stable.size()) + " places, " + some;
  if (route.share == 0) return "all requests to " + std::to_string(route.stable.size()) + " places";
  return rollout::percent(route.share) + " of the requests to " + std::to_string(route.fresh.size()) + " of " + version;
}

void look(Turn& t, ServiceId id, LiveTraffic& live) {
  if (live.looking) {
    const Instant ends = later(live.began, kSilent);
    if (t.now < ends) return t.wake_at(ends);
    live.looking = false;
    live.fault = "nobody says what the proxy does";
    note_wellness(live, t.now);
    breaker_result(t, live.asked, CallOutcome::failure);
  }
  if (t.now < live.next_at) return t.wake_at(live.next_at);
  const auto proxy = proxy_before(t.s.plan, t.plan(id));
  const CommandId call = t.next_id();
  const auto admitted = proxy ? breaker_admits(t, *proxy, call) : std::expected<void, Rejected>{};
  if (!admitted) {
    live.next_at = later(t.now, admitted.error().retry_after);
    return t.wake_at(live.next_at);
  }
  live.asked = call;
  live.looking = true;
  live.began = t.now;
  const bool counts = rollout_active(t, id) || t.s.plan.ejections.contains(t.plan(id).name) || stops_soon(t, id);
  live.next_at = later(t.now, counts ? kEvery : kEveryAtRest);
  t.command(LookAtTraffic{id, ++live.round});
  t.wake_at(later(live.began, kSilent));
}

void tell(Turn& t, ServiceId id, const Route& wanted) {
  LiveTraffic& live = *t.live(id).traffic;
  if (t.place(id, kWhole).action || !live.fault.empty() || !live.seen) return;
  if (t.now < live.not_before) return t.wake_at(live.not_before);
  const auto& known = t.durable(id).route;
  const auto& state = t.durable(id).rollout;
  Wish wish;
  wish.service = id;
  wish.op = Op::route;
  wish.origin = Origin::desired;
  wish.strategy = name_of(Op::route);
  wish.evidence = words(wanted, state ? state->to : std::string());
  if (const auto hold = check_gates(t, ask_for(t, wish))) return t.wake_at(std::min(hold->retry, later(t.now, kEvery)));
  if (!known || *known != wanted) t.record(RouteSet{t.plan(id).name, wanted});
  live.holds = false;
  begin_action(t, std::move(wish));
}

// What it last said of its weights counts as long as it says anything.
bool holds(const LiveTraffic& live) { return live.holds && live.fault.empty(); }

// Every server has as much weight as any other: whoever is started next gets requests.
void leave(Turn& t, ServiceId id) {
  if (t.durable(id).route) t.record(RouteSet{t.plan(id).name, std::nullopt});
  if (!t.s.plan.ejections.contains(t.plan(id).name)) give_up_traffic(t, id);
}

}  // namespace

bool is_routed(Turn& t, ServiceId id) {
  const auto& plan = t.plan(id).rollout;
  return plan && plan->policy.routing == rollout::Routing::by_weight;
}

bool route_holds(Turn& t, ServiceId id) {
  const auto& live = t.live(id).traffic;
  const auto& known = t.durable(id).route;
  return live && holds(*live) && known && wanted_route(t, id) == *known;
}

bool takes_requests(Turn& t, ServiceId id, Slot slot) {
  const auto& live = t.live(id).traffic;
  if (!live) return false;
  const auto place = std::ranges::find(live->places, slot, &PlaceTraffic::slot);
  return place != live->places.end() && place->up;
}

std::string route_fault(Turn& t, ServiceId id) {
  if (!is_routed(t, id)) return {};
  const auto& live = t.live(id).traffic;
  const std::string& so_far = t.durable(id).rollout->blocked;
  if (!live) return so_far;
  if (live->unwell_since == kNever) return live->seen ? std::string() : so_far;  // nobody has looked since the start
  const Instant lasts = later(live->unwell_since, kLasting);
  if (t.now >= lasts) return live->fault.empty() ? live->refused : live->fault;
  t.wake_at(lasts);
  return so_far;
}

std::string split_doubt(Turn& t, ServiceId id, const rollout::State& state) {
  constexpr std::uint64_t kFewest = 100;
  const auto& live = t.live(id).traffic;
  if (!is_routed(t, id)) return {};
  if (!live || live->requests < kFewest) return "the proxy has led too few requests to tell how it divides them";
  // Four standard deviations of chance, and half a point.
  const double all = static_cast<double>(live->requests);
  const double share = static_cast<double>(state.split.weight) / rollout::kAll;
  const double seen = static_cast<double>(live->requests_fresh) / all;
  if (std::abs(seen - share) <= 0.005 + 4 * std::sqrt(share * (1 - share) / all)) return {};
  return "the proxy leads " + std::to_string(std::lround(seen * 100)) + " %" + " of the requests to " + state.to +
         ", where " + rollout::percent(state.split.weight) + " are wanted";
}

bool start_waits(Turn& t, ServiceId id, Slot slot) {
  if (!is_routed(t, id) || !rollout_active(t, id) || !runs_new(t, id, slot, *t.durable(id).rollout)) return false;
  const auto& route = t.durable(id).route;
  if (!route) return true;
  if (names(route->fresh, slot)) return false;  // it has had requests before
  return names(route->stable, slot) || !t.live(id).traffic || !holds(*t.live(id).traffic);
}

bool stop_waits(Turn& t, ServiceId id, Slot slot) {
  const ServiceState& known = t.durable(id);
  if (!is_routed(t, id) || !rollout_active(t, id) || known.stopped || known.stopped_slots.contains(slot)) return false;
  if (planted(Bug::traffic_left_behind)) return false;
  const auto& step = known.rollout->step;
  if (step && step->to.stable + step->to.fresh == 0) return false;  // there is nobody else
  return !known.route || leads_to(*known.route, slot) || !t.live(id).traffic || !holds(*t.live(id).traffic);
}

std::string only_one_served(Turn& t, ServiceId id, Slot slot) {
  std::vector<Slot> others;
  for (const Place& place : t.live(id).places) {
    if (place.slot >= 0 && place.slot != slot && runs(t, id, place.slot)) others.push_back(place.slot);
  }
  if (!t.plan(id).routed || others.empty()) return {};
  const auto& live = t.live(id).traffic;
  if (live && !live->fault.empty()) return {};
  if (!live || later(live->seen_at, kStillTrue) < t.now) return "the proxy is asked who else gets requests";
  const auto has_weight = [&](Slot one) {
    const auto place = std::ranges::find(live->places, one, &PlaceTraffic::slot);
    return place == live->places.end() || place->weighted;
  };
  const bool relieved = std::ranges::any_of(others, [&](Slot other) {
    return takes_requests(t, id, other) && has_weight(other) && !is_drained(t, id, other);
  });
  const auto own = std::ranges::find(live->places, slot, &PlaceTraffic::slot);
  if (relieved || (own != live->places.end() && !(own->up && own->weighted))) return {};
  const std::string more = others.size() == 1 ? "" : " and " + std::to_string(others.size() - 1) + " more";
  return place_name(t, id, slot) + " is the only one that gets requests: the proxy leads none to " +
         place_name(t, id, others.front()) + more;
}

bool is_drained(Turn& t, ServiceId id, Slot slot) { return t.durable(id).drained.contains(slot); }

std::uint32_t others_serving(Turn& t, ServiceId id, Slot slot) {
  return static_cast<std::uint32_t>(std::ranges::count_if(t.live(id).places, [&](const Place& place) {
    const bool other = place.slot >= 0 && place.slot != slot && t.wanted(id, place.slot);
    return other && !is_drained(t, id, place.slot) && view_of(t, id, place.slot).up();
  }));
}

void progress_traffic(Turn& t, ServiceId id) {
  if (!t.s.recovered || t.s.stopping || !t.s.observe_only.empty()) return;
  take_back(t, id);
  const bool active = (is_routed(t, id) && rollout_active(t, id)) || !t.durable(id).drained.empty();
  const auto& known = t.durable(id).route;
  const bool watched = t.s.plan.ejections.contains(t.plan(id).name) || (t.plan(id).routed && stops_soon(t, id));
  if (!active && !known && !watched) return give_up_traffic(t, id);
  if (!has_proxy(t, id)) return leave(t, id);
  if (!t.live(id).traffic) t.live(id).traffic.emplace();
  progress_ejections(t, id);
  const auto wanted = wanted_route(t, id);
  const bool told = wanted && known && *known == *wanted && t.live(id).traffic->holds;
  const bool rests = !active && wanted && *wanted == at_rest(t, id);
  if (told && rests) leave(t, id);
  if (!t.live(id).traffic) return;
  look(t, id, *t.live(id).traffic);
  if (wanted && !told && (known || !rests)) tell(t, id, *wanted);
}

void give_up_traffic(Turn& t, ServiceId id) {
  if (t.live(id).traffic) breaker_result(t, t.live(id).traffic->asked, CallOutcome::ignored);
  t.live(id).traffic.reset();
}

void traffic_seen(Turn& t, const TrafficSeen& in) {
  if (in.service >= t.s.services.size() || !t.live(in.service).traffic) return;
  LiveTraffic& live = *t.live(in.service).traffic;
  if (!live.looking || in.round != live.round) return;
  live.looking = false;
  live.fault = in.fault;
  note_wellness(live, t.now);
  breaker_result(t, live.asked, in.fault.empty() ? CallOutcome::success : CallOutcome::failure);
  t.mark(in.service);
  if (!in.fault.empty()) return;
  live.seen = true;
  const bool told_since = live.began <= live.told_at || t.place(in.service, kWhole).action.has_value();
  if (!told_since) live.holds = (in.as_told || planted(Bug::weights_unread)) && t.durable(in.service).route.has_value();
  if (live.holds) {  // whatever became of our last word, it was heard
    live.refused.clear();
    live.refusals = 0;
    note_wellness(live, t.now);
  }
  if (live.holds && live.seen_at > live.told_at) count_traffic(t, in.service, in.places);
  count_failures(t, in.service, in.places);
  live.places = in.places;
  live.seen_at = live.began;
}

void route_done(Turn& t, ServiceId id, Place& place, const Intent& intent, const ActionDone& in) {
  place.action.reset();
  t.mark(id);
  const bool done = in.outcome == OutcomeKind::succeeded;
  if (done) t.record(Verified{intent.id, intent.service, intent.slot, true, "read back"});
  if (in.outcome == OutcomeKind::not_started) return leave(t, id);  // no proxy is configured any more
  if (!t.live(id).traffic) return;
  LiveTraffic& live = *t.live(id).traffic;
  live.told_at = t.now;
  live.holds = done || planted(Bug::weights_unread);
  live.refused = done ? std::string() : in.detail;
  live.refusals = done ? 0 : live.refusals + 1;
  note_wellness(live, t.now);
  live.not_before = done ? t.now : later(t.now, std::min(kLongestWait, kEvery * (1 << std::min(live.refusals, 5U))));
}

}  // namespace homeostat::engine
