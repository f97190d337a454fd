// The views, from hand-made records.
#include <gtest/gtest.h>

#include "api/history.hpp"
#include "api/stats.hpp"
#include "api/status.hpp"
#include "api/testing.hpp"
#include "api/why.hpp"

namespace homeostat::api {
namespace {

using engine::CommandId;

/// One crash of web/0: a restart that helps.
class Story : public ::testing::Test {
 protected:
  void tell() {
    record(1'000, engine::ConfigLoaded{1, {"db", "web"}});
    record(1'000, engine::StatusChanged{"web", "", -1, "unknown", "healthy", "", false});
    record(10'000, engine::IncidentFailing{1, "web", 0, "alive", at(9'000), true, false, "answered 500"});
    record(10'000, engine::DownBegan{"web", at(9'000)});
    record(10'000, engine::Skipped{"web", 0, 1, 0, "rollback", "it has not changed recently"});
    record(10'000, engine::Held{"web", 0, 1, "budget", "3 of 3 actions of the service's budget are used"});
    record(11'000, engine::Held{"web", 0, 1, "", ""});
    engine::Intent intent;
    intent.id = {1, 7};
    intent.service = "web";
    intent.slot = 0;
    intent.op = engine::Op::restart;
    intent.strategy = "restart";
    intent.incident = 1;
    intent.rung = 1;
    intent.attempt = 1;
    intent.evidence = "alive: answered 500";
    record(11'000, intent);
    record(11'500, engine::Outcome{{1, 7}, "web", 0, engine::OutcomeKind::succeeded, "pid 42"});
    record(13'000, engine::Verified{{1, 7}, "web", 0, true, "well by its own checks"});
    record(13'000, engine::IncidentRecovering{1, "web", 0, at(12'000)});
    record(13'000, engine::DownEnded{"web", at(12'000)});
    record(13'000, engine::IncidentClosed{1, "web", engine::Ending::recovered, at(12'000)});
  }
  void record(std::int64_t ms, engine::Body body) {
    records_.push_back({records_.size() + 1, at(ms), 1, std::move(body)});
  }
  json::object history(HistoryQuery query) const {
    History history(std::move(query));
    for (const auto& r : records_) history.add(Stored(r).view());
    return history.view();
  }
  engine::Durable folded() const {
    engine::Durable durable;
    for (const auto& r : records_) durable.apply(r);
    return durable;
  }
  static std::string texts(const json::object& incident) {
    std::string all;
    for (const auto& line : incident.at("lines").as_array()) all += std::string(line.at("text").as_string()) + "\n";
    return all;
  }

  std::vector<engine::Record> records_;
};

