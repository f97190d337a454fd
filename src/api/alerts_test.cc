// What Alertmanagers post.
#include "api/alerts.hpp"

#include <gtest/gtest.h>

namespace homeostat::api {
namespace {

std::string post(const std::string& labels) {
  return R"({"version":"4","alerts":[{"status":"firing","fingerprint":"c0ffee","startsAt":"2026-01-02T03:04:05Z",)"
         R"("labels":{)" +
         labels + "}}]}";
}

TEST(Alerts, ALabelOfAnotherNameIsIgnored) {
  const auto alerts = parse_alerts(post(R"("alertname":"Sad","k8s.pod":"a","größe":"b","1st":"c","":"d","_x":"e")"));
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1U);
  EXPECT_EQ(alerts->front().labels, (decltype(Alert::labels){{"alertname", "Sad"}, {"_x", "e"}}));
  EXPECT_TRUE(parse_alerts(post('"' + std::string(300, 'x') + R"(":"a")"))) << "a name that is too long";
}

TEST(Alerts, ALabelIsAText) {
  EXPECT_FALSE(parse_alerts(post(R"("alertname":1)")));
  EXPECT_FALSE(parse_alerts(post(R"("alertname":")" + std::string(3000, 'x') + '"')));
}

}  // namespace
}  // namespace homeostat::api
