#include "cli/servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "config/servers.hpp"
#include "daemon/places.hpp"
#include "os/loop.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::cli {
namespace {

using Names = std::vector<std::string>;

Instant steady_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

std::expected<Names, Error> ask(const traffic::HaproxyPlace& place) {
  auto loop = os::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  traffic::Haproxy haproxy(*loop, place, steady_now);
  std::optional<std::expected<std::vector<traffic::ServerSetting>, Error>> answer;
  haproxy.read_back([&answer](auto got) { answer = std::move(got); });
  while (!answer) {
    loop->run_once(std::max(Duration{}, haproxy.next_deadline().value_or(steady_now()) - steady_now()));
    haproxy.advance(steady_now());
  }
  if (!*answer) return std::unexpected(answer->error());
  Names names;
  for (const traffic::ServerSetting& server : **answer) names.push_back(server.server);
  return names;
}

Names servers_of(const config::Config& config, std::uint32_t service) {
  const engine::ServicePlan& plan = config.plan.services[service];
  const auto* process = std::get_if<runtime::ProcessSpec>(&config.runtimes[service]);
  const unsigned first = process == nullptr ? 0 : process->first_port;
  Names names;
  for (std::uint32_t slot = 0; slot < plan.instances; ++slot) {
    const auto port = static_cast<std::uint16_t>(first == 0 ? 0 : first + slot);
    names.push_back(daemon::server_name(*config.traffic[service], plan.name, static_cast<engine::Slot>(slot), port));
  }
  return names;
}

}  // namespace

CountedServers count_servers(const config::Config& config) {
  CountedServers out;
  std::map<std::string, Error> silent;  // sockets
  for (const config::ServicePosition& proxy : config.proxies) {
    const engine::ServicePlan& plan = config.plan.services[proxy.service];
    const traffic::Spec& spec = *config.traffic[proxy.service];
    const auto problem = [&](std::string text) {
      return config::Problem{config.path, proxy.at.line, proxy.at.column, std::move(text), {}};
    };
    const auto known = silent.find(spec.haproxy.socket);
    const auto found = known == silent.end() ? ask(spec.haproxy) : std::unexpected(known->second);
    if (!found) {
      silent.emplace(spec.haproxy.socket, found.error());
      out.warnings.push_back(
          problem(fmt::format("nobody knows whether HAProxy's backend {} has servers for {}: {}",
                              config::quote(spec.haproxy.backend), config::show_places(plan), found.error().text)));
      continue;
    }
    std::string lacking =
        config::lacking_servers(plan, spec.haproxy.backend, servers_of(config, proxy.service), *found);
    if (!lacking.empty()) out.problems.push_back(problem(std::move(lacking)));
  }
  return out;
}

}  // namespace homeostat::cli
