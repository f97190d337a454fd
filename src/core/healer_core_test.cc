#include "core/healer_core.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

namespace homeostat {
namespace {

using namespace std::chrono_literals;

constexpr Observation kGood{.result = Result::success};
constexpr Observation kBad{.result = Result::failure, .reason = Reason::other};

Check make_check(std::string id) {
  Check check{.id = std::move(id), .look = [] { return true; }};
  check.policy = {.interval = 10s, .fast_interval = 1s, .timeout = 500ms, .startup_grace = 0s};
  check.backoff = {.initial = 2s, .max = 60s, .jitter_percent = 0};
  return check;
}

Remedy make_remedy(std::string name, std::uint32_t attempts = 1) {
  return {.name = std::move(name), .repair = [] { return true; }, .attempts = attempts, .verify_within = 5s};
}

/// Drives a core with one check through virtual time, one deadline after the other.
struct World {
  explicit World(Check check) { EXPECT_TRUE(core.add(std::make_shared<const Check>(std::move(check)))); }

  /// Advances to the next deadline and answers every call by `well`, `answer`.
  void step() {
    now = std::max(now, core.next_deadline());
    int rounds = 0;
    for (auto calls = core.due(now); !calls.empty(); calls = core.due(now)) {
      ASSERT_LT(++rounds, 50) << "an instant must end";
      for (const Call& call : calls) reply(call);
    }
  }
  void reply(const Call& call) {
    if (call.kind == CallKind::look) {
      looks.push_back(now);
      core.look_done(call, well ? kGood : kBad, "", now);
    } else if (call.kind == CallKind::remedy) {
      repairs.push_back(now);
      if (cures) well = true;
      core.remedy_done(call, answer, "said so", now);
    } else {
      escalations.push_back(core.escalation(call.check));
      core.escalation_done(call, true, "", now);
    }
  }
  void run_until(Instant end) {
    while (core.next_deadline() <= end && !testing::Test::HasFatalFailure()) step();
    now = end;
  }
  std::vector<std::string> steps() const {
    std::vector<std::string> out;
    for (const HealingEvent& event : core.history()) {
      out.push_back(std::string(to_string(event.step)) + (event.remedy.empty() ? "" : ":" + event.remedy));
    }
    return out;
  }
  CheckState state() const { return core.states().front(); }

  HealerCore core{1, 1000};
  Instant now = Instant(1000s);
  bool well = true;
  bool cures = false;
  RemedyAnswer answer = RemedyAnswer::repaired;
  std::vector<Instant> looks;
  std::vector<Instant> repairs;
  std::vector<Escalation> escalations;
};

World place(Check check) {
  World world(std::move(check));
  world.core.place(world.now, false);
  return world;
}

TEST(HealerCore, LooksAtOnceAndThenOnItsGrid) {
  World world = place(make_check("db"));
  world.run_until(Instant(1030s));
  // The first success is confirmed at the fast interval, then the interval's grid goes on from the start.
  EXPECT_EQ(world.looks, (std::vector{Instant(1000s), Instant(1001s), Instant(1010s), Instant(1020s), Instant(1030s)}));
  EXPECT_EQ(world.state().status, Status::healthy);
  EXPECT_EQ(world.state().last_check, Instant(1030s));
}

TEST(HealerCore, NothingIsMadeUpForAfterAPause) {
  World world = place(make_check("db"));
  world.run_until(Instant(1010s));
  world.looks.clear();
  world.now = Instant(2003s);  // 99 runs were missed
  world.step();
  world.run_until(Instant(2020s));
  EXPECT_EQ(world.looks, (std::vector{Instant(2003s), Instant(2010s), Instant(2020s)}));
}

TEST(HealerCore, SpreadsFirstLooksOverTheInterval) {
  HealerCore core(7, 10);
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(core.add(std::make_shared<const Check>(make_check("c" + std::to_string(i)))));
  core.place(Instant(0s), true);
  std::map<Instant, int> when;
  for (Instant now(0s); now < Instant(10s); now += 10ms) {
    for (const Call& call : core.due(now)) {
      if (call.kind == CallKind::look) ++when[now];
    }
  }
  EXPECT_GT(when.size(), 40U);
  EXPECT_LT(when.begin()->first, Instant(1s));
  EXPECT_GT(when.rbegin()->first, Instant(9s));
}

TEST(HealerCore, RepairsAtTheVerdictAndProvesIt) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart")};
  World world = place(check);
  world.cures = true;
  world.run_until(Instant(1010s));
  world.well = false;
  world.run_until(Instant(1030s));
  EXPECT_EQ(world.repairs, std::vector{Instant(1022s)});  // 1020, 1021, 1022: the third failure, at once
  EXPECT_EQ(world.steps(), (std::vector<std::string>{"verdict", "repaired:restart", "verified:restart"}));
  EXPECT_EQ(world.state().status, Status::healthy);
  EXPECT_FALSE(world.state().failing_since);
}

TEST(HealerCore, ARepairThatDoesNotHelpIsRepeatedWithBackoffThenEscalatedThenBeginsAgain) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart", 2), make_remedy("rollback")};
  World world = place(check);
  world.well = false;
  world.run_until(Instant(1100s));
  const std::vector<std::string> round{
      "verdict",           "repaired:restart",    "unverified:restart", "repaired:restart", "unverified:restart",
      "repaired:rollback", "unverified:rollback", "escalated"};
  auto steps = world.steps();
  ASSERT_GE(steps.size(), round.size() + 1);
  EXPECT_EQ(std::vector(steps.begin(), steps.begin() + 8), round);
  EXPECT_EQ(steps[8], "repaired:restart") << "a spent ladder begins again";
  ASSERT_GE(world.repairs.size(), 4U);
  // Verdict at 1002; each try is verified for 5 s, then 2, 4, 8 s and (after the escalation) 60 s of back-off.
  EXPECT_EQ(world.repairs[0], Instant(1002s));
  EXPECT_EQ(world.repairs[1], Instant(1009s));
  EXPECT_EQ(world.repairs[2], Instant(1018s));
  EXPECT_EQ(world.repairs[3], Instant(1091s));
  ASSERT_EQ(world.escalations.size(), 1U);
  EXPECT_EQ(world.escalations[0].tries, 3U);
  EXPECT_EQ(world.escalations[0].failing_since, Instant(1000s));
  EXPECT_EQ(world.escalations[0].detail, "rollback: unverified");
  EXPECT_EQ(world.state().status, Status::critical);
}

