// Stories of commands and notifiers that fail again and again: their breaker leaves them alone, tries, and heals.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/breakers.hpp"
#include "sim/plans.hpp"
#include "sim/started.hpp"

namespace homeostat::sim {
namespace {

using namespace engine;
using namespace std::chrono_literals;

const std::string kNotifier = "notify:oncall";
const std::string kRestart = "exec:legacy/restart";

ServicePlan by_commands() {
  ServicePlan service = web("legacy", 1);
  service.runtime = {};
  service.runtime.restart = true;
  service.checks = {http_check()};
  service.budget.max_actions = 1000;
  service.backoff.max = 1s;
  return service;
}

Plan patient(Plan plan) {
  plan.fleet.max_actions = 1000;
  return plan;
}

/// Watches every command: an open breaker admits none, a half-open one its single probe, and only legal edges occur.
struct Watched : Started {
  explicit Watched(Plan plan) : Started(patient(std::move(plan))) { watch(); }

  void watch() {
    on_command([this](const Command& command) {
      if (const auto* notify = std::get_if<Notify>(&command)) {
        called(dependency_of(engine().plan().notifiers[notify->notifier]).name);
      } else if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
        const auto behind = command_behind(engine().plan().services[dispatch->service], dispatch->op);
        if (behind) called(behind->name);
      }
    });
  }
  void called(const std::string& name) {
    ++calls[name];
    const BreakerMachine& machine = engine().state().breakers.at(name).machine;
    EXPECT_NE(machine.state(), BreakerState::open) << name;
    EXPECT_TRUE(machine.state() == BreakerState::closed || machine.probes() == 1) << name;
  }
  BreakerState state(const std::string& name) const {
    const auto& breakers = engine().state().breakers;
    const auto found = breakers.find(name);
    return found == breakers.end() ? BreakerState::closed : found->second.machine.state();
  }
  bool opens(const std::string& name) {
    return run_until([&] { return state(name) == BreakerState::open; }, 1h);
  }
  bool closes(const std::string& name, Duration within) {
    return run_until([&] { return state(name) == BreakerState::closed; }, within);
  }
  bool held_by_breaker() {
    const auto holds = all<Held>();
    return std::ranges::any_of(holds, [](const Held& held) { return held.gate == kBreakerGate; });
  }
  void only_legal_edges() const {
    std::map<std::string, std::string> last;
    for (const BreakerChanged& change : all<BreakerChanged>()) {
      const std::string edge = change.from + " " + change.to;
      EXPECT_TRUE(edge == "closed open" || edge == "open half_open" || edge == "half_open open" ||
                  edge == "half_open closed")
          << edge;
      const auto [at, first] = last.try_emplace(change.breaker, "closed");
      EXPECT_EQ(change.from, at->second) << change.breaker;
      at->second = change.to;
    }
  }

