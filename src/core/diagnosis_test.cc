#include "homeostat/diagnosis.hpp"

#include <gtest/gtest.h>

namespace homeostat::diagnosis {
namespace {

using namespace std::chrono_literals;

// web -> api -> db, and cron beside them.
enum : Node { cron, db, api, web };
const std::vector<std::string> kNames{"cron", "db", "api", "web"};

Evidence symptom() { return {.sign = Sign::symptom, .looks = 3, .since = Instant(0s)}; }
Evidence direct() { return {.sign = Sign::direct, .looks = 1, .since = Instant(0s)}; }
Evidence unknown() { return {.sign = Sign::unknown}; }

struct Case {
  std::vector<Edge> edges{{web, api}, {api, db}};
  std::vector<Evidence> evidence{4};
  Report report{};

  Case& diagnose() {
    Diagnosis diagnosis(Graph::make(static_cast<std::uint32_t>(evidence.size()), edges).value());
    diagnosis.diagnose(evidence, report);
    return *this;
  }
  const Finding& of(Node node) const {
    static const Finding kNone = [] {
      Finding none;
      none.node = kNobody;
      return none;
    }();
    for (const Finding& one : report.findings) {
      if (one.node == node) return one;
    }
    return kNone;
  }
};

TEST(Diagnosis, FindsNothingWhereNothingAlarms) {
  EXPECT_TRUE(Case{}.diagnose().report.findings.empty());
  EXPECT_TRUE(Case{}.diagnose().report.incidents.empty());
}

TEST(Diagnosis, NamesTheDeepestOfAChainAndExcusesTheOthers) {
  Case c;
  c.evidence[db] = c.evidence[api] = c.evidence[web] = symptom();
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_EQ(c.of(api).role, Role::excused);
  EXPECT_EQ(c.of(api).by, Node{db});
  EXPECT_EQ(c.of(web).by, Node{api});
  EXPECT_EQ(c.of(web).root, Node{db});
  ASSERT_EQ(c.report.incidents.size(), 1U);
  EXPECT_EQ(
      sentence(c.report, c.report.incidents[0], kNames),
      "db: root, " + std::to_string(c.of(db).score) + " points ahead of any other explanation; 2 others are excused");
}

TEST(Diagnosis, WhatIsNotConnectedIsAnotherIncident) {
  Case c;
  c.evidence[db] = c.evidence[cron] = direct();
  c.diagnose();
  EXPECT_EQ(c.report.incidents.size(), 2U);
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_EQ(c.of(cron).role, Role::root);
}

TEST(Diagnosis, WhoDiedWithItsDependencyIsExcusedToo) {
  Case c;
  c.evidence[db] = symptom();
  c.evidence[api] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_EQ(c.of(api).role, Role::excused);
}

TEST(Diagnosis, ASymptomSeenOnceIsLookedAtAgain) {
  Case c;
  c.evidence[web] = symptom();
  c.evidence[web].looks = 1;
  EXPECT_EQ(c.diagnose().of(web).role, Role::look);
  c.evidence[web].looks = 3;
  EXPECT_EQ(c.diagnose().of(web).role, Role::root);
}

TEST(Diagnosis, WhatIsNotOursIsNamedAndLeftAloneAndSoAreItsCallers) {
  Case c;
  c.evidence[db] = c.evidence[api] = symptom();
  c.evidence[db].untouchable = true;
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::abstains);
  EXPECT_EQ(c.of(db).doubt, Doubt::untouchable);
  EXPECT_EQ(c.of(api).role, Role::excused);
}

TEST(Diagnosis, WhatMayBeTheCauseAndCannotBeSeenIsAReasonToAbstain) {
  Case c;
  c.evidence[db] = unknown();
  c.evidence[api] = symptom();
  c.diagnose();
  EXPECT_EQ(c.of(api).role, Role::abstains);
  EXPECT_EQ(c.of(api).doubt, Doubt::unseen);
  // A process that has ended speaks for itself.
  c.evidence[api] = direct();
  EXPECT_EQ(c.diagnose().of(api).role, Role::root);
}

TEST(Diagnosis, SeveralDependentsAccuseOneThatCannotBeSeen) {
  Case c;
  c.edges = {{web, db}, {api, db}, {cron, db}};
  c.evidence[db] = unknown();
  c.evidence[web] = c.evidence[api] = c.evidence[cron] = symptom();
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::abstains);
  EXPECT_EQ(c.of(db).doubt, Doubt::unseen);
  EXPECT_EQ(c.of(api).role, Role::excused);
}