TEST(HealerCore, ACheckWithoutRemediesEscalatesAtTheVerdict) {
  World world = place(make_check("db"));
  world.well = false;
  world.run_until(Instant(1010s));
  EXPECT_EQ(world.steps(), (std::vector<std::string>{"verdict", "escalated"}));
}

TEST(HealerCore, AnUnmetPrerequisiteSkipsTheRemedyWithItsReasonAndCostsNoTry) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart"), make_remedy("rollback")};
  World world = place(check);
  world.well = false;
  world.answer = RemedyAnswer::not_met;
  world.run_until(Instant(1005s));
  EXPECT_EQ(world.steps(), (std::vector<std::string>{"verdict", "skipped:restart", "skipped:rollback", "escalated"}));
  EXPECT_EQ(world.core.history()[1].detail, "said so");
  EXPECT_EQ(world.escalations.at(0).tries, 0U);
}

TEST(HealerCore, ATimeOutLeadsToTheRemedyAndALateAnswerIsDropped) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart")};
  HealerCore core(1, 100);
  ASSERT_TRUE(core.add(std::make_shared<const Check>(check)));
  core.place(Instant(0s), false);
  auto calls = core.due(Instant(0s));
  ASSERT_EQ(calls.size(), 1U);
  const Call hung = calls[0];
  core.timed_out(hung, Instant(500ms));
  EXPECT_TRUE(core.states()[0].looking);
  EXPECT_TRUE(core.due(Instant(1s)).empty()) << "never started twice; counted as one more time-out";
  EXPECT_EQ(core.states()[0].failures, 2U);
  calls = core.due(Instant(2s));
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].kind, CallKind::remedy);
  core.look_done(hung, kGood, "", Instant(2100ms));
  EXPECT_EQ(core.states()[0].successes, 0U) << "late";
  EXPECT_EQ(core.states()[0].status, Status::unhealthy);
  EXPECT_FALSE(core.states()[0].looking);
}

TEST(HealerCore, ARemedyThatHangsGivesWayToTheNextAndIsNotStartedTwice) {
  Check check = make_check("db");
  check.policy.failure_threshold = 1;
  check.remedies = {make_remedy("hang", 2), make_remedy("other")};
  HealerCore core(1, 100);
  ASSERT_TRUE(core.add(std::make_shared<const Check>(check)));
  core.place(Instant(0s), false);
  core.look_done(core.due(Instant(0s)).at(0), kBad, "", Instant(0s));
  const Call hung = core.due(Instant(0s)).at(0);
  ASSERT_EQ(hung.kind, CallKind::remedy);
  core.timed_out(hung, Instant(1s));
  const auto calls = core.due(Instant(4s));
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].remedy, 1U);
  EXPECT_EQ(core.history().back().step, HealingStep::skipped);
  EXPECT_EQ(core.history().back().detail, "its previous run has not ended");
  core.remedy_done(hung, RemedyAnswer::repaired, "", Instant(5s));
  EXPECT_EQ(core.history().back().step, HealingStep::skipped) << "the late answer is dropped";
}

