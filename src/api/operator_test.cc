// What operators ask for, against an engine with three services.
#include "api/operator.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/json.hpp"
#include "api/testing.hpp"

namespace homeostat::api {
namespace {

class OperatorTest : public ::testing::Test {
 protected:
  engine::Engine& engine() { return world_.engine; }

  std::expected<engine::Operator, Response> ask(const std::string& verb, const std::string& body,
                                                const std::string& service = {}) {
    Request request;
    request.post = true;
    request.verb = verb;
    request.service = service;
    request.body = body;
    request.user = "alice";
    return parse_operator(request, world_.engine);
  }
  void expect_refused(unsigned status, std::string_view text, const std::string& verb, const std::string& body) {
    const auto wanted = ask(verb, body);
    ASSERT_FALSE(wanted) << verb << " " << body;
    EXPECT_EQ(wanted.error().status, status) << wanted.error().json;
    EXPECT_NE(wanted.error().json.find(text), std::string::npos) << wanted.error().json;
  }

  World world_;
};

TEST_F(OperatorTest, ReadsARemediation) {
  const auto whole = ask("remediate", R"({"service":"web"})");
  ASSERT_TRUE(whole) << whole.error().json;
  EXPECT_EQ(whole->verb, engine::Verb::remediate);
  EXPECT_EQ(whole->by, "alice");
  EXPECT_TRUE(ask("remediate", R"({"service":"web","slot":1,"issue":"slow"})"));
  expect_refused(404, "did you mean `slow`?", "remediate", R"({"service":"web","issue":"slwo"})");
  expect_refused(404, "web has no issue `other`; it has slow", "remediate", R"({"service":"web","issue":"other"})");
  expect_refused(404, "see `issues` in its configuration", "remediate", R"({"service":"db","issue":"slow"})");
  world_.apply(engine::DesiredSet{"web", 1, false, std::nullopt, "bob"});
  expect_refused(409, "web/1 is stopped", "remediate", R"({"service":"web","slot":1})");
}

TEST_F(OperatorTest, ReadsEveryVerb) {
  const auto deploy = ask("deploy", R"({"service":"web","version":"v2","force":true})");
  ASSERT_TRUE(deploy) << deploy.error().json;
  EXPECT_EQ(deploy->verb, engine::Verb::deploy);
  EXPECT_EQ(deploy->service, "web");
  EXPECT_EQ(deploy->version, "v2");
  EXPECT_TRUE(deploy->force);
  EXPECT_EQ(deploy->by, "alice");
  const auto stop = ask("stop", R"({"service":"web","slot":1})");
  ASSERT_TRUE(stop) << stop.error().json;
  EXPECT_EQ(stop->slot, 1);
  const auto pause = ask("pause", R"({"for":"1h30m"})");
  ASSERT_TRUE(pause) << pause.error().json;
  EXPECT_EQ(pause->length, std::chrono::minutes(90));
  EXPECT_EQ(pause->service, "");
  const auto forever = ask("pause", R"({"service":"db","for":"forever"})");
  ASSERT_TRUE(forever);
  EXPECT_EQ(forever->length, Duration{});
  EXPECT_TRUE(ask("check", "", "web"));
  EXPECT_TRUE(ask("resume", "{}"));
  EXPECT_TRUE(ask("restart", R"({"service":"web"})"));
}

TEST_F(OperatorTest, NamesTheNearestService) {
  expect_refused(404, "did you mean `web`?", "stop", R"({"service":"wbe"})");
  expect_refused(404, "numbered from 0", "stop", R"({"service":"web","slot":2})");
}

TEST_F(OperatorTest, RefusesWhatIsNotWellFormed) {
  expect_refused(400, "not JSON", "stop", "{");
  expect_refused(400, "object", "stop", "[]");
  expect_refused(400, "did you mean `service`?", "stop", R"({"servise":"web"})");
  expect_refused(400, "`service` is missing", "stop", "{}");
  expect_refused(400, "must be a string", "stop", R"({"service":7})");
  expect_refused(400, "`slot`", "stop", R"({"service":"web","slot":-1})");
  expect_refused(400, "true or false", "deploy", R"({"service":"web","version":"v2","force":"yes"})");
  for (const std::string version : {"", "..", "../etc", "a/b", "v 2", "\\u0000"}) {
    expect_refused(400, "`version`", "deploy", R"({"service":"web","version":")" + version + "\"}");
  }
}

TEST_F(OperatorTest, APauseSaysHowLong) {
  expect_refused(400, "`for` is missing", "pause", "{}");
  expect_refused(400, "no time span", "pause", R"({"for":"0s"})");
  expect_refused(400, "no time span", "pause", R"({"for":"soon"})");
  expect_refused(404, "no service", "pause", R"({"service":"nope","for":"1m"})");
}

TEST_F(OperatorTest, MaintenanceSaysHowLongAndEndsWhatIsUnderWay) {
  expect_refused(400, "`for` is missing", "maintenance", R"({"service":"web"})");
  expect_refused(404, "no service", "maintenance", R"({"service":"nope","for":"1m"})");
  expect_refused(400, "at most 200 bytes", "maintenance", R"({"for":"1m","reason":")" + std::string(201, 'x') + "\"}");
  const auto begin = ask("maintenance", R"({"service":"web","for":"1m","reason":"new disk"})");
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->verb, engine::Verb::maintenance_begin);
  EXPECT_EQ(begin->reason, "new disk");
  expect_refused(409, "not in maintenance", "maintenance", R"({"service":"web","end":true})");
  world_.apply(engine::MaintenanceBegan{"web", true, kNever, "", "the configuration"});
  const auto end = ask("maintenance", R"({"service":"web","end":true})");
  ASSERT_TRUE(end);
  EXPECT_EQ(end->verb, engine::Verb::maintenance_end);
  world_.apply(engine::MaintenanceEnded{"web", true, true, "ann"});
  expect_refused(409, "not in maintenance", "maintenance", R"({"service":"web","end":true})");
  expect_refused(409, "everything is not in maintenance", "maintenance", R"({"end":true})");
}