TEST(Diagnosis, OneThatWasRepairedInVainExcusesNobodyAnyMore) {
  Case c;
  c.evidence[db] = c.evidence[api] = symptom();
  c.evidence[db].excluded = true;
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::tried);
  EXPECT_EQ(c.of(api).role, Role::root);
}

TEST(Diagnosis, AnAlternativeThatWorksExplainsNothing) {
  Case c;
  c.edges = {{web, api, Tie::hard, 1}, {web, db, Tie::hard, 1}};
  c.evidence[web] = c.evidence[db] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(web).role, Role::root);
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_GE(c.of(web).score, 62) << "db explains itself alone";
  c.evidence[api] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(web).role, Role::excused);
}

TEST(Diagnosis, OfACircleTheOneThatDiedStandsOut) {
  Case c;
  c.edges = {{web, api}, {api, web}};
  c.evidence[web] = c.evidence[api] = symptom();
  c.diagnose();
  EXPECT_EQ(c.of(web).doubt, Doubt::circle);
  EXPECT_EQ(c.of(api).doubt, Doubt::circle);
  c.evidence[api] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(api).role, Role::root);
  EXPECT_EQ(c.of(web).role, Role::excused);
  EXPECT_EQ(c.of(web).root, Node{api});
}

TEST(Diagnosis, OfACircleTheFirstStandsOutWhenItWasClearlyTheFirst) {
  Case c;
  c.edges = {{web, api}, {api, web}};
  c.evidence[web] = c.evidence[api] = symptom();
  c.evidence[web].since = Instant(4s);
  EXPECT_EQ(c.diagnose().of(api).doubt, Doubt::circle);
  c.evidence[web].since = Instant(5s);
  EXPECT_EQ(c.diagnose().of(api).role, Role::root);
}

TEST(Diagnosis, ACircleThatIsHitFromOutsideHasNoRootOfItsOwn) {
  Case c;
  c.edges = {{web, api}, {api, web}, {api, db}};
  c.evidence[db] = c.evidence[api] = symptom();
  c.evidence[web] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_EQ(c.of(api).by, Node{db});
  EXPECT_EQ(c.of(web).role, Role::excused) << "nothing outside it explains it but over the circle";
  EXPECT_EQ(c.of(web).by, Node{api});
  EXPECT_EQ(c.of(web).root, Node{db});
}

TEST(Diagnosis, AChangeMakesOneOfACircleStandOut) {
  Case c;
  c.edges = {{web, api}, {api, web}};
  c.evidence[web] = c.evidence[api] = symptom();
  c.evidence[web].changed = true;
  EXPECT_EQ(c.diagnose().of(web).role, Role::root);
}

TEST(Diagnosis, OneThatMayBeHitOverAnUndeclaredEdgeWaitsForTheOther) {
  Case c;
  c.edges.clear();
  c.evidence.assign(20, {});
  for (Node i = 1; i < 12; ++i) c.edges.push_back({i, 0});
  for (Node i = 13; i < 17; ++i) c.edges.push_back({12, i});  // it declares much, and all of that is well
  for (Node i = 0; i < 13; ++i) c.evidence[i] = symptom();
  c.evidence[0] = direct();
  c.diagnose();
  EXPECT_EQ(c.of(0).role, Role::root);
  EXPECT_EQ(c.of(12).role, Role::waits);
  for (Node i = 0; i < 12; ++i) c.evidence[i] = {};
  EXPECT_EQ(c.diagnose().of(12).role, Role::root);
}