TEST_F(Story, HistoryIsATimelineInWords) {
  tell();
  const json::object view = history({});
  ASSERT_EQ(view.at("incidents").as_array().size(), 1U);
  const json::object& incident = view.at("incidents").at(0).as_object();
  EXPECT_EQ(texts(incident),
            "web/0 failed check alive: answered 500 (direct evidence, first failure 1.0s before)\n"
            "rung 1 rollback skipped: it has not changed recently\n"
            "web/0 waits, gate budget: 3 of 3 actions of the service's budget are used\n"
            "web/0 waits no more\n"
            "will restart web/0 (rung 2 restart, attempt 1): alive: answered 500 [1-7]\n"
            "restart of web/0 succeeded: pid 42 [1-7]\n"
            "restart of web/0 verified: well by its own checks [1-7]\n"
            "web/0 is well again (first success 1.0s before)\n"
            "incident 1 closed: recovered\n");
  EXPECT_EQ(incident.at("first_failure"), "2026-11-22T08:00:09.000Z");
  EXPECT_EQ(incident.at("ending"), "recovered");
  EXPECT_EQ(incident.at("detected_after_ms"), 1'000);
  EXPECT_EQ(incident.at("repaired_after_ms"), 3'000);
  EXPECT_EQ(incident.at("actions"), 1);
}

TEST_F(Story, HistoryKeepsOnlyWhatIsAskedFor) {
  tell();
  for (std::uint64_t id = 2; id <= 5; ++id) {
    record(20'000,
           engine::IncidentFailing{id, id == 2 ? "db" : "web", -1, "alive", at(20'000), true, false, "refused"});
    record(30'000, engine::IncidentClosed{id, id == 2 ? "db" : "web", engine::Ending::by_itself, at(30'000)});
  }
  const json::object newest = history({.limit = 2});
  ASSERT_EQ(newest.at("incidents").as_array().size(), 2U);
  EXPECT_EQ(newest.at("incidents").at(0).at("id"), 5);
  EXPECT_EQ(newest.at("incidents").at(1).at("id"), 4);
  const json::object of_db = history({.service = "db"});
  ASSERT_EQ(of_db.at("incidents").as_array().size(), 1U);
  EXPECT_EQ(of_db.at("incidents").at(0).at("id"), 2);
  const json::object one = history({.incident = 1});
  ASSERT_EQ(one.at("incidents").as_array().size(), 1U);
  const json::object late = history({.since_wall_ns = kWall + 25'000'000'000});
  EXPECT_EQ(late.at("incidents").as_array().size(), 4U);
  EXPECT_TRUE(newest.at("events").as_array().empty());
  EXPECT_EQ(history({.all = true}).at("events").at(0).at("text"), "configuration generation 1 with 2 services");
}

TEST_F(Story, HistoryCountsOnlyWhatWasDone) {
  tell();
  engine::Intent intent;
  intent.service = "web";
  intent.incident = 1;
  intent.mode = engine::Mode::approve;
  for (std::uint64_t id = 8; id <= 9; ++id) {
    intent.id = {1, id};
    record(14'000, intent);
  }
  record(15'000, engine::Outcome{{1, 8}, "web", -1, engine::OutcomeKind::not_started, "the approval has expired"});
  EXPECT_EQ(history({}).at("incidents").at(0).at("actions"), 1) << "what waits, and what nobody approved";
  record(16'000, engine::Approved{{1, 9}, "ann"});
  EXPECT_EQ(history({}).at("incidents").at(0).at("actions"), 2);
  record(16'000, engine::Outcome{{1, 9}, "web", -1, engine::OutcomeKind::not_started, "paused"});
  EXPECT_EQ(history({}).at("incidents").at(0).at("actions"), 1);
}

TEST_F(Story, HistoryKnowsWhatWasConfiguredOnce) {
  tell();
  record(14'000, engine::ConfigLoaded{2, {"db"}});
  const auto knows = [&](const std::string& service) {
    History history({.service = service});
    for (const auto& r : records_) history.add(Stored(r).view());
    return history.knows_service();
  };
  EXPECT_TRUE(knows("web"));
  EXPECT_TRUE(knows(""));
  EXPECT_FALSE(knows("nope"));
}

TEST_F(Story, AReopenedIncidentIsOpenAgain) {
  tell();
  record(20'000, engine::IncidentFailing{1, "web", 0, "alive", at(19'000), true, true, "refused"});
  const json::object incident = history({}).at("incidents").at(0).as_object();
  EXPECT_EQ(incident.at("ending"), "open");
  EXPECT_EQ(incident.at("reopened"), 1);
  EXPECT_TRUE(incident.at("repaired_after_ms").is_null());
  record(25'000, engine::IncidentClosed{1, "web", engine::Ending::recovered, at(24'000)});
  EXPECT_EQ(history({}).at("incidents").at(0).at("repaired_after_ms"), 5'000);  // the time between was well

  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(101'000), kWall}, std::chrono::hours(24), "web");
  EXPECT_EQ(view.at("services").at(0).at("failures"), 2);
  EXPECT_EQ(view.at("services").at(0).at("mttr_ms"), 4'000);
}

TEST_F(Story, ACrashLoopKeepsItsBeginningAndItsNewestLines) {
  record(1'000, engine::IncidentFailing{1, "web", 0, "alive", at(1'000), true, false, "refused"});
  for (int i = 0; i < 2'000; ++i) record(2'000 + i, engine::Held{"web", 0, 1, "budget", std::to_string(i)});
  const json::object incident = history({}).at("incidents").at(0).as_object();
  EXPECT_EQ(incident.at("lines").as_array().size(), 500U);
  EXPECT_EQ(incident.at("lines_left_out"), 1'501);
  EXPECT_EQ(incident.at("lines").at(499).at("text"), "web/0 waits, gate budget: 1999");
}

TEST_F(Story, WhatComesFromOutsideCannotDriveATerminal) {
  record(1'000, engine::IncidentFailing{1, "web", 0, "alive", at(1'000), true, false, "\x1b[2J\xc2\x9b\xff\n"});
  const std::string text = texts(history({}).at("incidents").at(0).as_object());
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  EXPECT_NE(text.find("\xef\xbf\xbd"), std::string::npos);
}

TEST_F(Story, StatsAreMeasuredFromTheJournal) {
  tell();
  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(101'000), kWall + 101'000'000'000}, std::chrono::hours(24), "web");
  ASSERT_EQ(view.at("services").as_array().size(), 1U);
  const json::object& web = view.at("services").at(0).as_object();
  EXPECT_EQ(web.at("window_ms"), 100'000);  // known since 1 s
  EXPECT_EQ(web.at("failures"), 1);
  EXPECT_EQ(web.at("mttd_ms"), 1'000);
  EXPECT_EQ(web.at("mttr_ms"), 3'000);
  EXPECT_EQ(web.at("down_ms"), 3'000);
  const json::object& restart = web.at("strategies").at(0).as_object();
  EXPECT_EQ(restart.at("attempts"), 1);
  EXPECT_EQ(restart.at("verified"), 1);
  EXPECT_EQ(restart.at("median_time_to_repair_ms"), 1'000);  // from its intent to the first success
}

TEST_F(Story, StatsTellRepairsApartByWhatFailsAndHow) {
  tell();  // as a journal of before has it: the check alone
  record(60'000, engine::IncidentFailing{2, "web", 0, "alive", at(59'000), true, false, "no answer in time"});
  engine::Intent intent;
  intent.id = {1, 8};
  intent.service = "web";
  intent.slot = 0;
  intent.strategy = "restart";
  intent.incident = 2;
  intent.against = "alive: timed_out";
  record(61'000, intent);
  record(61'500, engine::Outcome{{1, 8}, "web", 0, engine::OutcomeKind::succeeded, "pid 43"});
  record(63'000, engine::Verified{{1, 8}, "web", 0, false, "it did not prove well in time"});
  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(101'000), kWall}, std::chrono::hours(24), "web");
  const json::array& strategies = view.at("services").at(0).at("strategies").as_array();
  ASSERT_EQ(strategies.size(), 2U);
  EXPECT_EQ(strategies.at(0).at("against"), "alive");
  EXPECT_EQ(strategies.at(0).at("verified"), 1);
  EXPECT_EQ(strategies.at(1).at("against"), "alive: timed_out");
  EXPECT_EQ(strategies.at(1).at("verified"), 0);
}

TEST_F(Story, StatsCountShadowAndMaintenanceApart) {
  record(0, engine::ConfigLoaded{1, {"web"}});
  record(1'000, engine::IncidentFailing{1, "web", 0, "alive", at(1'000), true, false, "refused"});
  engine::Intent intent;
  intent.id = {1, 1};
  intent.service = "web";
  intent.slot = 0;
  intent.strategy = "restart";
  intent.incident = 1;
  intent.mode = engine::Mode::shadow;
  record(2'000, intent);
  record(2'000, engine::Outcome{{1, 1}, "web", 0, engine::OutcomeKind::not_started, "shadow"});
  record(10'000, engine::MaintenanceBegan{"", false, at(20'000), "new disk", "ann"});
  record(15'000, engine::MaintenanceEnded{"", false, false, "ann"});
  record(30'000, engine::MaintenanceBegan{"web", false, at(90'000), "", "ann"});
  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(40'000), kWall}, std::chrono::hours(24), "web");
  const json::object& web = view.at("services").at(0).as_object();
  EXPECT_EQ(web.at("maintenance_ms"), 15'000) << "five seconds, and ten of what is under way";
  const json::object& restart = web.at("strategies").at(0).as_object();
  EXPECT_EQ(restart.at("attempts"), 0);
  EXPECT_EQ(restart.at("shadow"), 1);
  EXPECT_TRUE(restart.at("rate").is_null());
}

TEST_F(Story, StatsOfAnIncidentThatGoesOnKeepEachRepairsOwnTime) {
  tell();
  record(60'000, engine::IncidentFailing{1, "web", 0, "alive", at(60'000), true, true, "refused"});
  record(70'000, engine::IncidentRecovering{1, "web", 1, at(70'000)});
  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(101'000), kWall}, std::chrono::hours(24), "web");
  EXPECT_EQ(view.at("services").at(0).at("strategies").at(0).at("median_time_to_repair_ms"), 1'000);
}

TEST_F(Story, StatsWithoutFailuresHaveNoMeans) {
  record(1'000, engine::ConfigLoaded{1, {"web"}});
  Stats stats;
  for (const auto& r : records_) stats.add(Stored(r).view());
  const json::object view = stats.view({at(2'000), kWall}, std::chrono::hours(1));
  const json::object& web = view.at("services").at(0).as_object();
  EXPECT_TRUE(web.at("mttr_ms").is_null());
  EXPECT_TRUE(web.at("mtbf_ms").is_null());
  EXPECT_TRUE(web.at("availability").is_null());
}

TEST_F(Story, StatusFromTheJournalAloneSaysWhatItKnows) {
  tell();
  record(14'000, engine::InstanceChanged{"web", 0, engine::RunState::running, {42, 1, 1}, "v1", 8080, 1, ""});
  record(14'000, engine::Paused{"web", kNever, "alice"});
  record(14'000, engine::Escalated{{1, 9}, 1, "web", "oncall", "web is down"});
  const engine::Durable durable = folded();
  const json::object view = status_view(View::offline(durable, {at(20'000), kWall + 20'000'000'000}), "web");
  EXPECT_EQ(view.at("source"), "journal");
  const json::object& web = view.at("services").at(0).as_object();
  EXPECT_TRUE(web.at("checks").is_null());
  EXPECT_TRUE(web.at("paused_forever").as_bool());
  EXPECT_EQ(web.at("flags"), json::array{"paused"});
  const json::value& pause = view.at("engine").at("pauses").at(0);
  EXPECT_EQ(pause.at("by"), "alice");
  EXPECT_EQ(pause.at("since"), json::value(iso_time(kWall + 14'000'000'000)));
  EXPECT_EQ(web.at("instances").at(0).at("pid"), 42);
  EXPECT_EQ(web.at("instances").at(0).at("up_ms"), 6'000);
  EXPECT_EQ(view.at("escalations").at(0).at("id"), "1-9");
  EXPECT_FALSE(view.at("escalations").at(0).at("notified").as_bool());
}

TEST(LiveViews, StatusShowsChecksAndWhyExplainsTheLadder) {
  World world;
  world.apply(engine::IncidentFailing{1, "web", 0, "alive", at(500), false, false, "no answer in time"});
  world.apply(engine::LadderMoved{"web", 0, {1, 1, 1, 0, at(5'000), kNever}});
  world.apply(engine::Held{"web", 0, 1, "dependency", "db is unhealthy; it comes first"});
  world.apply(
      engine::Diagnosed{.incident = 1, .service = "web", .role = "excused", .by = "db", .root = "db", .reason = ""});
  const View view = View::live(world.engine, {at(2'000), kWall + 2'000'000'000});
  const json::object status = status_view(view);
  EXPECT_EQ(status.at("source"), "daemon");
  ASSERT_EQ(status.at("services").as_array().size(), 2U);
  const json::object& web = status.at("services").at(1).as_object();
  EXPECT_EQ(web.at("flags"), json::array{"suppressed"});
  EXPECT_EQ(web.at("suppressed_by"), "db");
  EXPECT_EQ(web.at("checks").as_array().size(), 2U);
  EXPECT_EQ(web.at("incident").at("failing").at(0).at("strategy"), "restart");
  EXPECT_EQ(web.at("incident").at("failing").at(0).at("next_try"), "2026-11-22T08:00:05.000Z");

  const auto why = why_view(view, "web");
  ASSERT_TRUE(why);
  const json::object& place = why->at("places").at(0).as_object();
  EXPECT_EQ(place.at("ladder").at(0).at("state"), "left behind");
  EXPECT_EQ(place.at("ladder").at(1).at("used"), 1);
  EXPECT_EQ(std::string(place.at("next").as_string()),
            "nothing until gate dependency opens: opens when what comes first is well");
  EXPECT_EQ(why->at("budgets").at("service").at("limit"), 3);
  EXPECT_FALSE(why_view(view, "nope"));
}

TEST(LiveViews, WhatAPersonAskedForAndWaitsIsListedToo) {
  World world;
  engine::Intent intent;
  intent.id = {1, 7};
  intent.service = "web";
  intent.slot = 0;
  intent.mode = engine::Mode::approve;
  intent.by = "ann";
  world.apply(intent);
  const json::object status = status_view(View::live(world.engine, {at(2'000), kWall}));
  ASSERT_EQ(status.at("approvals").as_array().size(), 1U);
  EXPECT_EQ(status.at("approvals").at(0).at("id"), "1-7");
}

TEST(LiveViews, WhoHasBeenCalledIsNotCalledNext) {
  World world;
  world.apply(engine::IncidentFailing{1, "web", 0, "alive", at(500), false, false, "no answer in time"});
  world.apply(engine::LadderMoved{"web", 0, {2, 0, 2, 0, at(5'000), kNever}});
  const auto next = [&] {
    const auto why = why_view(View::live(world.engine, {at(2'000), kWall + 2'000'000'000}), "web");
    return std::string(why->at("next").as_string());
  };
  EXPECT_TRUE(next().starts_with("rung 3 escalate page, attempt 1 of 1")) << next();
  world.apply(engine::Escalated{{1, 3}, 1, "web", "page", "web is down"});
  EXPECT_TRUE(next().starts_with("somebody has been called already")) << next();
}

TEST(LiveViews, TheWalkEndsAtWhatComesFirstAndSaysWhyItIsLeftAlone) {
  World world;
  world.apply(engine::IncidentFailing{1, "web", 0, "alive", at(500), false, false, "no answer in time"});
  world.apply(
      engine::Diagnosed{.incident = 1, .service = "web", .role = "excused", .by = "db", .root = "db", .reason = "r"});
  const View view = View::live(world.engine, {at(2'000), kWall + 2'000'000'000});
  const auto end_of_walk = [&] {
    const json::array walk = why_view(view, "web")->at("diagnosis").as_array();
    EXPECT_EQ(walk.size(), 2U);
    EXPECT_EQ(walk.back().at("service"), "db");
    return std::string(walk.back().at("reason").as_string());
  };
  EXPECT_EQ(end_of_walk(), "comes first");
  world.apply(engine::Held{"db", 0, 0, "paused", "paused by root until resumed"});
  EXPECT_EQ(end_of_walk(), "comes first; nothing is done to it, gate paused: paused by root until resumed");
  world.apply(engine::DesiredSet{"db", -1, false, std::nullopt, "root"});
  EXPECT_EQ(end_of_walk(), "comes first; it was stopped by root");
  world.apply(engine::MaintenanceBegan{"db", false, at(602'000), "new disk", "root"});
  EXPECT_EQ(end_of_walk(), "comes first; it is in maintenance, for 10m00s more");
}

TEST(LiveViews, WhyOfAHealthyServiceNamesTheFirstRepair) {
  World world;
  const auto why = why_view(View::live(world.engine, {at(2'000), kWall}), "web");
  ASSERT_TRUE(why);
  EXPECT_EQ(why->at("next"), "nothing to do; the first repair of a failure would be: rollback");
}

TEST(Words, SpansAndTimes) {
  using namespace std::chrono_literals;
  EXPECT_EQ(in_words(0ms), "0ms");
  EXPECT_EQ(in_words(-5s), "0ms");
  EXPECT_EQ(in_words(340ms), "340ms");
  EXPECT_EQ(in_words(2150ms), "2.1s");
  EXPECT_EQ(in_words(245s), "4m05s");
  EXPECT_EQ(in_words(3h + 7min), "3h07m");
  EXPECT_EQ(in_words(122h), "5d02h");
  EXPECT_EQ(iso_time(kWall + 123'000'000), "2026-11-22T08:00:00.123Z");
  EXPECT_EQ(parse_iso_time("2026-11-22T08:00:00.123Z"), kWall + 123'000'000);
  EXPECT_FALSE(parse_iso_time("2026-11-22 08:00:00"));
  EXPECT_FALSE((Clock{at(0), kWall}).wall(kNever));
  EXPECT_FALSE((Clock{at(0), kWall}).wall(kLongAgo));
  EXPECT_EQ(parse_id("3-17"), (CommandId{3, 17}));
  for (const char* bad : {"", "3", "3-", "-17", "3-x", "0-1", "3-17 ", "99999999999999999999-1"}) {
    EXPECT_FALSE(parse_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace homeostat::api
