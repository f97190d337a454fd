#include "daemon/router.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/servers.hpp"
#include "daemon/places.hpp"
#include "engine/route.hpp"

namespace homeostat::daemon {
namespace {

const engine::Route* route_in(const engine::Engine& engine, engine::ServiceId service) {
  const auto known = engine.durable().services.find(engine.plan().services[service].name);
  return known == engine.durable().services.end() || !known->second.route ? nullptr : &*known->second.route;
}

// Where instances are told apart by their ports alone, one whose port is taken goes to another: its server, too, is
// ours.
bool may_be_ours(const std::string& server, const traffic::Spec& spec, const runtime::ProcessSpec& process) {
  const std::size_t at = spec.server.find("{port}");
  if (at == std::string::npos || spec.server.contains("{instance}") || spec.server.contains("{service}")) return false;
  for (unsigned port = process.first_port; port <= process.last_port; ++port) {
    if (server == spec.server.substr(0, at) + std::to_string(port) + spec.server.substr(at + 6)) return true;
  }
  return false;
}

}  // namespace

Router::Router(os::Loop& loop, const engine::Engine& engine, Feed feed, std::function<Instant()> now)
    : loop_(loop), engine_(engine), feed_(std::move(feed)), now_(std::move(now)) {}

void Router::configure(const config::Config& config) {
  config_ = &config;
  proxies_.clear();
  for (const engine::CommandId id : std::exchange(under_way_, {})) {
    feed_(engine::ActionDone{id, engine::OutcomeKind::failed, {}, 0, "the configuration was reloaded meanwhile", {}});
  }
  leave_unled();
}

void Router::leave_unled() {
  std::erase_if(led_, [this](const auto& item) {
    const auto& [name, led] = item;
    const auto id = engine_.find_service(name);
    const traffic::Spec* now = id && config_->traffic[*id] ? &*config_->traffic[*id] : nullptr;
    if (now != nullptr && now->haproxy == led.spec.haproxy && now->server == led.spec.server) return false;
    Weights even = led.weights;
    for (auto& [server, weight] : even) weight = traffic::kMostWeight;
    if (even == led.weights) return true;
    auto& proxy = left_.emplace_back(std::make_unique<traffic::Haproxy>(loop_, led.spec.haproxy, now_));
    proxy->set_weights(std::move(even), [name](const auto& done) {
      if (done)
        return spdlog::info("traffic: requests are not led to {} any more; each of its servers has its weight", name);
      spdlog::warn("traffic: requests are not led to {} any more, and its servers keep their weights: {}", name,
                   done.error().text);
    });
    return true;
  });
}

traffic::Haproxy* Router::proxy_of(engine::ServiceId service) {
  if (config_ == nullptr || service >= config_->traffic.size() || !config_->traffic[service]) return nullptr;
  auto& proxy = proxies_[service];
  if (!proxy) {
    proxy = std::make_unique<traffic::Haproxy>(loop_, config_->traffic[service]->haproxy, now_);
  }
  return proxy.get();
}

std::string Router::server_at(engine::ServiceId service, engine::Slot slot) const {
  const std::uint16_t port = port_of(engine_, *config_, service, slot);
  return server_of(engine_, *config_->traffic[service], service, slot, port);
}

std::vector<std::string> Router::servers_of(engine::ServiceId service) const {
  std::vector<std::string> names;
  const auto places = static_cast<engine::Slot>(engine_.plan().services[service].instances);
  for (engine::Slot slot = 0; slot < places; ++slot) names.push_back(server_at(service, slot));
  return names;
}

std::expected<Router::Weights, Error> Router::weights_of(engine::ServiceId service, const Settings& known) const {
  const engine::Route* route = route_in(engine_, service);
  if (route == nullptr) return Weights{};
  const traffic::Spec& spec = *config_->traffic[service];
  const std::vector<engine::RouteGroup> groups = engine::groups_of(*route);
  std::vector<traffic::Group> shares;
  for (const engine::RouteGroup& group : groups)
    shares.push_back({static_cast<std::uint32_t>(group.places.size()), group.share});
  const auto weighted = traffic::weights_of(shares);
  if (!weighted) return fail("a version is to get requests and has no instance");
  Weights weights;
  const auto* process = std::get_if<runtime::ProcessSpec>(&config_->runtimes[service]);
  for (const traffic::ServerSetting& one : known) {
    if (process != nullptr && may_be_ours(one.server, spec, *process)) weights[one.server] = 0;
  }
  for (const std::string& server : servers_of(service)) weights[server] = 0;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const traffic::Weighted& part = (*weighted)[group];
    for (std::size_t i = 0; i < groups[group].places.size(); ++i) {
      weights[server_at(service, groups[group].places[i])] = i < part.servers ? part.weight : 0;
    }
  }
  return weights;
}