// Two groups, and an edge between them that nobody declared: one of the two began it, so one of them is a root.
std::pair<Finding, Finding> two_groups(Node size_of_second, std::chrono::seconds second_later = {}) {
  Case c;
  c.edges.clear();
  c.evidence.assign(60, {});
  constexpr Node kSecond = 20;
  for (Node i = 1; i < kSecond; ++i) c.edges.push_back({i, 0});
  for (Node i = 1; i < size_of_second; ++i) c.edges.push_back({kSecond + i, kSecond});
  for (const Node root : {Node{0}, kSecond}) {
    for (Node well = 50; well < 56; ++well) c.edges.push_back({root, well});
  }
  for (Node i = 0; i < kSecond + size_of_second; ++i) {
    c.evidence[i] = symptom();
    c.evidence[i].since = Instant(i < kSecond ? std::chrono::seconds(60) : 60s + second_later);
  }
  c.diagnose();
  return std::pair(c.of(0), c.of(kSecond));
}

TEST(Diagnosis, OfTwoThatMayHaveHitEachOtherTheOneThatExplainsMoreIsTaken) {
  const auto [large, small] = two_groups(1);
  EXPECT_EQ(large.role, Role::root);
  EXPECT_EQ(small.role, Role::waits);
  const auto [one, other] = two_groups(20);
  EXPECT_EQ(one.role, Role::waits) << "nothing tells them apart";
  EXPECT_EQ(other.role, Role::waits);
  EXPECT_EQ(one.score, other.score);
}

TEST(Diagnosis, OfTwoThatMayHaveHitEachOtherTheOneThatBeganFirstIsTaken) {
  const auto [early, late] = two_groups(20, 4s);
  EXPECT_EQ(early.role, Role::root);
  EXPECT_EQ(late.role, Role::waits);
  EXPECT_GT(two_groups(20, 60s).second.score, late.score + 50) << "so late it was not hit by it";
}

// It was well without it for five minutes.
TEST(Diagnosis, WhatHasGoneOnWithoutASoftDependencyIsNotExplainedByIt) {
  const auto after = [](Tie tie, Duration later) {
    Case c;
    c.edges = {{api, db, tie}};
    c.evidence[db] = direct();
    c.evidence[db].untouchable = true;
    c.evidence[api] = direct();
    c.evidence[api].since = Instant(later);
    return c.diagnose().of(api).role;
  };
  EXPECT_EQ(after(Tie::soft, 299s), Role::excused);
  EXPECT_EQ(after(Tie::soft, 300s), Role::root);
  EXPECT_EQ(after(Tie::hard, 300s), Role::excused);
}

// A cause does not come after its effect; a check may see it some seconds later.
TEST(Diagnosis, WhatFailedLongBeforeASoftDependencyIsNotExplainedByIt) {
  const auto before = [](Tie tie, Duration sooner) {
    Case c;
    c.edges = {{api, db, tie}};
    c.evidence[db] = direct();
    c.evidence[db].untouchable = true;
    c.evidence[db].since = Instant(sooner);
    c.evidence[api] = direct();
    return c.diagnose().of(api).role;
  };
  EXPECT_EQ(before(Tie::soft, 59s), Role::excused);
  EXPECT_EQ(before(Tie::soft, 60s), Role::root);
  EXPECT_EQ(before(Tie::hard, 10min), Role::excused);
}

// Those that need it and are well speak for a mistake of whoever looks, as long as it may be one.
TEST(Diagnosis, WhatIsSeenFailingOftenEnoughIsNoMistakeHoweverManyAreWell) {
  const auto seen = [](Sign sign, std::uint8_t looks) {
    Case c;
    c.edges.clear();
    c.evidence.assign(12, {});
    c.evidence[0] = {.sign = sign, .looks = looks, .since = Instant{}};
    for (Node i = 1; i < 12; ++i) c.edges.push_back({i, 0});
    return c.diagnose().of(0).role;
  };
  for (const Sign sign : {Sign::direct, Sign::symptom}) {
    EXPECT_EQ(seen(sign, 3), Role::look);
    EXPECT_EQ(seen(sign, 255), Role::root);
  }
  int needed = 3;
  while (seen(Sign::direct, static_cast<std::uint8_t>(needed)) == Role::look) ++needed;
  EXPECT_LE(needed, 10);
}

