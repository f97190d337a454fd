#include "runtime/exec_runtime.hpp"

#include "runtime/testing.hpp"

namespace homeostat::runtime {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using End = CommandResult::End;

constexpr Instant kStart{seconds(1000)};

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() : loop_(*os::Loop::open()), commands_(loop_), runtime_(commands_) {}

  CommandResult run(const CommandSpec& spec, const Values& values = {}) {
    std::optional<CommandResult> result;
    commands_.run(spec, values, kStart, [&](CommandResult ended) { result = std::move(ended); });
    EXPECT_TRUE(turn_until([&] { return result.has_value(); }));
    return result.value_or(CommandResult{});
  }
  Outcome perform(const ExecRequest& request) {
    std::optional<Outcome> outcome;
    runtime_.perform(spec_, request, kStart, [&](Outcome ended) { outcome = std::move(ended); });
    EXPECT_TRUE(turn_until([&] { return outcome.has_value(); }));
    return outcome.value_or(Outcome{});
  }
  template <typename Condition>
  bool turn_until(Condition condition) {
    return eventually([&] {
      if (condition()) return true;
      loop_.run_once(milliseconds(1));
      return condition();
    });
  }
  static CommandSpec command(std::vector<std::string> argv) {
    CommandSpec spec;
    spec.argv = std::move(argv);
    return spec;
  }

  os::testing::TempDir dir_;
  os::Loop loop_;
  CommandRunner commands_;
  ExecRuntime runtime_;
  ExecSpec spec_;
};

TEST_F(CommandTest, ValuesReachArgumentsAndEnvironmentAndNoShell) {
  const CommandResult result = run(command({"sh", "-c", "echo \"$1\" \"$HOMEOSTAT_SUMMARY\"", "sh", "to: {summary}"}),
                                   {{"summary", "$(id); 'x'"}});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.output, "to: $(id); 'x' $(id); 'x'\n");
}

TEST_F(CommandTest, TellsHowItEndedInWords) {
  EXPECT_EQ(describe(run(command(shell("exit 0")))), "exit status 0");
  EXPECT_EQ(describe(run(command(shell("echo one; printf 'disk\\033[31m lost\\n\\n' >&2; exit 3")))),
            "exit status 3: disk [31m lost");
  EXPECT_EQ(describe(run(command(shell("kill -9 $$")))), "killed by signal 9");
  EXPECT_EQ(describe(run(command({dir_ / "page"}))), "not started: " + dir_ / "page: no such file");
  EXPECT_LT(describe(run(command(shell("head -c 5000 /dev/zero | tr '\\0' x")))).size(), 300U);
}

TEST_F(CommandTest, ACommandThatHangsIsKilledWhole) {
  CommandSpec spec =
      command(shell("sh -c 'echo $$ > " + (dir_ / "pid") + "; trap \"\" TERM; sleep 1000; true' & wait"));
  spec.timeout = seconds(3);
  std::optional<CommandResult> result;
  ASSERT_NE(commands_.run(spec, {}, kStart, [&](CommandResult ended) { result = std::move(ended); }), 0U);
  const int inner = number_in(dir_ / "pid");
  EXPECT_EQ(commands_.next_deadline(), kStart + seconds(3));
  commands_.advance(kStart + seconds(3));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::timed_out);
  EXPECT_TRUE(eventually([&] { return gone(inner); }));
}

TEST_F(CommandTest, AnOperationIsTheUsersCommand) {
  spec_.start = shell("echo start $HOMEOSTAT_SERVICE $HOMEOSTAT_INSTANCE $HOMEOSTAT_ACTION");
  spec_.rollback = {"sh", "-c", "echo back to $1; exit 4", "sh", "{version}"};
  spec_.scale = {"echo", "{service}", "to", "{count}"};
  const Target one{.service = "web", .slot = 1};
  Outcome outcome = perform({.target = one, .op = engine::Op::start, .command = {2, 9}});
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(outcome.detail, "start: exit status 0: start web 1 2.9");
  outcome = perform({.target = one, .op = engine::Op::rollback, .version = "v1"});
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.detail, "rollback: exit status 4: back to v1");
  const Target whole{.service = "web", .slot = engine::kWhole};
  outcome = perform({.target = whole, .op = engine::Op::scale, .count = 5});
  EXPECT_EQ(outcome.detail, "scale: exit status 0: web to 5");
  EXPECT_EQ(perform({.target = one, .op = engine::Op::rollback, .version = "--all"}).kind, OutcomeKind::not_started);
}

TEST_F(CommandTest, WhatNobodyKnowsDoesNotReachACommandAsItIsWritten) {
  spec_.rollback = {"echo", "back to {version}"};
  spec_.restart = {"echo", "{instance}"};
  const Outcome outcome = perform({.target = {.service = "web", .slot = 1}, .op = engine::Op::rollback});
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.detail, "rollback: not started: nobody knows which {version} is meant");
  const Target whole{.service = "web", .slot = engine::kWhole};
  EXPECT_EQ(perform({.target = whole, .op = engine::Op::restart}).detail,
            "restart: not started: nobody knows which {instance} is meant");
}