  std::map<std::string, int> calls;
};

::testing::AssertionResult all_told(const Watched& world) {
  if (world.durable().escalations.empty()) return ::testing::AssertionFailure() << "nobody had to be told";
  for (const auto& [id, escalation] : world.durable().escalations) {
    if (!escalation.notified) return ::testing::AssertionFailure() << "nobody was told: " << escalation.what.summary;
  }
  return ::testing::AssertionSuccess();
}

TEST(Breaker, ANotifierThatFailsIsLeftAloneAndTriedAgain) {
  Watched world(plan_of({web("web", 1)}));
  world.notifier_fails(true);
  world.fail_starts("web", true);
  world.crash("web", 0);
  ASSERT_TRUE(world.opens(kNotifier));
  EXPECT_EQ(world.calls[kNotifier], 5);
  world.run_for(1h);
  EXPECT_LE(world.calls[kNotifier], 5 + 5 + 12) << "waits that double up to five minutes, one probe after each";
  EXPECT_GE(world.calls[kNotifier], 5 + 8);
  world.notifier_fails(false);
  EXPECT_TRUE(world.closes(kNotifier, 6min));
  world.run_for(6min);
  EXPECT_TRUE(all_told(world));
  world.only_legal_edges();
}

TEST(Breaker, CommandsThatFailAreLeftAloneAndTriedAgain) {
  Watched world(plan_of({by_commands()}));
  world.fail_starts("legacy", true);
  world.behave("legacy", 0, Behaviour::error500);
  ASSERT_TRUE(world.opens(kRestart));
  const Instant probe_at = world.durable().breakers.at(kRestart).probe_at;
  const int before = world.calls[kRestart];
  EXPECT_EQ(before, 5);
  world.run_for(probe_at - world.now() - 1s);
  EXPECT_EQ(world.calls[kRestart], before);
  world.fail_starts("legacy", false);
  EXPECT_TRUE(world.closes(kRestart, 30min));
  EXPECT_TRUE(world.durable().breakers.empty());
  world.only_legal_edges();
}

TEST(Breaker, WhatWaitsForABreakerSaysSoAndIsCountedOnce) {
  Watched world(plan_of({by_commands()}));
  world.fail_starts("legacy", true);
  world.behave("legacy", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return world.held_by_breaker(); }, 1h));
  const BreakerMachine& machine = world.engine().state().breakers.at(kRestart).machine;
  EXPECT_EQ(machine.status(world.now()).not_permitted, 1U);
  Operator look;
  look.verb = Verb::check;
  for (int i = 0; i < 5; ++i) {
    world.input(look);
    world.run_for(1s);
  }
  ASSERT_EQ(machine.state(world.now()), BreakerState::open);
  EXPECT_EQ(machine.status(world.now()).not_permitted, 1U) << "one repair waits, however often it is looked at";
}

TEST(Breaker, APersonsCommandIsTriedAtOnceAndClosesIt) {
  Watched world(plan_of({by_commands()}));
  world.fail_starts("legacy", true);
  world.behave("legacy", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return world.held_by_breaker(); }, 1h));
  world.fail_starts("legacy", false);
  const int before = world.calls[kRestart];
  Operator restart;
  restart.verb = Verb::restart;
  restart.service = "legacy";
  restart.by = "somebody";
  world.input(restart);
  world.run_for(1s);
  EXPECT_EQ(world.calls[kRestart], before + 1);
  EXPECT_EQ(world.state(kRestart), BreakerState::closed);
  EXPECT_EQ(world.all<BreakerChanged>().back().reason, "forced");
}

TEST(Breaker, AnOpenOneStaysOpenOverACrash) {
  Watched world(plan_of({web("web", 1)}));
  world.notifier_fails(true);
  world.fail_starts("web", true);
  world.crash("web", 0);
  ASSERT_TRUE(world.opens(kNotifier));
  world.run_for(1s);
  const Instant probe_at = world.durable().breakers.at(kNotifier).probe_at;
  const int before = world.calls[kNotifier];
  for (int crash = 0; crash < 3; ++crash) {
    world.kill_engine();
    world.boot();
    EXPECT_EQ(world.state(kNotifier), BreakerState::open);
    EXPECT_EQ(world.engine().state().breakers.at(kNotifier).machine.open_until(), probe_at);
  }
  world.run_for(probe_at - world.now() - 1s);
  EXPECT_EQ(world.calls[kNotifier], before);
  world.run_for(2s);
  EXPECT_EQ(world.calls[kNotifier], before + 1) << "the probe that was owed";
}

TEST(Breaker, OneThatIsNotNeededAnyMoreIsForgottenAndWhoWaitsIsToldAtOnce) {
  Watched world(plan_of({web("web", 1)}));
  world.notifier_fails(true);
  world.fail_starts("web", true);
  world.crash("web", 0);
  ASSERT_TRUE(world.opens(kNotifier));
  Plan other = plan_of({web("web", 1)});
  other.notifiers = {{"another"}};
  world.notifier_fails(false);
  world.reload(patient(other));
  world.run_for(1s);
  EXPECT_FALSE(world.durable().breakers.contains(kNotifier));
  EXPECT_FALSE(world.engine().state().breakers.contains(kNotifier));
  EXPECT_GT(world.calls["notify:another"], 0);
  EXPECT_TRUE(all_told(world));
}