TEST(Diagnosis, WhatSomebodyStoppedIsNoSuspectForAnEdgeThatNobodyDeclared) {
  Case c;
  c.edges = {{api, db}};
  c.evidence[api] = c.evidence[web] = symptom();
  c.evidence[db] = direct();
  c.evidence[db].untouchable = true;
  EXPECT_EQ(c.diagnose().of(web).role, Role::waits);
  c.evidence[api] = {};
  EXPECT_EQ(c.diagnose().of(web).role, Role::waits);
  c.evidence[db].meant = true;
  EXPECT_EQ(c.diagnose().of(web).role, Role::root);
  c.evidence[api] = symptom();
  EXPECT_EQ(c.diagnose().of(api).role, Role::excused);
}

TEST(Diagnosis, WhatHasFailedForLongIsNoSuspectForAnEdgeThatNobodyDeclared) {
  Case c;
  c.edges = {{api, db}};
  c.evidence[db] = c.evidence[web] = symptom();
  c.evidence[web].since = Instant(299s);
  EXPECT_EQ(c.diagnose().of(web).role, Role::waits);
  c.evidence[web].since = Instant(300s);
  EXPECT_EQ(c.diagnose().of(web).role, Role::root);
}

// What many need is needed by those too who did not say so.
TEST(Diagnosis, AnUndeclaredEdgeLeadsMostLikelyToWhatManyNeed) {
  const auto undeclared_to = [](Node needed) {
    Case c;
    c.edges.clear();
    c.evidence.assign(20, {});
    c.evidence[0] = symptom();
    c.evidence[1] = direct();
    for (Node i = 3; i < 13; ++i) c.edges.push_back({i, needed, Tie::soft});
    return c.diagnose().of(0).numbers.undeclared;
  };
  EXPECT_GT(undeclared_to(1), undeclared_to(2) + 50);
}

TEST(Diagnosis, EverythingGoesWithItsHost) {
  Case c;
  c.edges = {{web, db, Tie::runs_on}, {api, db, Tie::runs_on}};
  c.evidence.assign(4, direct());
  c.evidence[cron] = {};
  c.diagnose();
  EXPECT_EQ(c.of(db).role, Role::root);
  EXPECT_EQ(c.of(web).role, Role::excused);
}

TEST(DiagnosisGraph, RefusesWhatCannotBeMeant) {
  EXPECT_FALSE(Graph::make(2, {{0, 0}}));
  EXPECT_FALSE(Graph::make(2, {{0, 2}}));
  EXPECT_FALSE(Graph::make(2, {{0, 1}, {0, 1, Tie::soft}}));
  EXPECT_TRUE(Graph::make(2, {{0, 1}, {1, 0}}));
}

TEST(DiagnosisGraph, ALongChainNeedsNoStack) {
  constexpr std::uint32_t kLong = 100'000;
  std::vector<Edge> edges;
  for (Node i = 0; i + 1 < kLong; ++i) edges.push_back({i, i + 1});
  const Graph graph = Graph::make(kLong, edges).value();
  EXPECT_EQ(graph.order().front(), kLong - 1);
  EXPECT_LT(graph.circle(kLong - 1), graph.circle(0));
}

TEST(DiagnosisPoints, AreHundredthsOfAPowerOfTen) {
  EXPECT_EQ(points_of(1, 1), 0);
  EXPECT_EQ(points_of(1000, 1), 300);
  EXPECT_EQ(points_of(1, 100), -200);
  EXPECT_EQ(points_of(2, 1), 30);
  EXPECT_EQ(points_of(0, 5), kImpossible);
  EXPECT_EQ(points_of(~std::uint64_t{0}, 1), 1927);
}

}  // namespace
}  // namespace homeostat::diagnosis
