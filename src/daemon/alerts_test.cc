#include "daemon/alerts.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

namespace homeostat::daemon {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::int64_t kMonday = 1'700'000'000'000'000'000;

std::int64_t at(Duration later) { return kMonday + later.count(); }

class AlertsKnown : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(dir_);
    begin();
  }
  void TearDown() override {
    alerts_.reset();
    fs::remove_all(dir_);
  }
  /// As after an end and another beginning.
  void begin() {
    alerts_.reset();
    alerts_ = std::make_unique<Alerts>((dir_ / "alerts.json").string());
    config::Config config;
    config.alerts.emplace().repeat = 1h;
    config.probes.emplace_back(probe::AlertSpec{{{"alertname", "Sad"}}});
    config.probes.emplace_back(probe::AlertSpec{{{"alertname", "Slow"}, {"instance", "10.0.0.{instance}:{port}"}}});
    alerts_->configure(config);
  }
  static api::Alert firing(Duration starts, const std::string& name = "Sad") {
    return {
        .fingerprint = name, .firing = true, .starts_ns = at(starts), .labels = {{"alertname", name}}, .summary = {}};
  }
  static api::Alert resolved(Duration starts, Duration ends) {
    return {.fingerprint = "Sad",
            .starts_ns = at(starts),
            .ends_ns = at(ends),
            .labels = {{"alertname", "Sad"}},
            .summary = {}};
  }
  std::expected<void, Error> take(const std::vector<api::Alert>& alerts, Duration now) {
    std::promise<std::expected<void, Error>> kept;
    alerts_->take(alerts, at(now), [&](const std::expected<void, Error>& result) { kept.set_value(result); });
    return kept.get_future().get();
  }
  Result look(Duration now) const { return alerts_->look({{"alertname", "Sad"}}, at(now)).seen.result; }

  fs::path dir_ = fs::temp_directory_path() / fmt::format("homeostat-alerts-{}", ::getpid());
  std::unique_ptr<Alerts> alerts_;
};

TEST_F(AlertsKnown, WhatIsOverDoesNotBeginAgainByBeingToldAgain) {
  ASSERT_TRUE(take({firing(0s)}, 1s));
  EXPECT_EQ(look(1s), Result::failure);
  ASSERT_TRUE(take({resolved(0s, 1min)}, 1min));
  ASSERT_TRUE(take({firing(0s)}, 2min)) << "the same once more, late";
  EXPECT_EQ(look(2min), Result::success);
  ASSERT_TRUE(take({firing(5s)}, 2min)) << "from another one, who saw it begin later";
  EXPECT_EQ(look(2min), Result::success);
  begin();
  ASSERT_TRUE(take({firing(0s)}, 3min));
  EXPECT_EQ(look(3min), Result::success) << "after a restart, too";

  ASSERT_TRUE(take({firing(2min)}, 4min));
  EXPECT_EQ(look(4min), Result::failure) << "it has begun anew";
  ASSERT_TRUE(take({firing(0s), resolved(0s, 1min)}, 5min));
  EXPECT_EQ(look(5min), Result::failure) << "both are of the one before";
}

TEST_F(AlertsKnown, WhoRepeatsABeginningThatIsOverIsBelievedAfterAWhile) {
  ASSERT_TRUE(take({firing(0s)}, 1s));
  ASSERT_TRUE(take({resolved(0s, 1min)}, 1min));
  ASSERT_TRUE(take({firing(0s)}, 1min + 59min));
  EXPECT_EQ(look(1h), Result::success);
  ASSERT_TRUE(take({firing(0s)}, 1min + 1h));
  EXPECT_EQ(look(1min + 1h), Result::failure);
}

