// Checks of what HAProxy counts, as they are written.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

constexpr const char* kTraffic =
    "traffic: { haproxy: { socket: /run/h.sock, backend: pool, server: '{service}-{port}' } }, ";

std::expected<Config, std::vector<Problem>> read(const std::string& check, const std::string& traffic = kTraffic) {
  return load_text(
      fmt::format("homeostat: 1\nservices: {{ web: {{ run: {{ process: {{ command: [serve], ports: 9001-9002 "
                  "}} }}, instances: 2, {}checks: {{ a: {} }} }} }}\n",
                  traffic, check),
      "h.yaml");
}

std::string problem(const std::string& check, const std::string& traffic = kTraffic) {
  const auto config = read(check, traffic);
  return config ? std::string() : config.error().front().text;
}

const probe::HaproxySpec& spec_of(const Config& config) {
  for (const probe::Spec& spec : config.probes) {
    if (const auto* haproxy = std::get_if<probe::HaproxySpec>(&spec)) return *haproxy;
  }
  throw std::runtime_error("there is none");
}

TEST(HaproxyCheck, TakesFromTheTrafficOfItsServiceWhatItDoesNotSay) {
  const auto config = read("{ haproxy: { field: hrsp_5xx, expect: '<  1.5' } }");
  ASSERT_TRUE(config);
  const probe::HaproxySpec& spec = spec_of(*config);
  EXPECT_EQ(spec.place, (traffic::HaproxyPlace{"/run/h.sock", "pool"}));
  EXPECT_EQ(spec.server, "web-{port}");
  EXPECT_TRUE(spec.grows);
  EXPECT_EQ(probe::to_text(spec.expect), "< 1.5");
  EXPECT_EQ(config->plan.services[0].checks.back().scope, Scope::instance);
}

TEST(HaproxyCheck, LooksAtTheBackendForTheServiceAsAWhole) {
  const auto config = read("{ scope: service, haproxy: { field: qcur, expect: '< 20', backend: other } }");
  ASSERT_TRUE(config);
  EXPECT_EQ(spec_of(*config).place, (traffic::HaproxyPlace{"/run/h.sock", "other"}));
  EXPECT_EQ(spec_of(*config).server, "");
  EXPECT_FALSE(spec_of(*config).grows);
}

TEST(HaproxyCheck, SaysWhatIsMissingOrMeaningless) {
  EXPECT_EQ(problem("{ haproxy: { field: qcur, expect: '< 20' } }", ""),
            "`socket` and `backend` are needed: the service has no `traffic` that says them");
  EXPECT_EQ(problem("{ haproxy: { field: qcur, expect: 'few' } }"), "`few` is no condition, such as `< 0.05`");
  EXPECT_NE(problem("{ haproxy: { field: requests, expect: '< 20' } }").find("`requests`"), std::string::npos);
  EXPECT_EQ(problem("{ haproxy: { field: qcur, expect: '< 20', server: one } }"),
            "the server `one` is the same of every instance: add {port} or {instance}");
  EXPECT_EQ(problem("{ scope: service, haproxy: { field: qcur, expect: '< 20', server: 'm{port}' } }"),
            "with `scope: service` it is the backend that is looked at, not a server");
  EXPECT_NE(problem("{ haproxy: { expect: '< 20' } }").find("field"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::config
