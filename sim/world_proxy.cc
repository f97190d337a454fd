// The proxy of a simulated world: it divides a steady stream of requests by weight, and counts.
#include <algorithm>

#include "engine/route.hpp"
#include "sim/world.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

constexpr std::uint64_t kWhole = 1'000'000;
constexpr std::uint64_t kRequestsPerSecond = 1000;

std::map<Slot, std::uint64_t> weights_of(const Route& route) {
  std::map<Slot, std::uint64_t> weights;
  for (const RouteGroup& group : groups_of(route)) {
    for (const Slot slot : group.places) weights[slot] = group.share / group.places.size();
  }
  return weights;
}

}  // namespace

std::uint64_t World::Proxy::part(Slot slot) const {
  if (kept_out.contains(slot)) return 0;
  const auto told = weights.find(slot);
  return weights.empty() ? 1 : told == weights.end() ? 0 : told->second;
}

// What has been asked since it was counted last, divided as the weights are now; only what runs takes part.
void World::serve(const std::string& service) {
  Proxy& proxy = proxies_[service];
  const Instant since = std::exchange(proxy.counted_at, now_);
  if (since == kLongAgo) return;
  std::map<Slot, std::uint64_t> parts;
  std::uint64_t all = 0;
  Slot newest = -1;
  for (const auto& [key, instance] : instances_) {
    if (key.first != service || !instance.alive) continue;
    parts[key.second] = proxy.part(key.second);
    newest = std::max(newest, key.second);
  }
  if (proxying_ == Proxying::lies && newest >= 0) parts[newest] = 9 * kWhole;
  for (const auto& [slot, part] : parts) all += part;
  const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - since).count();
  const std::uint64_t requests = static_cast<std::uint64_t>(span) * kRequestsPerSecond / 1000;
  for (const auto& [slot, part] : parts) {
    const std::uint64_t own = all == 0 ? 0 : requests * part / all;
    PlaceTraffic& counters = proxy.counters[slot];
    counters.requests += own;
    const auto here = place_errs_.find({service, slot});
    const std::uint64_t percent = here == place_errs_.end() ? errs_[instances_[{service, slot}].version] : here->second;
    counters.errors += own * percent / 100;
  }
}

void World::route(const Dispatch& c) {
  const std::string service = plan_.services[c.service].name;
  effects_.push_back(Effect{now_, c.id, c.op, service, c.slot, {}});
  if (proxying_ == Proxying::gone || proxying_ == Proxying::refuses) {
    const char* why = proxying_ == Proxying::gone ? "no such socket" : "permission denied";
    return at(now_ + options_.start_delay, [this, c, why] { finish(c, OutcomeKind::failed, {}, why); });
  }
  serve(service);
  // The proxy does as it is told even when the engine dies before it hears of it.
  proxies_[service].weights = weights_of(*engine_->durable().services.at(service).route);
  at(now_ + options_.start_delay, [this, c] { finish(c, OutcomeKind::succeeded, {}, ""); });
}

void World::handle(const LookAtTraffic& c) {
  const ServicePlan& plan = plan_.services[c.service];
  TrafficSeen answer{.service = c.service, .round = c.round};
  if (proxying_ == Proxying::gone) {
    answer.fault = "no such socket";
  } else {
    serve(plan.name);
    Proxy& proxy = proxies_[plan.name];
    const auto& route = engine_->durable().services.at(plan.name).route;
    answer.as_told = route && proxy.weights == weights_of(*route);
    for (Slot slot = 0; slot < static_cast<Slot>(plan.instances); ++slot) {
      PlaceTraffic place = proxy.counters[slot];
      place.slot = slot;
      place.up = running(plan.name, slot) && !proxy.kept_out.contains(slot);
      place.response_ms = place.requests > 0 ? 20 : -1;
      answer.places.push_back(place);
    }
  }
  at(now_ + options_.probe_delay, [this, answer] { input(answer); });
}

void World::proxy_keeps(const std::string& service, Slot slot, bool in) {
  serve(service);
  in ? void(proxies_[service].kept_out.erase(slot)) : void(proxies_[service].kept_out.insert(slot));
}

std::uint32_t World::share_of(std::string_view service,
                              const std::function<bool(Slot, const Instance&)>& counts) const {
  const auto proxy = proxies_.find(std::string(service));
  std::uint64_t own = 0;
  std::uint64_t all = 0;
  for (const auto& [key, instance] : instances_) {
    if (key.first != service || !instance.alive) continue;
    const std::uint64_t part = proxy == proxies_.end() ? 1 : proxy->second.part(key.second);
    all += part;
    own += counts(key.second, instance) ? part : 0;
  }
  return all == 0 ? 0 : static_cast<std::uint32_t>((own * rollout::kAll + all / 2) / all);
}

std::uint32_t World::share(std::string_view service, std::string_view version) const {
  return share_of(service, [version](Slot, const Instance& instance) { return instance.version == version; });
}

std::uint32_t World::share(std::string_view service, Slot wanted) const {
  return share_of(service, [wanted](Slot slot, const Instance&) { return slot == wanted; });
}

}  // namespace homeostat::sim
