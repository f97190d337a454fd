// What the answers to commands say, against an engine with two services.
#include "api/answer.hpp"

#include <gtest/gtest.h>

#include "api/json.hpp"
#include "api/testing.hpp"

namespace homeostat::api {
namespace {

class AnswerTest : public ::testing::Test {
 protected:
  Response post(const std::string& verb, const std::string& body) {
    const auto feed = [&](const engine::Operator& in) {
      engine::Commands out;
      world_.engine.step(in, world_.now, out);
    };
    const Daemon daemon{world_.engine, config_, {world_.now, kWall}, feed, {}};
    Request request;
    request.post = true;
    request.verb = verb;
    request.body = body;
    request.user = "bob";
    return answer(daemon, request);
  }
  std::string note_of(const std::string& body, const std::string& verb = "pause") {
    const Response response = post(verb, body);
    EXPECT_EQ(response.status, 200U) << response.json;
    return std::string(json::parse(response.json).at("note").as_string());
  }

  World world_;
  config::Config config_;
};

TEST_F(AnswerTest, APauseThatEndsBeforeAnotherSaysSo) {
  EXPECT_EQ(note_of(R"({"for":"forever"})"), "");
  EXPECT_EQ(note_of(R"({"for":"10s"})"), "everything is paused already until somebody ends it, by bob");
  EXPECT_EQ(note_of(R"({"service":"web","for":"10s"})"), "web is paused already until somebody ends it, by bob");
  EXPECT_EQ(world_.engine.durable().pauses.at("").until, kNever);
}

TEST_F(AnswerTest, AMaintenanceThatEndsBeforeAnotherSaysSo) {
  EXPECT_EQ(note_of(R"({"service":"web","for":"20s","reason":"new disk"})", "maintenance"), "");
  const std::string note = note_of(R"({"service":"web","for":"10s"})", "maintenance");
  EXPECT_TRUE(note.starts_with("web is in maintenance already until 20")) << note;
  EXPECT_TRUE(note.ends_with(", by bob: new disk")) << note;
  EXPECT_EQ(world_.engine.durable().maintenance.at("web").until, later(world_.now, std::chrono::seconds(20)));
  EXPECT_EQ(note_of(R"({"service":"web","for":"30s"})", "maintenance"), "");
  EXPECT_EQ(world_.engine.durable().maintenance.at("web").until, later(world_.now, std::chrono::seconds(30)));
}

TEST_F(AnswerTest, ALongerPauseReplacesAShorterOne) {
  EXPECT_EQ(note_of(R"({"service":"web","for":"10s"})"), "");
  EXPECT_EQ(note_of(R"({"service":"web","for":"20s"})"), "");
  EXPECT_TRUE(note_of(R"({"service":"web","for":"15s"})").starts_with("web is paused already until 20"));
  EXPECT_EQ(world_.engine.durable().pauses.at("web").until, later(world_.now, std::chrono::seconds(20)));
}

TEST_F(AnswerTest, AnApprovalInVainIsRefused) {
  engine::Intent intent;
  intent.id = {1, 7};
  intent.service = "db";
  intent.mode = engine::Mode::approve;
  world_.apply(intent);
  const Response response = post("approve", R"({"id":"1-7"})");
  EXPECT_EQ(response.status, 409U);
  EXPECT_NE(response.json.find("nothing is to be done any more"), std::string::npos) << response.json;
}

}  // namespace
}  // namespace homeostat::api
