// What leads requests to a service: a proxy that is told before an instance is stopped.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

// A stop that takes longer than the engine waits for the runtime would count as lost.
constexpr Duration kLongestDrain = std::chrono::minutes(5);

const Table<traffic::Spec>& haproxy_table() {
  static const Table<traffic::Spec> table = [] {
    Table<traffic::Spec> rows("traffic.haproxy",
                              "HAProxy's runtime socket (`stats socket PATH level admin` in its configuration).");
    rows.add("socket", [](traffic::Spec& spec) -> auto& { return spec.haproxy.socket; }, path_type(),
             {.text = "The path of the socket.", .example = "/run/haproxy/admin.sock", .required = true});
    rows.add("backend", [](traffic::Spec& spec) -> auto& { return spec.haproxy.backend; }, text_type(),
             {.text = "The backend that the instances are servers of.", .example = "web", .required = true});
    rows.add("server", &traffic::Spec::server, text_type(),
             {.text = "The name of an instance's server there. Placeholders: `{port}` `{instance}` `{service}`.",
              .otherwise = "`{service}-{instance}`",
              .example = "m{port}"});
    rows.add("drain", &traffic::Spec::drain, duration_type(Duration{}),
             {.text = "So long an instance that is to be stopped may take for the requests it has, at most 5m.",
              .fallback = "10s",
              .example = "1m"});
    return rows;
  }();
  return table;
}

bool names_each(const traffic::Spec& spec) {
  return spec.server.contains("{port}") || spec.server.contains("{instance}");
}

/// Names with a port or the service's own are nobody else's.
void check_taken(const Resolution& in, const traffic::Spec& spec, const std::string& service, Position at) {
  if (spec.server.contains("{port}") || spec.server.contains("{service}")) return;
  for (const ServicePosition& other : in.config.proxies) {
    const traffic::Spec& its = *in.config.traffic[other.service];
    if (its.haproxy != spec.haproxy || its.server != spec.server) continue;
    in.reader.problem(at, fmt::format("service `{}` has this server already: `{}` cannot have it, too",
                                      in.config.plan.services[other.service].name, service));
  }
}

}  // namespace

const Table<TrafficDraft>& traffic_table() {
  static const Table<TrafficDraft> table = [] {
    Table<TrafficDraft> rows("traffic",
                             "What leads requests to the instances: each planned stop takes the instance out first.");
    rows.add("haproxy", &TrafficDraft::haproxy, haproxy_table().type(),
             {.text = "HAProxy 2.4 or later.",
              .example = "{ socket: /run/haproxy/admin.sock, backend: web, server: \"m{port}\" }",
              .required = true});
    rows.add("breaker", &TrafficDraft::breaker, maybe(ejection_table().type()),
             {.text = "Takes an instance out that fails too many of its requests, and back in when it does well.",
              .otherwise = "nobody is taken out",
              .example = "{ failure_rate: 50%, min_requests: 20, window: 30s, max_ejected: 34% }"});
    return rows;
  }();
  return table;
}

std::vector<const Section*> traffic_sections() {
  return {&traffic_table().section(), &haproxy_table().section(), &ejection_table().section()};
}

void resolve_traffic(const Resolution& in, Named<ServiceDraft>& service) {
  in.config.traffic.emplace_back();
  if (!service.value.traffic) return;
  const traffic::Spec& spec = service.value.traffic->haproxy;
  const Node& node = *service.node->find("traffic");
  const auto at = [&](const char* key) { return find_at(node, {"haproxy", key}); };
  engine::ServicePlan& plan = service.value.plan;
  if (!plan.runtime.managed) {
    in.reader.problem(node.at, "only instances that the process runtime stops are taken out before");
  }
  const auto* process = std::get_if<runtime::ProcessSpec>(&service.value.run.spec);
  if ((process == nullptr || process->first_port == 0) && spec.server.contains("{port}")) {
    in.reader.problem(at("server"), "`{port}` needs `ports` of the process runtime");
  }
  if (plan.instances > 1 && !names_each(spec)) {
    in.reader.problem(at("server"),
                      fmt::format("{} instances cannot all be the server `{}`: add {{port}} or {{instance}}",
                                  plan.instances, spec.server));
  }
  if (spec.drain > kLongestDrain) {
    in.reader.problem(at("drain"), fmt::format("{} is too long: the longest is {}", show_duration(spec.drain),
                                               show_duration(kLongestDrain)));
  }
  check_taken(in, spec, service.name, at("server"));
  resolve_ejection(in, service);
  plan.runtime.stop_grace += spec.drain;
  in.config.traffic.back() = spec;
  in.config.proxies.push_back({static_cast<std::uint32_t>(in.config.traffic.size() - 1), at("server")});
  plan.routed = true;
}

}  // namespace homeostat::config
