// What holds for requests that a proxy leads: somebody always takes them, none reach a place that is not ready, and
// none are left behind at one that goes.
#include <algorithm>

#include "engine/route.hpp"
#include "homeostat/rollout.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

constexpr Duration kLook = std::chrono::seconds(3);  // between two looks at a proxy, with all that may come between

bool leads_to(const Route& route, Slot slot) {
  return std::ranges::find(route.stable, slot) != route.stable.end() ||
         std::ranges::find(route.fresh, slot) != route.fresh.end();
}

bool led_by_rollout(const Arena& arena, const ServicePlan& plan) {
  const auto& rollout = arena.engine().durable().services.at(plan.name).rollout;
  return plan.rollout && plan.rollout->policy.routing == rollout::Routing::by_weight && rollout &&
         !rollout::ended(*rollout);
}

/// Whatever is taken out of the traffic, of those that the proxy was seen to reach one still gets requests; and no more
/// are taken out than may be.
class SomebodyServes : public Invariant {
 public:
  explicit SomebodyServes(Scene& scene) : Invariant(scene, "somebody_takes_the_requests") {}
  void given(const Input& input) override {
    const auto* seen = std::get_if<TrafficSeen>(&input);
    if (seen == nullptr || !seen->fault.empty() || seen->service >= arena().plan().services.size()) return;
    std::vector<Slot>& up = up_[arena().plan().services[seen->service].name];
    up.clear();
    for (const PlaceTraffic& place : seen->places) {
      if (place.up) up.push_back(place.slot);
    }
  }
  void recorded(const Record& record) override {
    const auto* set = std::get_if<RouteSet>(&record.body);
    if (set == nullptr || !set->route) return;
    const std::uint32_t number = arena().number_of(set->service);
    const ServicePlan* plan = arena().plan_of(number);
    if (plan == nullptr) return;
    std::uint32_t served = 0;
    std::uint32_t out = 0;
    for (const Slot slot : up_[set->service]) {
      const Spot& spot = ledger().spot(number, slot);
      if (spot.dead || !wants(*plan, slot)) continue;
      ++(leads_to(*set->route, slot) ? served : out);
    }
    expect(served > 0 || out == 0, [&] { return "nobody takes the requests of " + set->service + " any more"; });
    const auto own = arena().plan().ejections.find(set->service);
    if (own == arena().plan().ejections.end() || led_by_rollout(arena(), *plan)) return;
    const std::uint32_t allowed = own->second.max_ejected.of(plan->instances);
    expect(out <= allowed, [&] {
      return std::to_string(out) + " places of " + set->service + " are taken out, " + std::to_string(allowed) + " may";
    });
  }
  void died() override { up_.clear(); }

 private:
  bool wants(const ServicePlan& plan, Slot slot) const {
    return arena().engine().durable().services.at(plan.name).wants_running(slot);
  }
  std::map<std::string, std::vector<Slot>> up_;
};

/// A place of a new version gets requests only once all its checks have been seen well since it was started.
class OnlyTheReadyServe : public Invariant {
 public:
  explicit OnlyTheReadyServe(Scene& scene) : Invariant(scene, "only_who_is_ready_gets_requests") {}
  void recorded(const Record& record) override {
    const auto* set = std::get_if<RouteSet>(&record.body);
    if (set == nullptr) return;
    Route& before = routes_[set->service];
    if (set->route) {
      for (const Slot slot : set->route->fresh) {
        if (!leads_to(before, slot)) begins(set->service, slot);
      }
    }
    before = set->route.value_or(Route{});
  }
  void durable(const Record& record) override {
    if (const auto* set = std::get_if<RouteSet>(&record.body)) safe_[set->service] = set->route.value_or(Route{});
  }
  void died() override { routes_ = safe_; }

 private:
  void begins(const std::string& service, Slot slot) {
    const std::uint32_t number = arena().number_of(service);
    const ServicePlan* plan = arena().plan_of(number);
    if (plan == nullptr) return;
    const Spot& spot = ledger().spot(number, slot);
    bool ready = !spot.dead && spot.checks.size() <= plan->checks.size();
    for (const Told& told : spot.checks) ready = ready && told.last_good > spot.last_deed && told.bad == 0;
    expect(ready, [&] { return service + "/" + std::to_string(slot) + " gets requests and has not been seen well"; });
  }
  std::map<std::string, Route> routes_;
  std::map<std::string, Route> safe_;
};

