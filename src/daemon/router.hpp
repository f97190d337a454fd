// Divides the requests between the versions of a service as the engine wants it, and sees what the proxy makes of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "engine/engine.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::daemon {

class Router {
 public:
  using Feed = std::function<void(engine::Input)>;

  Router(os::Loop& loop, const engine::Engine& engine, Feed feed, std::function<Instant()> now);

  /// A configuration has been loaded: services have other numbers. What is under way has failed.
  void configure(const config::Config& config);

  void look(const engine::LookAtTraffic& command);
  void route(const engine::Dispatch& command);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  using Settings = std::vector<traffic::ServerSetting>;
  using Weights = std::map<std::string, int>;

  traffic::Haproxy* proxy_of(engine::ServiceId service);
  std::string server_at(engine::ServiceId service, engine::Slot slot) const;
  /// Of all its places.
  std::vector<std::string> servers_of(engine::ServiceId service) const;
  std::expected<Weights, Error> weights_of(engine::ServiceId service, const Settings& known) const;
  void seen(engine::TrafficSeen answer, const Settings& settings, const std::vector<traffic::ServerStat>& stats);
  void done(engine::CommandId id, const std::expected<void, Error>& done);
  /// Those whom no configuration lets us lead any more share the requests evenly, as without us.
  void leave_unled();

  os::Loop& loop_;
  const engine::Engine& engine_;
  Feed feed_;
  std::function<Instant()> now_;
  const config::Config* config_ = nullptr;
  std::map<engine::ServiceId, std::unique_ptr<traffic::Haproxy>> proxies_;
  std::vector<engine::CommandId> under_way_;
  /// Of each service that we lead requests to: where, and what was wanted last.
  struct Led {
    traffic::Spec spec;
    Weights weights;
  };
  std::map<std::string, Led> led_;
  std::vector<std::unique_ptr<traffic::Haproxy>> left_;  // that are given their weights back
};

}  // namespace homeostat::daemon
