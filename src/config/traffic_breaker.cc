// When an instance gets no requests for a while, because it fails too many of them.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

using engine::EjectionPlan;

constexpr std::uint32_t kMostCalls = 1'000'000;

template <class T>
auto of_breaker(T BreakerOptions::* field) {
  return [field](EjectionPlan& plan) -> auto& { return plan.breaker.*field; };
}

Type<double> rate_type() {
  const Type<std::uint32_t> percent = percent_type();
  return {percent.shape, [percent](const Node& node, Reader& reader, double& out) {
            std::uint32_t whole = 0;
            percent.read(node, reader, whole);
            out = whole;
          }};
}

}  // namespace

const Table<EjectionPlan>& ejection_table() {
  static const Table<EjectionPlan> table = [] {
    Table<EjectionPlan> rows(
        "traffic.breaker",
        "A circuit breaker before each instance, and during a rollout before each version, told by "
        "the proxy's counters: open, it gets no requests; half open, a few; closed, its share. It "
        "never restarts anybody.");
    rows.add("failure_rate", of_breaker(&BreakerOptions::failure_rate), rate_type(),
             {.text = "So many of the requests of the window must have failed: answers of 5xx, connections refused or "
                      "broken.",
              .fallback = "50%",
              .example = "20%"});
    rows.add("min_requests", of_breaker(&BreakerOptions::min_calls), count_type(1, kMostCalls),
             {.text = "Below so many requests in the window nothing is judged.", .fallback = "20", .example = "100"});
    rows.add("window", of_breaker(&BreakerOptions::window_time), duration_type(std::chrono::seconds(1)),
             {.text = "How far back it looks.", .fallback = "30s", .example = "1m"});
    rows.add("open_for", of_breaker(&BreakerOptions::open_for), duration_type(std::chrono::seconds(1)),
             {.text = "How long it gets no requests; then it is tried, and when that fails, twice as long.",
              .fallback = "30s",
              .example = "1m"});
    rows.add("open_cap", of_breaker(&BreakerOptions::open_cap), duration_type(std::chrono::seconds(1)),
             {.text = "The longest wait.", .fallback = "5m", .example = "15m"});
    rows.add("trial", &EjectionPlan::trial, percent_type(),
             {.text = "So much of its usual share it gets while it is tried.", .fallback = "10%", .example = "5%"});
    rows.add(
        "trial_requests", of_breaker(&BreakerOptions::success_threshold), count_type(1, kMostCalls / 100),
        {.text = "So many requests decide the trial, by the same failure rate.", .fallback = "20", .example = "50"});
    rows.add(
        "max_ejected", &EjectionPlan::max_ejected, share_type(),
        {.text = "How many instances may be without requests at once, those that are down counted too: a number, or "
                 "a share that rounds down but to at least one. Never all.",
         .fallback = "34%",
         .example = "1"});
    return rows;
  }();
  return table;
}

void resolve_ejection(const Resolution& in, Named<ServiceDraft>& service) {
  TrafficDraft& traffic = *service.value.traffic;
  if (!traffic.breaker) return;
  const Node& node = *service.node->find("traffic");
  const BreakerOptions& breaker = traffic.breaker->breaker;
  if (service.value.plan.instances < 2) {
    in.reader.problem(node.where("breaker"),
                      "a single instance is never taken out: no other could take its requests. Leave `breaker` out");
  }
  if (breaker.open_for > breaker.open_cap) {
    in.reader.problem(find_at(node, {"breaker", "open_for"}),
                      fmt::format("the first wait {} is longer than open_cap {}", show_duration(breaker.open_for),
                                  show_duration(breaker.open_cap)));
  }
  const traffic::HaproxyPlace& place = traffic.haproxy.haproxy;
  traffic.breaker->identity = Fingerprint().add(place.socket).add(place.backend).add(traffic.haproxy.server).value();
  in.config.plan.ejections.emplace(service.name, *traffic.breaker);
}

}  // namespace homeostat::config
