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

struct Asked {
  Names servers;
  std::string level;  // what may be done over the socket
};

std::expected<Asked, Error> ask(const traffic::HaproxyPlace& place) {
  auto loop = os::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  traffic::Haproxy haproxy(*loop, place, steady_now);
  std::optional<std::expected<std::vector<traffic::ServerSetting>, Error>> answer;
  std::optional<traffic::Haproxy::Answer> level;
  haproxy.read_back([&answer](auto got) { answer = std::move(got); });
  haproxy.read_level([&level](auto got) { level = std::move(got); });
  while (!answer || !level) {
    loop->run_once(std::max(Duration{}, haproxy.next_deadline().value_or(steady_now()) - steady_now()));
    haproxy.advance(steady_now());
  }
  if (!*answer) return std::unexpected(answer->error());
  Asked out;
  for (const traffic::ServerSetting& server : **answer) out.servers.push_back(server.server);
  if (*level) out.level = **level;
  return out;
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
    if (found->level == "operator" || found->level == "user") {
      out.problems.push_back(
          problem(fmt::format("HAProxy's socket {} is of level {}: to drain a server, or to give it a "
                              "weight, it needs `level admin`",
                              spec.haproxy.socket, found->level)));
    }
    std::string lacking =
        config::lacking_servers(plan, spec.haproxy.backend, servers_of(config, proxy.service), found->servers);
    if (!lacking.empty()) out.problems.push_back(problem(std::move(lacking)));
  }
  return out;
}

}  // namespace homeostat::cli