TEST_F(OperatorTest, AQuarantinedReleaseNeedsForce) {
  world_.apply(engine::VersionMarked{"web", "v2", engine::Mark::quarantined});
  expect_refused(409, "quarantined", "deploy", R"({"service":"web","version":"v2"})");
  EXPECT_TRUE(ask("deploy", R"({"service":"web","version":"v2","force":true})"));
  expect_refused(409, "no releases", "deploy", R"({"service":"db","version":"v2"})");
}

TEST_F(OperatorTest, AutomaticRollbacksAreNotDisturbed) {
  engine::OperationMoved operation;
  operation.id = {1, 5};
  operation.service = "web";
  operation.kind = engine::OperationKind::rollback;
  operation.incident = 1;
  operation.repair = true;
  world_.apply(operation);
  expect_refused(409, "under way", "deploy", R"({"service":"web","version":"v2"})");
  expect_refused(409, "under way", "restart", R"({"service":"web"})");
}

TEST_F(OperatorTest, IdsMustNameSomethingThatWaits) {
  expect_refused(400, "like 3-17", "ack", R"({"id":"x"})");
  expect_refused(404, "no open escalation", "ack", R"({"id":"1-2"})");
  expect_refused(404, "waits for approval", "approve", R"({"id":"1-2"})");
  world_.apply(engine::Escalated{{1, 2}, 0, "", "page", "help"});
  EXPECT_TRUE(ask("ack", R"({"id":"1-2"})"));
  world_.apply(engine::Acknowledged{{1, 2}, "bob"});
  expect_refused(409, "acknowledged by bob", "ack", R"({"id":"1-2"})");
  engine::Intent intent;
  intent.id = {1, 3};
  intent.service = "web";
  intent.slot = 0;
  world_.apply(intent);
  expect_refused(409, "needs no approval", "approve", R"({"id":"1-3"})");
  intent.id = {1, 4};
  intent.mode = engine::Mode::approve;
  world_.apply(intent);
  EXPECT_TRUE(ask("approve", R"({"id":"1-4"})"));
  expect_refused(404, "waits for approval", "approve", R"({"id":"1-5"})");
}

TEST_F(OperatorTest, OnlyWhatIsLockedIsUnlocked) {
  expect_refused(409, "not locked", "unlock", R"({"service":"web","slot":0})");
  world_.apply(engine::LockChanged{"web", 0, true, "nobody can tell"});
  EXPECT_TRUE(ask("unlock", R"({"service":"web","slot":0})"));
  EXPECT_TRUE(ask("unlock", R"({"service":"web"})"));
  expect_refused(409, "not locked", "unlock", R"({"service":"web","slot":1})");
}

TEST(Reload, HasTwoFlags) {
  Request request;
  request.verb = "reload";
  request.body = R"({"roll":true})";
  const auto asked = parse_reload(request);
  ASSERT_TRUE(asked);
  EXPECT_TRUE(asked->roll);
  EXPECT_FALSE(asked->accept_shrink);
  request.body = R"({"rol":true})";
  EXPECT_FALSE(parse_reload(request));
}

}  // namespace
}  // namespace homeostat::api