/// While a rollout moves places, none is stopped to which the proxy still leads requests.
class NothingLeftBehind : public Invariant {
 public:
  explicit NothingLeftBehind(Scene& scene) : Invariant(scene, "no_requests_are_left_behind") {}
  void did(const Deed& deed) override {
    const ServicePlan* plan = arena().plan_of(deed.service);
    const Story* story = ledger().find(deed.id);
    if (deed.op != Op::stop || plan == nullptr || story == nullptr || story->intent.op != Op::stop) return;
    if (!story->intent.by.empty() || !arena().alive() || !led_by_rollout(arena(), *plan)) return;
    const ServiceState& state = arena().engine().durable().services.at(plan->name);
    const ArenaProxy& proxy = arena().services()[deed.service].proxy;
    const bool by_people = state.stopped || state.stopped_slots.contains(deed.slot);
    const bool forgot = proxy.forgot_at != kLongAgo && arena().now() < later(proxy.forgot_at, kLook);
    if (by_people || forgot || proxy.lied) return;
    const auto weight = proxy.weights.find(deed.slot);
    const bool led = proxy.weights.empty() || (weight != proxy.weights.end() && weight->second > 0);
    expect(!led, [&] { return words(story->intent) + " while the proxy leads requests to it"; });
  }
};

/// A stage bakes with the weights that were decided, as the proxy really has them.
class WeightsAreAsTold : public Invariant {
 public:
  explicit WeightsAreAsTold(Scene& scene) : Invariant(scene, "weights_are_as_decided") {}
  void durable(const Record& record) override {
    const auto* moved = std::get_if<RolloutMoved>(&record.body);
    if (moved != nullptr && moved->state) safe_[moved->service] = moved->state->split.weight;
    if (const auto* set = std::get_if<RouteSet>(&record.body)) safe_routes_[set->service] = set->route;
  }
  void died() override {
    weights_ = safe_;
    routes_ = safe_routes_;
  }
  void recorded(const Record& record) override {
    if (const auto* set = std::get_if<RouteSet>(&record.body)) routes_[set->service] = set->route;
    const auto* moved = std::get_if<RolloutMoved>(&record.body);
    if (moved == nullptr || !moved->state) return;
    std::uint64_t& weight = weights_[moved->service];
    const std::uint64_t now = moved->state->split.weight;
    const bool changed = std::exchange(weight, now) != now;
    const std::uint32_t number = arena().number_of(moved->service);
    const ServicePlan* plan = arena().plan_of(number);
    const bool begins =
        moved->state->steps == 0;  // nothing has been divided yet; the last one may have ended otherwise
    if (begins || !changed || moved->state->step || plan == nullptr || !led_by_rollout(arena(), *plan)) return;
    const ArenaProxy& proxy = arena().services()[number].proxy;
    const bool forgot = proxy.forgot_at != kLongAgo && arena().now() < later(proxy.forgot_at, kLook);
    if (forgot || proxy.lied) return;
    // As it was decided by then: in the same step another rollout may have begun.
    const auto& route = routes_[moved->service];
    expect(route && holds(proxy, *route), [&] { return moved->service + " goes on with other weights than decided"; });
  }
  void rested() override {
    for (const ArenaService& service : arena().services()) {
      const auto& weights = service.proxy.weights;
      if (weights.empty() || service.proxy.lied) continue;
      const std::uint32_t first = weights.begin()->second;
      const bool alike = std::ranges::all_of(weights, [first](const auto& item) { return item.second == first; });
      expect(alike, [&] { return service.name + " is at rest, and its places get different parts of the requests"; });
    }
  }

 private:
  static bool holds(const ArenaProxy& proxy, const Route& route) {
    for (const RouteGroup& group : groups_of(route)) {
      for (const Slot slot : group.places) {
        const auto found = proxy.weights.find(slot);
        const auto wanted = group.share / static_cast<std::uint32_t>(group.places.size());
        if (found == proxy.weights.end() || found->second != wanted) return false;
      }
    }
    return true;
  }
  std::map<std::string, std::uint64_t> weights_;
  std::map<std::string, std::uint64_t> safe_;
  std::map<std::string, std::optional<Route>> routes_;
  std::map<std::string, std::optional<Route>> safe_routes_;
};

}  // namespace

void add_traffic_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<SomebodyServes>(scene));
  out.push_back(std::make_unique<OnlyTheReadyServe>(scene));
  out.push_back(std::make_unique<NothingLeftBehind>(scene));
  out.push_back(std::make_unique<WeightsAreAsTold>(scene));
}

}  // namespace homeostat::sim
