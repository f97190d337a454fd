#include "engine/record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/binary.hpp"
#include "engine/durable.hpp"
#include "engine/input_codec.hpp"
#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"

namespace homeostat::engine {
namespace {

Intent intent() {
  Intent intent;
  intent.id = {3, 9};
  intent.service = "a\"b\\c\n\x01é";
  intent.slot = 2;
  intent.op = Op::restart;
  intent.expected = {UINT64_MAX, 7, 8};
  intent.verify_within = Duration::max();
  return intent;
}

BreakerChanged opened() {
  BreakerChanged changed;
  changed.breaker = "notify:oncall";
  changed.identity = UINT64_MAX;
  changed.from = "closed";
  changed.to = "open";
  changed.failures = 5;
  changed.times_open = 1;
  changed.probe_at = Instant(std::chrono::hours(1));
  return changed;
}

TEST(Record, EveryTypeComesBackAsItWas) {
  const std::vector<Body> bodies{EpochBegan{1, "x"},
                                 ConfigLoaded{2, {"a", "b"}},
                                 intent(),
                                 Paused{"", kNever, "me"},
                                 LadderMoved{"s", -1, {}},
                                 DesiredSet{"s", 1, false, "v", "me"},
                                 LockChanged{"s", 0, true, "why"},
                                 opened()};
  for (const Body& body : bodies) {
    const auto back = decode(type_of(body), encode(body));
    ASSERT_TRUE(back) << type_of(body);
    EXPECT_EQ(encode(*back), encode(body));
    EXPECT_EQ(back->index(), body.index());
  }
}

TEST(Record, UnknownTypesAndWrongTextsAreRefused) {
  const std::string good = encode(Resumed{"s", "me"});
  EXPECT_TRUE(decode("resumed", good));
  EXPECT_FALSE(decode("surprise", good));
  for (std::size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(decode("resumed", good.substr(0, cut)));
  EXPECT_FALSE(decode("resumed", good + "x"));
  EXPECT_FALSE(decode("resumed", R"({"service":1,"by":"me"})"));
  EXPECT_FALSE(decode("epoch", R"({"epoch":1x,"build":""})"));
  EXPECT_FALSE(decode("epoch", R"({"epoch":-1,"build":""})"));
  EXPECT_FALSE(decode("lock", R"({"service":"s","slot":4294967296,"locked":true,"reason":""})"));
  EXPECT_FALSE(decode("release", R"({"service":"s","version":"v","mark":"odd"})"));
}

TEST(Record, NoTextBreaksTheReader) {
  const bool held = rc::check([](const std::string& text) {
    for (const std::string_view type : known_types()) (void)decode(type, text);
    Durable durable;
    (void)Durable::unfold(text, durable);
    (void)decode_input(text);
  });
  EXPECT_TRUE(held);
  EXPECT_FALSE(decode("epoch", std::string(100000, '[')));
}

TEST(Input, ComesBackAsItWas) {
  Operator in;
  in.verb = Verb::deploy;
  in.service = "web";
  in.slot = -1;
  in.version = "v2";
  in.length = Duration::max();
  const std::vector<Input> inputs{Tick{}, Observed{1, 2, {Result::timeout, Reason::timed_out, -3, Duration(5)}},
                                  ActionDone{{1, 2}, OutcomeKind::unknown, {1, 2, 3}, 80, "why", "v3"}, in,
                                  JournalFolded{}};
  for (const Input& input : inputs) {
    const std::string bytes = encode_input(input, Instant(Duration(-42)));
    const auto back = decode_input(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(encode_input(back->input, back->at), bytes);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode_input(bytes.substr(0, cut)));
    EXPECT_FALSE(decode_input(bytes + "x"));
  }
}

TEST(Input, AnOutcomeThatDoesNotExistIsRefused) {
  std::string bytes = encode_input(ActionDone{{1, 2}, OutcomeKind::unknown, {}, 0, "", ""}, Instant{});
  ASSERT_EQ(bytes[4], 6) << "the outcome, as a zig-zag number";
  bytes[4] = 60;
  EXPECT_FALSE(decode_input(bytes));
}

TEST(Durable, AFoldIsReadBackAsItWas) {
  Durable durable;
  std::uint64_t seq = 0;
  for (const Body& body :
       std::vector<Body>{EpochBegan{1, "x"}, ConfigLoaded{1, {"a"}}, intent(), Paused{"a", kNever, ""},
                         DesiredSet{"a", 1, false, std::nullopt, ""}, opened()}) {
    durable.apply(Record{++seq, Instant(Duration(7)), 1, body});
  }
  Durable back;
  ASSERT_TRUE(Durable::unfold(durable.fold(), back));
  EXPECT_EQ(back.fold(), durable.fold());
  EXPECT_EQ(back.breakers.at("notify:oncall").probe_at, opened().probe_at);
}

TEST(Durable, AFoldThatIsOlderThanAFieldIsReadAllTheSame) {
  Durable durable;
  durable.apply(Record{1, Instant(Duration(7)), 1, DesiredSet{"a", 1, false, std::nullopt, ""}});
  std::string text = durable.fold();
  for (const std::string member : {R"(,"breakers":[])", R"(,"stopped_by":"")", R"(,"spare":[],"scaling":null)"}) {
    const std::size_t at = text.find(member);
    ASSERT_NE(at, std::string::npos) << member << " in " << text;
    text.erase(at, member.size());
  }
  Durable back;
  ASSERT_TRUE(Durable::unfold(text, back));
  EXPECT_EQ(back.fold(), durable.fold());
}

TEST(Durable, AChangeIsKeptWithWhatItWas) {
  Durable durable;
  durable.apply(Record{1, Instant(Duration(7)), 1, ChangeNoted{"a", "v2", "ops"}});
  Durable back;
  ASSERT_TRUE(Durable::unfold(durable.fold(), back));
  EXPECT_EQ(back.services.at("a").changed.at(-1).what, "was changed to v2 (by ops)");
  std::string older = durable.fold();
  const std::size_t at = older.find(R"("changes":[)");
  ASSERT_NE(at, std::string::npos) << older;
  older.replace(at, older.find(']', older.find("]]", at)) + 2 - at, R"("changed":[[-1,7]])");
  EXPECT_TRUE(Durable::unfold(older, back)) << "as it was written before: " << older;
}

TEST(Durable, AnOpenBreakerIsRememberedUntilItCloses) {
  Durable durable;
  std::uint64_t seq = 0;
  BreakerChanged changed = opened();
  durable.apply(Record{++seq, Instant(Duration(7)), 1, changed});
  changed.to = "half_open";
  durable.apply(Record{++seq, Instant(Duration(8)), 1, changed});
  EXPECT_EQ(durable.breakers.at("notify:oncall").opened_at, Instant(Duration(7))) << "its probe is owed";
  changed.to = "open";
  changed.failures = 1;
  durable.apply(Record{++seq, Instant(Duration(9)), 1, changed});
  EXPECT_EQ(durable.breakers.at("notify:oncall").failures, 6U);
  changed.to = "closed";
  durable.apply(Record{++seq, Instant(Duration(10)), 1, changed});
  EXPECT_TRUE(durable.breakers.empty());
}

TEST(Durable, AnotherReleaseIsNoStart) {
  Durable durable;
  std::uint64_t seq = 0;
  durable.apply(Record{++seq, {}, 1, DesiredSet{"a", -1, false, std::nullopt, "me"}});
  durable.apply(Record{++seq, {}, 1, DesiredSet{"a", -1, true, "v2", "me"}});
  EXPECT_TRUE(durable.services.at("a").stopped);
  EXPECT_EQ(durable.services.at("a").stopped_by, "me");
  EXPECT_EQ(durable.services.at("a").version, "v2");
}

TEST(Durable, CallsThatNobodyAcknowledgesStayBounded) {
  Durable durable;
  for (std::uint64_t i = 1; i <= 3 * kEscalations; ++i) {
    durable.apply(Record{2 * i, {}, 1, Escalated{{1, i}, 0, "", "oncall", "help"}});
    durable.apply(Record{2 * i + 1, {}, 1, Notified{{1, i}, 1, true, ""}});
  }
  EXPECT_LE(durable.escalations.size(), kEscalations);
}

}  // namespace
}  // namespace homeostat::engine