TEST(Breaker, ACommandThatWasMendedInTheConfigurationIsTriedAtOnce) {
  Watched world(plan_of({by_commands()}));
  world.fail_starts("legacy", true);
  world.behave("legacy", 0, Behaviour::error500);
  ASSERT_TRUE(world.run_until([&] { return world.held_by_breaker(); }, 1h));
  world.fail_starts("legacy", false);
  const int before = world.calls[kRestart];
  ASSERT_GT(world.durable().breakers.at(kRestart).probe_at - world.now(), 10s);
  Plan same = plan_of({by_commands()});
  world.reload(patient(same));
  world.run_for(1s);
  EXPECT_EQ(world.state(kRestart), BreakerState::open) << "nothing has changed";
  EXPECT_EQ(world.calls[kRestart], before);
  Plan mended = same;
  mended.services[0].runtime.commands = 2;
  world.reload(patient(mended));
  world.run_for(2s);
  EXPECT_EQ(world.calls[kRestart], before + 1);
  EXPECT_EQ(world.state(kRestart), BreakerState::closed);
}

TEST(Breaker, OneOfAnotherCommandIsForgottenOverACrash) {
  Watched world(plan_of({by_commands()}));
  world.fail_starts("legacy", true);
  world.behave("legacy", 0, Behaviour::error500);
  ASSERT_TRUE(world.opens(kRestart));
  world.run_for(1s);
  world.kill_engine();
  Plan mended = plan_of({by_commands()});
  mended.services[0].runtime.commands = 2;
  world.replace_plan(patient(mended));
  world.boot();
  world.run_for(1s);
  EXPECT_EQ(world.state(kRestart), BreakerState::closed);
  EXPECT_TRUE(world.durable().breakers.empty());
}

/// Fifty services that crash and do not come up again, and a notifier that fails.
struct Outage : Watched {
  Outage() : Watched(plan_of(fifty())) {
    notifier_fails(true);
    for (const ServicePlan& service : plan().services) {
      fail_starts(service.name, true);
      crash(service.name, 0);
    }
  }
  static std::vector<ServicePlan> fifty() {
    std::vector<ServicePlan> services;
    for (int i = 0; i < 50; ++i) services.push_back(web("web" + std::to_string(i), 1));
    return services;
  }
};

TEST(Breaker, ManyWhoWaitForANotifierMakeNoStorm) {
  Outage world;
  ASSERT_TRUE(world.opens(kNotifier));
  const int before = world.calls[kNotifier];
  EXPECT_LE(before, 5 + 8) << "those that were under way when it opened";
  world.run_for(1h);
  EXPECT_LE(world.calls[kNotifier], before + 5 + 12) << "one try after each wait";
  world.notifier_fails(false);
  world.run_for(10min);
  EXPECT_TRUE(all_told(world));
  world.only_legal_edges();
}

TEST(Breaker, AFewAtATimeAreToldWhenItHeals) {
  Outage world;
  ASSERT_TRUE(world.opens(kNotifier));
  std::size_t most = 0;
  world.on_command([&](const Command& command) {
    if (std::holds_alternative<Notify>(command)) most = std::max(most, world.engine().state().calls.size());
  });
  world.notifier_fails(false);
  ASSERT_TRUE(world.closes(kNotifier, 10min));
  world.run_for(2s);
  EXPECT_TRUE(all_told(world)) << "the next is told as soon as one has been";
  EXPECT_EQ(most, 8U);
}

}  // namespace
}  // namespace homeostat::sim
