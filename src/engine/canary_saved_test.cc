// The canary judge in the engine's forms: saved and loaded at any time, it goes on as if nothing had happened.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "engine/binary.hpp"
#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"
#include "homeostat/canary.hpp"

namespace homeostat::engine {
namespace {

using namespace std::chrono_literals;
using canary::Arm;
using canary::Judge;
using canary::Judgement;
using canary::Kind;
using canary::Metric;
using canary::Worse;

std::vector<Metric> metrics() {
  return {{.name = "latency"},
          {.name = "quality", .kind = Kind::value, .worse = Worse::lower, .critical = false},
          {.name = "errors", .kind = Kind::errors},
          {.name = "jobs", .kind = Kind::events, .worse = Worse::either}};
}

std::function<void(Judge&)> any_feed(Instant now) {
  const Arm arm = *rc::gen::element(Arm::canary, Arm::baseline);
  const auto metric = *rc::gen::inRange<std::size_t>(0, 4);
  const double value = *rc::gen::inRange(1, 1000) / 7.0;
  const int events = *rc::gen::inRange(0, 10);
  if (*rc::gen::inRange(0, 500) == 0) return [=](Judge& judge) { judge.broken(metric); };
  if (metric < 2) return [=](Judge& judge) { judge.sample(metric, arm, value, now); };
  return [=](Judge& judge) { judge.count(metric, arm, events, 10 + value, now); };
}

bool same(const Judgement& a, const Judgement& b) {
  const auto alike = [](const canary::MetricReport& x, const canary::MetricReport& y) {
    return x.verdict == y.verdict && x.change == y.change && x.lower == y.lower && x.upper == y.upper && x.why == y.why;
  };
  return a.verdict == b.verdict && a.why == b.why && std::ranges::equal(a.metrics, b.metrics, alike);
}

RC_GTEST_PROP(CanarySaved, NoVerdictChangesByIt, ()) {
  const Judge begun = *Judge::make({}, metrics());
  std::array<Judge, 3> judges{begun, begun, begun};
  Instant now(1h);
  const int steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    now += *rc::gen::element<Duration>(0s, 1s, 7s, 61s);
    const auto fed = any_feed(now);
    for (Judge& judge : judges) fed(judge);
    Judge binary;
    RC_ASSERT(BinaryReader::read(BinaryWriter::write(judges[1]), binary) && binary.intact());
    judges[1] = binary;
    Judge json;
    RC_ASSERT(JsonReader::read(JsonWriter::write(judges[2]), json) && json.intact());
    judges[2] = json;
  }
  RC_ASSERT(same(judges[0].judge(now), judges[1].judge(now)));
  RC_ASSERT(same(judges[0].judge(now), judges[2].judge(now)));
}

TEST(CanarySaved, SomethingElseIsNoJudge) {
  EXPECT_FALSE(Judge().intact());
  Judge judge = *Judge::make({}, metrics());
  std::string text = JsonWriter::write(judge);
  const auto kind = text.find("\"kind\":\"latency\"");
  text.replace(kind, 16, "\"kind\":\"errors\"");
  Judge loaded;
  ASSERT_TRUE(JsonReader::read(text, loaded));
  EXPECT_FALSE(loaded.intact());
}

}  // namespace
}  // namespace homeostat::engine