TEST(HealerCore, ALookFromBeforeTheRepairProvesNothing) {
  Check check = make_check("db");
  check.policy.failure_threshold = 1;
  check.policy.success_threshold = 1;
  check.remedies = {make_remedy("restart")};
  HealerCore core(1, 100);
  ASSERT_TRUE(core.add(std::make_shared<const Check>(check)));
  core.place(Instant(0s), false);
  core.look_done(core.due(Instant(0s)).at(0), kBad, "", Instant(0s));
  const Call repair = core.due(Instant(0s)).at(0);
  const auto looks = core.due(Instant(10s));
  ASSERT_EQ(looks.size(), 1U);
  ASSERT_EQ(looks[0].kind, CallKind::look);
  core.remedy_done(repair, RemedyAnswer::repaired, "", Instant(10s));
  core.look_done(looks[0], kGood, "", Instant(10s));
  EXPECT_TRUE(core.due(Instant(10s)).empty());
  EXPECT_EQ(core.history().back().step, HealingStep::repaired);
  core.look_done(core.due(Instant(11s)).at(0), kGood, "", Instant(11s));
  core.due(Instant(11s));
  EXPECT_EQ(core.history().back().step, HealingStep::verified);
}

TEST(HealerCore, LooksFastAfterARepairWithoutGrace) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart")};
  World world = place(check);
  world.well = false;
  world.run_until(Instant(1006s));
  EXPECT_EQ(world.looks.back(), Instant(1006s));
  EXPECT_EQ(world.looks.size(), 7U) << "each second, although the verdict stands";
  EXPECT_EQ(world.state().failures, 7U);
}

TEST(HealerCore, GraceBeginsWithTheRepair) {
  Check check = make_check("db");
  check.policy.startup_grace = 30s;
  check.remedies = {make_remedy("restart")};
  check.remedies[0].verify_within = 0s;
  World world = place(check);
  world.well = false;
  world.run_until(Instant(1030s));
  EXPECT_EQ(world.state().failures, 3U);
  EXPECT_EQ(world.state().remedy, "restart") << "verified for the grace, two successes and a timeout: 32.5 s";
  world.run_until(Instant(1035s));
  EXPECT_GT(world.state().failures, 3U);
  const auto steps = world.core.history();
  ASSERT_GE(steps.size(), 3U);
  EXPECT_EQ(steps[2].step, HealingStep::unverified);
  EXPECT_EQ(steps[2].at, Instant(1034500ms));
}

TEST(HealerCore, NoBackoffStillLetsTimePassBetweenTries) {
  Check check = make_check("db");
  check.backoff = {.initial = 0s, .max = 0s};
  check.policy.failure_threshold = 1;
  check.remedies = {make_remedy("restart", 3)};
  World world = place(check);
  world.well = false;
  world.answer = RemedyAnswer::failed;
  world.step();
  EXPECT_EQ(world.repairs.size(), 1U);
  world.step();
  EXPECT_EQ(world.repairs.size(), 2U);
  EXPECT_GT(world.repairs[1], world.repairs[0]);
}

TEST(HealerCore, ARecoveryWithoutARepairIsNotCreditedToOne) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart", 5)};
  World world = place(check);
  world.well = false;
  world.answer = RemedyAnswer::failed;
  world.run_until(Instant(1003s));
  world.well = true;
  world.run_until(Instant(1030s));
  EXPECT_EQ(world.steps().back(), "recovered");
}

TEST(HealerCore, ARecurrenceGoesOnWhereTheLadderStood) {
  Check check = make_check("db");
  check.remedies = {make_remedy("restart"), make_remedy("rollback")};
  check.rearm_after = 100s;
  World world = place(check);
  world.cures = true;
  world.well = false;
  world.run_until(Instant(1040s));
  world.well = false;
  world.run_until(Instant(1080s));
  EXPECT_EQ(world.steps().back(), "verified:rollback") << "restart did not last";
  world.run_until(Instant(1200s));
  world.well = false;
  world.run_until(Instant(1240s));
  EXPECT_EQ(world.steps().back(), "verified:restart") << "long health begins at the first rung";
}

