// A breaker for each host: one host that fails does not cut off the others.
#include <cstdio>
#include <homeostat/breaker_registry.hpp>
#include <string>

int main() {
  homeostat::BreakerRegistryOptions options;
  options.defaults.consecutive_failures = 3;
  options.max_breakers = 1000;
  homeostat::BreakerRegistry breakers(options, [](const std::string& host, const homeostat::BreakerEvent& event) {
    if (event.kind != homeostat::BreakerEvent::Kind::changed) return;
    std::printf("%s is %s after %llu failures\n", host.c_str(), std::string(to_string(event.to)).c_str(),
                static_cast<unsigned long long>(event.counts.failures));
  });

  for (int i = 0; i < 5; ++i) {
    for (const std::string host : {"a.example.org", "b.example.org"}) {
      const auto breaker = breakers.get(host);
      if (!breaker) continue;  // too many hosts at once
      auto permit = (*breaker)->try_acquire();
      if (!permit) continue;  // this host is left alone
      host.starts_with("a") ? permit->failure() : permit->success();
    }
  }
  for (const homeostat::BreakerStatus& status : breakers.statuses()) {
    std::printf("%s: %s\n", status.name.c_str(), std::string(to_string(status.state)).c_str());
  }
  return breakers.statuses()[0].state == homeostat::BreakerState::open ? 0 : 1;
}