TEST_F(CommandTest, WhatCannotBeDoneSaysSo) {
  spec_.start = {"/no/such/starter"};
  const Target one{.service = "web", .slot = 0};
  Outcome outcome = perform({.target = one, .op = engine::Op::stop});
  EXPECT_EQ(outcome.kind, OutcomeKind::not_started);
  EXPECT_EQ(outcome.detail, "web has no command for stop");
  outcome = perform({.target = one, .op = engine::Op::start});
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.detail, "start: not started: /no/such/starter: no such file");
  EXPECT_EQ(perform({.target = one, .op = engine::Op::exec}).kind, OutcomeKind::not_started);
}

TEST_F(CommandTest, AKilledCommandLeavesTheOutcomeOpen) {
  spec_ = {.restart = shell("sleep 1000"), .timeout = seconds(5)};
  std::optional<Outcome> outcome;
  runtime_.perform(spec_, {.target = {.service = "web", .slot = 0}, .op = engine::Op::restart}, kStart,
                   [&](Outcome ended) { outcome = std::move(ended); });
  EXPECT_FALSE(outcome);
  commands_.advance(kStart + seconds(5));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, OutcomeKind::unknown);
}

/// A service that is a file with a number in it: how many run.
class ScaleTest : public CommandTest {
 protected:
  ScaleTest() {
    spec_.scale = {"sh", "-c", "echo $1 > " + file_, "sh", "{count}"};
    spec_.count = {"cat", file_};
    spec_.count_within = seconds(3);
  }
  /// Time goes on by a second whenever nothing else is waited for.
  Outcome scale(std::uint32_t count, bool fewer = false) {
    std::optional<Outcome> outcome;
    Instant now = kStart;
    runtime_.perform(spec_, {.target = whole_, .op = engine::Op::scale, .count = count, .fewer = fewer}, now,
                     [&](Outcome ended) { outcome = std::move(ended); });
    EXPECT_TRUE(turn_until([&] {
      if (const auto next = runtime_.next_deadline()) runtime_.advance(now = std::max(now, *next));
      return outcome.has_value();
    }));
    return outcome.value_or(Outcome{});
  }

  std::string file_ = dir_ / "running";
  const Target whole_{.service = "web", .slot = engine::kWhole};
};

TEST_F(ScaleTest, CountsOnceThereAreSoMany) {
  EXPECT_EQ(scale(3).detail, "scale: exit status 0; 3 run");
  // They come one after the other, a look each.
  spec_.scale = {"true"};
  spec_.count = {"sh", "-c", "n=$(cat " + file_ + "); echo $((n + 1)) > " + file_ + "; echo $n"};
  const Outcome outcome = scale(5);
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(outcome.detail, "scale: exit status 0; 5 run");
}

TEST_F(ScaleTest, AnotherNumberAfterItsTimeHasFailed) {
  write_file(file_, "2\n");
  spec_.scale = {"true"};
  const Outcome outcome = scale(5);
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.detail, "scale: exit status 0; after 3 s 2 run, not 5");
}

TEST_F(ScaleTest, WithoutANumberNobodyKnows) {
  const auto said = [&](const std::string& printed) {
    spec_.count = shell(printed);
    const Outcome outcome = scale(5);
    EXPECT_EQ(outcome.kind, OutcomeKind::unknown) << printed;
    return outcome.detail;
  };
  EXPECT_EQ(said("echo 5; exit 1"), "scale: exit status 0; after 3 s count: exit status 1: 5");
  EXPECT_EQ(said("echo many"), "scale: exit status 0; after 3 s count printed \"many\", not how many run");
  for (const char* hostile : {"", "echo -5", "echo 5 6", "echo 5x", "echo 99999999999999999999", "echo 4294967295",
                              "yes 5 | head -c 100000", "printf '5\\033[2J'", "head -c 9000000 /dev/zero"})
    EXPECT_EQ(said(hostile).find('\033'), std::string::npos);
}

TEST_F(ScaleTest, ACommandThatFailsIsNotAskedForMore) {
  write_file(file_, "5\n");
  spec_.scale = {"false"};
  const Outcome outcome = scale(5);
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.detail, "scale: exit status 1");
}

TEST_F(ScaleTest, WhatWasKilledIsKnownByItsNumber) {
  write_file(file_, "5\n");
  spec_.scale = shell("sleep 1000");
  spec_.timeout = seconds(5);
  std::optional<Outcome> outcome;
  runtime_.perform(spec_, {.target = whole_, .op = engine::Op::scale, .count = 5}, kStart,
                   [&](Outcome ended) { outcome = std::move(ended); });
  commands_.advance(kStart + seconds(5));
  EXPECT_TRUE(turn_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome->kind, OutcomeKind::succeeded);
  EXPECT_EQ(outcome->detail, "scale: timed out and was killed; 5 run");
}

TEST_F(ScaleTest, WhoLeavesIsDrainedBefore) {
  const std::string log = dir_ / "log";
  spec_.drain = {"sh", "-c", "echo drain $1 >> " + log, "sh", "{count}"};
  spec_.scale = {"sh", "-c", "echo scale $1 >> " + log + "; echo $1 > " + file_, "sh", "{count}"};
  scale(5);
  scale(2, true);
  EXPECT_EQ(read_file(log), "scale 5\ndrain 2\nscale 2\n");
  spec_.drain = shell("echo no proxy; exit 1");
  const Outcome outcome = scale(1, true);
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded) << "what cannot be drained holds nothing up";
  EXPECT_EQ(outcome.detail, "drain: exit status 1: no proxy; scale: exit status 0; 1 run");
}

}  // namespace
}  // namespace homeostat::runtime
