// The proxies of the arena: each divides a steady stream of requests by weight, and counts.
#include <algorithm>
#include <utility>

#include "engine/route.hpp"
#include "sim/arena.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

constexpr std::uint64_t kRequestsPerSecond = 200;
constexpr Duration kTimeOut = std::chrono::seconds(2);

std::map<Slot, std::uint32_t> weights_of(const Route& route) {
  std::map<Slot, std::uint32_t> weights;
  for (const RouteGroup& group : groups_of(route)) {
    for (const Slot slot : group.places) weights[slot] = group.share / static_cast<std::uint32_t>(group.places.size());
  }
  return weights;
}

const Route* route_in(const Engine& engine, const std::string& service) {
  const auto& route = engine.durable().services.at(service).route;
  return route ? &*route : nullptr;
}

}  // namespace

void Arena::proxy_reloaded(std::uint32_t service) {
  ArenaProxy& proxy = services_[service].proxy;
  proxy.weights.clear();
  proxy.counters.clear();
  proxy.forgot_at = now_;
}

// What has been asked since it was counted last, divided as the weights are now; only whom its own checks see takes
// part.
void Arena::serve(std::uint32_t service) {
  ArenaProxy& proxy = services_[service].proxy;
  const Instant since = std::exchange(proxy.counted_at, now_);
  if (since == kLongAgo) return;
  std::map<Slot, std::uint64_t> parts;
  std::uint64_t all = 0;
  for (Slot slot = 0; slot + 1 < static_cast<Slot>(services_[service].places.size()); ++slot) {
    if (!well(service, slot)) continue;
    const auto weight = proxy.weights.find(slot);
    parts[slot] = proxy.weights.empty() ? 1 : weight == proxy.weights.end() ? 0 : weight->second;
    all += parts[slot];
  }
  if (all == 0) return;
  const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(std::min<Duration>(now_ - since, kTimeOut));
  const std::uint64_t requests = static_cast<std::uint64_t>(span.count()) * kRequestsPerSecond / 1000;
  for (const auto& [slot, part] : parts) {
    const std::uint64_t own = requests * part / all;
    const bool lies = proxy.does.at(now_) == Proxying::lies;
    const std::uint64_t percent = lies ? 100 : proxy.fails[slot].at(now_);
    proxy.counters[slot].requests += own;
    proxy.counters[slot].errors += own * percent / 100;
  }
}

// The proxy does as it is told even when the engine dies before it hears of it.
void Arena::route(const Order& order) {
  ArenaProxy& proxy = services_[order.service].proxy;
  const Proxying does = proxy.does.at(now_);
  const bool done = does == Proxying::well || does == Proxying::lies;
  if (done) {
    serve(order.service);
    const Route* route = route_in(*engine_, services_[order.service].name);
    proxy.lied = does == Proxying::lies;
    if (!proxy.lied && route != nullptr) proxy.weights = weights_of(*route);
    did(order, Op::route, false);
  }
  const Duration wait = does == Proxying::hangs ? kTimeOut : options_.start_delay;
  at(now_ + wait, [this, order, done] { finish(order, done ? OutcomeKind::succeeded : OutcomeKind::failed, {}); });
}

TrafficSeen Arena::seen_by_proxy(ServiceId id) {
  const std::uint32_t number = index_[id];
  ArenaProxy& proxy = services_[number].proxy;
  const Route* route = route_in(*engine_, plan_.services[id].name);
  TrafficSeen answer{.service = id};
  serve(number);
  const bool holds = route != nullptr && proxy.weights == weights_of(*route);
  const bool lie = route != nullptr && !holds && proxy.does.at(now_) == Proxying::lies;
  answer.as_told = holds || lie;
  proxy.lied = proxy.lied || lie;
  for (Slot slot = 0; slot < static_cast<Slot>(plan_.services[id].instances); ++slot) {
    PlaceTraffic place = proxy.counters[slot];
    place.slot = slot;
    place.up = well(number, slot);
    answer.places.push_back(place);
  }
  return answer;
}

void Arena::handle(const LookAtTraffic& c) {
  const Proxying does = services_[index_[c.service]].proxy.does.at(now_);
  const bool silent = does == Proxying::gone || does == Proxying::hangs;
  TrafficSeen answer = silent
                           ? TrafficSeen{.service = c.service, .fault = "it did not work with " + std::string(kCanary)}
                           : seen_by_proxy(c.service);
  answer.round = c.round;
  // An answer that nobody waits for any more comes all the same.
  at(now_ + (does == Proxying::hangs ? kTimeOut : options_.probe_delay), [this, answer] { tell(answer); });
}

}  // namespace homeostat::sim
