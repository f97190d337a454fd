// What a proxy lacks for the places of a service, in words.
#include "config/servers.hpp"

#include <gtest/gtest.h>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

using Names = std::vector<std::string>;

/// Six instances; with the surge and those to compare with eight places.
std::string lacks(const Names& has, const Names& needed = {"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"}) {
  const auto config = load_text(
      "homeostat: 1\nservices:\n  web:\n    run: { process: { command: [x], ports: 1-8, releases: /r, release: v1 } }\n"
      "    instances: 6\n    traffic: { haproxy: { socket: /run/h.sock, backend: pool, server: 'm{port}' } }\n"
      "    rollout: { baseline: fresh, stages: [{ traffic: 5% }], judge: { e: { haproxy: errors } } }\n",
      "h.yaml");
  return config ? lacking_servers(config->plan.services[0], "pool", needed, has) : render(config.error().front());
}

TEST(Servers, ThoseThatAreMissingAreNamedWithTheirNumbers) {
  EXPECT_EQ(lacks({"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "other"}), "");
  EXPECT_EQ(lacks({"m1", "m2", "m3", "m4", "m5", "m7"}),
            "HAProxy's backend `pool` has 6 servers for 8 instances: 6, 1 more while a new version takes over and 1 to "
            "compare with; it has no `m6`, `m8`");
}

TEST(Servers, WhereNoneIsKnownTheNamesOfTheOthersAreSaid) {
  EXPECT_NE(lacks({"s1", "s2"}).find("`m7`, `m8`, but `s1`, `s2`"), std::string::npos) << lacks({"s1", "s2"});
  EXPECT_EQ(lacks({}), "HAProxy has no backend `pool` with servers");
}

TEST(Servers, OfManyOnlySomeAreNamed) {
  Names needed;
  for (int i = 0; i < 20; ++i) needed.push_back("n" + std::to_string(i));
  EXPECT_TRUE(lacks({"n19"}, needed).ends_with("`n7` and 11 more")) << lacks({"n19"}, needed);
}

/// Two services, each with a server of that name in the same backend.
std::string problem(const std::string& server, const std::string& run = "process: { command: [x], ports: 1-2 }",
                    const std::string& backend = "pool") {
  const auto one = [&](const std::string& name, const std::string& how, const std::string& where) {
    return "  " + name + ":\n    run: { " + how +
           " }\n    traffic: { haproxy: { socket: /run/h.sock, backend: " + where + ", server: '" + server + "' } }\n";
  };
  const auto config = load_text("homeostat: 1\nservices:\n" + one("web", run, "pool") +
                                    one("shop", "process: { command: [x], ports: 3-4 }", backend),
                                "h.yaml");
  return config ? "" : render(config.error().front());
}

TEST(Servers, TwoServicesCannotHaveTheSame) {
  EXPECT_EQ(problem("m"), "h.yaml:8:71: service `web` has this server already: `shop` cannot have it, too");
  EXPECT_NE(problem("m{instance}"), "");
  EXPECT_EQ(problem("m{port}"), "");
  EXPECT_EQ(problem("{service}"), "");
  EXPECT_EQ(problem("m", "process: { command: [x] }", "other"), "");
}

TEST(Servers, WhatHasNoPortsHasNoNameWithAPort) {
  const std::string lacks = "`{port}` needs `ports` of the process runtime";
  EXPECT_NE(problem("m{port}", "process: { command: [x] }").find(lacks), std::string::npos);
  EXPECT_NE(problem("m{port}", "systemd: { unit: web.service }").find(lacks), std::string::npos);
}

}  // namespace
}  // namespace homeostat::config