// As it begins again when a Prometheus was not heard of for a while: only one post tells of it, until `repeat`.
TEST_F(AlertsKnown, WhatIsToldToFireAgainIsBelievedWhenNoEndFollows) {
  ASSERT_TRUE(take({firing(0s)}, 1s));
  ASSERT_TRUE(take({resolved(0s, 1min)}, 1min));
  ASSERT_TRUE(take({firing(0s)}, 2min));
  EXPECT_EQ(look(11min), Result::success);
  EXPECT_EQ(alerts_->firing({{"alertname", "Sad"}}, at(11min)), nullptr);
  ASSERT_TRUE(take({firing(0s)}, 11min)) << "once more: it is as old as before";
  begin();
  EXPECT_EQ(look(12min), Result::failure) << "after a restart, too";
  EXPECT_NE(alerts_->firing({{"alertname", "Sad"}}, at(12min)), nullptr);

  ASSERT_TRUE(take({resolved(0s, 13min)}, 13min));
  ASSERT_TRUE(take({firing(0s)}, 14min)) << "from one who tells late";
  ASSERT_TRUE(take({resolved(0s, 13min)}, 19min)) << "he, too, has heard of the end";
  EXPECT_EQ(look(25min), Result::success);
}

TEST_F(AlertsKnown, WhatNobodyRepeatsIsUnknownAndForgottenAfterAWeek) {
  ASSERT_TRUE(take({firing(0s)}, 0s));
  EXPECT_EQ(look(2h), Result::failure);
  EXPECT_EQ(look(2h + 1s), Result::unknown);
  ASSERT_TRUE(take({}, 24h * 7));
  EXPECT_EQ(look(24h * 7), Result::unknown);
  ASSERT_TRUE(take({}, 24h * 7 + 2h + 1s));
  EXPECT_EQ(look(24h * 7 + 2h + 1s), Result::success);
}

TEST_F(AlertsKnown, WhatCannotBeKeptIsRefusedAndWhatNobodyRepeatsMakesRoom) {
  std::vector<api::Alert> many;
  for (int i = 0; i < 9'999; ++i) many.push_back(firing(0s, "Other" + std::to_string(i)));
  ASSERT_TRUE(take(many, 0s));
  ASSERT_TRUE(take({firing(0s)}, 1h));
  const auto full = take({firing(0s, "New")}, 2h);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().text, "10000 alerts fire already: 1 are not kept");
  ASSERT_TRUE(take({firing(0s)}, 2h)) << "a repetition needs no room";
  ASSERT_TRUE(take({firing(0s, "New")}, 2h + 1s)) << "one of the others was not repeated";
  EXPECT_EQ(alerts_->seen().firing, 10'000U);
  EXPECT_EQ(look(2h + 1s), Result::failure) << "not this one";
}

TEST_F(AlertsKnown, WhatNoCheckLooksForIsShown) {
  api::Alert slow = firing(0s, "Slow");
  slow.labels["instance"] = "10.0.0.1:9001";
  ASSERT_TRUE(take({firing(0s), slow}, 0s));
  EXPECT_EQ(alerts_->seen().unmatched, 0U);
  slow.fingerprint = "Slow2";
  slow.labels["instance"] = "10.0.0.1:9001x";
  api::Alert missing = firing(0s, "Missing");
  missing.labels["who"] = "x; touch PWNED";
  ASSERT_TRUE(take({slow}, 1s));
  ASSERT_TRUE(take({missing}, 2s));
  const api::AlertsSeen seen = alerts_->seen();
  EXPECT_EQ(seen.firing, 4U);
  EXPECT_EQ(seen.unmatched, 2U);
  ASSERT_EQ(seen.last.size(), 2U);
  EXPECT_EQ(seen.last[0].name, "Missing") << "the last that was told";
  EXPECT_EQ(seen.last[0].labels.at("who"), "x; touch PWNED");
  begin();
  EXPECT_EQ(alerts_->seen().unmatched, 2U) << "after a restart, too";
  missing.firing = false;
  missing.ends_ns = at(1min);
  ASSERT_TRUE(take({missing}, 1min));
  EXPECT_EQ(alerts_->seen().unmatched, 1U);
  std::vector<api::Alert> many;
  for (int i = 0; i < 30; ++i) many.push_back(firing(0s, "Other" + std::to_string(i)));
  ASSERT_TRUE(take(many, 2min));
  EXPECT_EQ(alerts_->seen().unmatched, 31U);
  EXPECT_EQ(alerts_->seen().last.size(), 10U);
}

}  // namespace
}  // namespace homeostat::daemon