TEST(HealerCore, TimeThatGoesBackStandsStill) {
  World world = place(make_check("db"));
  world.run_until(Instant(1010s));
  EXPECT_TRUE(world.core.due(Instant(5s)).empty());
  const auto calls = world.core.due(Instant(1020s));
  ASSERT_EQ(calls.size(), 1U);
  world.core.look_done(calls[0], kGood, "", Instant(5s));
  EXPECT_EQ(world.state().last_check, Instant(1020s));
  world.run_until(Instant(1030s));
  EXPECT_EQ(world.looks.back(), Instant(1030s));
}

TEST(HealerCore, HistoryIsBounded) {
  HealerCore core(1, 3);
  Check check = make_check("db");
  check.policy.failure_threshold = 1;
  check.remedies = {make_remedy("restart", 1000)};
  ASSERT_TRUE(core.add(std::make_shared<const Check>(check)));
  core.place(Instant(0s), false);
  for (int i = 0; i < 50; ++i) {
    const Instant now = core.next_deadline();
    for (const Call& call : core.due(now)) {
      if (call.kind == CallKind::look) core.look_done(call, kBad, "", now);
      if (call.kind == CallKind::remedy) core.remedy_done(call, RemedyAnswer::failed, "no", now);
    }
  }
  EXPECT_EQ(core.history().size(), 3U);
}

TEST(HealerCore, RefusesWhatCannotWork) {
  HealerCore core(1, 3);
  const auto refused = [&](Check check) {
    const auto added = core.add(std::make_shared<const Check>(std::move(check)));
    return added ? std::string() : added.error();
  };
  EXPECT_EQ(refused(make_check("a")), "");
  EXPECT_EQ(refused(make_check("a")), "check a: the id is taken");
  EXPECT_EQ(refused(make_check("")), "a check needs an id");
  Check check = make_check("b");
  check.look = {};
  EXPECT_EQ(refused(check), "check b: look is not set");
  check = make_check("b");
  check.policy.failure_threshold = 0;
  EXPECT_EQ(refused(check), "check b: failure_threshold and success_threshold must be at least 1");
  check = make_check("b");
  check.policy.interval = 0s;
  EXPECT_NE(refused(check), "");
  check = make_check("b");
  check.policy.timeout = Duration::max();
  EXPECT_NE(refused(check), "");
  check = make_check("b");
  check.remedies = {make_remedy("r", 0)};
  EXPECT_EQ(refused(check), "check b: remedy r: attempts must be at least 1");
  check.remedies = {make_remedy("r")};
  check.remedies[0].prerequisites = {{"disk", nullptr}};
  EXPECT_EQ(refused(check), "check b: remedy r: prerequisite disk is not set");
}

/// Whatever the calls answer and whenever: one call at a time per callable, looks on the grid, time moves on.
TEST(HealerCoreProperties, NothingRunsTwiceAndEveryInstantEnds) {
  EXPECT_TRUE(rc::check([] {
    Check check = make_check("db");
    check.backoff.initial = *rc::gen::element<Duration>(0s, 1s);
    check.backoff.max = *rc::gen::element<Duration>(0s, 20s);
    check.remedies = {make_remedy("one", 2), make_remedy("two")};
    HealerCore core(1, 100);
    RC_ASSERT(core.add(std::make_shared<const Check>(check)).has_value());
    Instant now(0s);
    core.place(now, false);
    std::vector<Call> open;
    for (int i = 0; i < 200; ++i) {
      int rounds = 0;
      for (auto calls = core.due(now); !calls.empty(); calls = core.due(now)) {
        RC_ASSERT(++rounds < 20);
        for (const Call& call : calls) {
          for (const Call& other : open) {
            RC_ASSERT(call.kind != other.kind || (call.kind == CallKind::remedy && call.remedy != other.remedy));
          }
          open.push_back(call);
        }
      }
      RC_ASSERT(core.next_deadline() > now);
      while (!open.empty() && *rc::gen::inRange(0, 3) > 0) {
        const std::size_t pick = *rc::gen::inRange<std::size_t>(0, open.size());
        const Call call = open[pick];
        if (*rc::gen::inRange(0, 4) == 0) {
          core.timed_out(call, now);
          break;
        }
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
        if (call.kind == CallKind::look) core.look_done(call, *rc::gen::element(kGood, kBad), "", now);
        if (call.kind == CallKind::remedy) {
          const auto answer = rc::gen::element(RemedyAnswer::repaired, RemedyAnswer::failed, RemedyAnswer::not_met);
          core.remedy_done(call, *answer, "", now);
        }
        if (call.kind == CallKind::escalation) core.escalation_done(call, *rc::gen::arbitrary<bool>(), "", now);
      }
      now += *rc::gen::element<Duration>(0ms, 300ms, 1s, 7s, 40s);
    }
  }));
}

}  // namespace
}  // namespace homeostat
