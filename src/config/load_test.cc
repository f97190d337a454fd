#include "config/load.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

namespace homeostat::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string all(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += render(problem) + "\n";
  return out;
}

Config good(std::string_view text) {
  auto config = load_text(text, "/etc/homeostat/h.yaml");
  if (!config) {
    ADD_FAILURE() << all(config.error());
    return {};
  }
  return std::move(*config);
}

TEST(Load, SixLinesAreEnough) {
  const Config config = good(R"(homeostat: 1
services:
  api:
    run: { process: { command: [./serve, --port, "{port}"], ports: 9001 } }
    checks:
      alive: { http: { path: /livez } }
)");
  ASSERT_EQ(config.plan.services.size(), 1U);
  const engine::ServicePlan& api = config.plan.services[0];
  EXPECT_EQ(api.name, "api");
  EXPECT_EQ(api.mode, engine::Mode::act);
  EXPECT_EQ(api.instances, 1U);
  EXPECT_EQ(api.min_healthy, 1U);
  ASSERT_EQ(api.checks.size(), 2U);
  EXPECT_EQ(api.checks[0].name, "process");
  EXPECT_TRUE(api.checks[0].process);
  EXPECT_EQ(api.checks[0].policy.failure_threshold, 1U);
  EXPECT_EQ(api.checks[0].policy.success_threshold, 2U);
  EXPECT_EQ(api.checks[0].policy.startup_grace, Duration{});
  EXPECT_EQ(api.checks[1].name, "alive");
  EXPECT_EQ(api.checks[1].policy.interval, seconds(5));
  const auto& http = std::get<probe::HttpSpec>(config.probes.at(api.checks[1].probe));
  EXPECT_EQ(http.host, "127.0.0.1");
  EXPECT_EQ(http.port, "{port}");
  EXPECT_EQ(http.path, "/livez");
  ASSERT_EQ(api.ladder.size(), 2U);
  EXPECT_EQ(api.ladder[0].strategy, engine::StrategyKind::restart);
  EXPECT_EQ(api.ladder[0].attempts, 3U);
  EXPECT_EQ(api.ladder[0].verify_within, seconds(60 + 3 + 2));
  EXPECT_EQ(api.ladder[1].strategy, engine::StrategyKind::escalate);
  EXPECT_EQ(api.ladder[1].reference, engine::kNone);
  const auto& process = std::get<runtime::ProcessSpec>(config.runtimes.at(0));
  EXPECT_EQ(process.first_port, 9001);
  EXPECT_EQ(process.last_port, 9001);
  EXPECT_EQ(process.cwd, "/etc/homeostat");
  EXPECT_TRUE(api.runtime.managed);
}

}  // namespace
}  // namespace homeostat::config