void Router::route(const engine::Dispatch& command) {
  traffic::Haproxy* proxy = proxy_of(command.service);
  under_way_.push_back(command.id);
  if (proxy == nullptr) {
    std::erase(under_way_, command.id);
    return feed_(
        engine::ActionDone{command.id, engine::OutcomeKind::not_started, {}, 0, "no proxy is configured any more", {}});
  }
  proxy->read_back([this, proxy, command](std::expected<Settings, Error> settings) {
    if (!settings) return done(command.id, std::unexpected(settings.error()));
    auto weights = weights_of(command.service, *settings);
    if (!weights) return done(command.id, std::unexpected(weights.error()));
    led_[engine_.plan().services[command.service].name] = Led{*config_->traffic[command.service], *weights};
    proxy->set_weights(std::move(*weights), [this, id = command.id](const auto& end) { done(id, end); });
  });
}

void Router::done(engine::CommandId id, const std::expected<void, Error>& done) {
  std::erase(under_way_, id);
  const auto outcome = done ? engine::OutcomeKind::succeeded : engine::OutcomeKind::failed;
  feed_(engine::ActionDone{id, outcome, {}, 0, done ? std::string() : done.error().text, {}});
}

void Router::look(const engine::LookAtTraffic& command) {
  engine::TrafficSeen answer{.service = command.service, .round = command.round};
  traffic::Haproxy* proxy = proxy_of(command.service);
  if (proxy == nullptr) return feed_(answer);  // asked for under another configuration
  const auto fault = [this](engine::TrafficSeen answer, const Error& error) {
    answer.fault = error.text;
    feed_(std::move(answer));
  };
  proxy->read_back([this, proxy, answer, fault](std::expected<Settings, Error> settings) mutable {
    if (!settings) return fault(std::move(answer), settings.error());
    proxy->look([this, answer, fault, settings = std::move(*settings)](auto stats) mutable {
      if (!stats) return fault(std::move(answer), stats.error());
      seen(std::move(answer), settings, *stats);
    });
  });
}

void Router::seen(engine::TrafficSeen answer, const Settings& settings, const std::vector<traffic::ServerStat>& stats) {
  const engine::ServiceId service = answer.service;
  const engine::ServicePlan& plan = engine_.plan().services[service];
  const std::vector<std::string> servers = servers_of(service);
  std::vector<std::string> has;
  for (const traffic::ServerSetting& one : settings) has.push_back(one.server);
  answer.fault = config::lacking_servers(plan, config_->traffic[service]->haproxy.backend, servers, has);
  if (!answer.fault.empty()) return feed_(std::move(answer));
  for (engine::Slot slot = 0; slot < static_cast<engine::Slot>(plan.instances); ++slot) {
    const std::string& server = servers[static_cast<std::size_t>(slot)];
    const auto set = std::ranges::find(settings, server, &traffic::ServerSetting::server);
    const auto stat = std::ranges::find(stats, server, &traffic::ServerStat::server);
    if (stat == stats.end()) {
      answer.fault = fmt::format("HAProxy does not tell what the server `{}` does", server);
      return feed_(std::move(answer));
    }
    const std::uint64_t errors = stat->answers_5xx + stat->connect_errors + stat->response_errors;
    answer.places.push_back({slot, set->up && !set->drained && !set->maintained, set->weight > 0,
                             stat->requests + stat->connect_errors + stat->response_errors, errors,
                             stat->response_ms ? static_cast<std::int64_t>(*stat->response_ms) : -1});
  }
  const auto wanted = weights_of(service, settings);
  if (wanted && !wanted->empty()) led_[plan.name] = Led{*config_->traffic[service], *wanted};
  answer.as_told = wanted && !wanted->empty() && std::ranges::all_of(settings, [&](const traffic::ServerSetting& one) {
                     const auto weight = wanted->find(one.server);
                     return weight == wanted->end() || weight->second == one.weight;
                   });
  feed_(std::move(answer));
}

std::optional<Instant> Router::next_deadline() const {
  Instant next = kNever;
  for (const auto& [service, proxy] : proxies_) next = std::min(next, proxy->next_deadline().value_or(kNever));
  for (const auto& proxy : left_) next = std::min(next, proxy->next_deadline().value_or(kNever));
  return next == kNever ? std::nullopt : std::optional(next);
}

void Router::advance(Instant now) {
  for (const auto& [service, proxy] : proxies_) proxy->advance(now);
  for (const auto& proxy : left_) proxy->advance(now);
  std::erase_if(left_, [](const auto& proxy) { return !proxy->next_deadline(); });
}

}  // namespace homeostat::daemon
