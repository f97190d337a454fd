// What a new life of the program finds of the last one's children. The last life is a real process that is killed.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <random>

#include "runtime/testing.hpp"

namespace homeostat::runtime {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

const Target kApi{.service = "api", .slot = 0};

/// Runs `life` in a process of its own, which is killed when it says that it is done.
template <typename Life>
void live_and_be_killed(Life life) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const os::Fd from(ends[0]);
  os::Fd to(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    life();
    [[maybe_unused]] const ssize_t written = ::write(to.get(), "x", 1);
    while (true) ::pause();
  }
  to.reset();
  ASSERT_TRUE(os::testing::wait_readable(from.get()));
  ::kill(pid, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
}

class RecoveryTest : public ::testing::Test {
 protected:
  std::string state() const { return dir_ / "state"; }
  std::string lock() const { return state() + "/run/api.0.lock"; }

  void start_and_be_killed(const std::vector<std::string>& command, ProcessSpec spec = {},
                           const std::string& version = "") {
    live_and_be_killed([&] {
      World world(state());
      world.configure("api", command, spec);
      if (world.start(kApi, version, {.epoch = 7, .counter = 42}).kind != OutcomeKind::succeeded) ::_exit(1);
    });
  }

  os::testing::TempDir dir_;
};

TEST_F(RecoveryTest, TheChildIsFoundAndItsExitSeen) {
  std::filesystem::create_directories(dir_ / "releases/v1.2");
  const std::vector<std::string> command{"sleep", "1000"};
  const ProcessSpec spec{.first_port = 28101, .last_port = 28140, .releases = dir_ / "releases"};
  start_and_be_killed(command, spec, "v1.2");
  World world(state());
  world.configure("api", command, spec);
  const Recovered found = world.runtime->recover(kApi);
  EXPECT_TRUE(os::alive(found.running));
  EXPECT_EQ(found.started_by, (engine::CommandId{.epoch = 7, .counter = 42}));
  EXPECT_EQ(found.version, "v1.2");
  EXPECT_GE(found.port, 28101);
  EXPECT_EQ(found.problem, "");
  const Outcome second = world.start(kApi, "v1.3");
  EXPECT_EQ(second.kind, OutcomeKind::not_started);
  EXPECT_EQ(second.version, "v1.2") << "of what runs, not what was asked for";
  ::kill(static_cast<pid_t>(found.running.id), SIGKILL);
  ASSERT_TRUE(world.turn_until([&] { return !world.exits.empty(); }));
  EXPECT_EQ(world.exits[0].incarnation, found.running);
  EXPECT_FALSE(world.exits[0].status.known);
  // The next run gets the same port.
  const Outcome next = world.start(kApi, "v1.2");
  EXPECT_EQ(next.kind, OutcomeKind::succeeded) << next.detail;
  EXPECT_EQ(next.port, found.port);
  EXPECT_EQ(world.stop(kApi, next.now_running).kind, OutcomeKind::succeeded);
}

TEST_F(RecoveryTest, AnAdoptedChildIsStoppedWhole) {
  start_and_be_killed(shell("trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & while true; do sleep 0.1; done"));
  World world(state());
  world.configure("api", {"sleep", "1000"}, {.stop_grace = milliseconds(20)});
  const int escaped = number_in(state() + "/log/api.0.log");
  const Incarnation running = world.runtime->recover(kApi).running;
  ASSERT_TRUE(os::alive(running));
  EXPECT_EQ(world.stop(kApi, running).kind, OutcomeKind::succeeded);
  EXPECT_FALSE(os::alive(running));
  EXPECT_TRUE(gone(escaped));
}

TEST_F(RecoveryTest, EvenAStartThatNobodyAskedToRecoverFirstDoesNotMakeTwo) {
  start_and_be_killed({"sleep", "1000"});
  World world(state());
  world.configure("api", {"sleep", "1000"});
  const Outcome outcome = world.start(kApi);
  EXPECT_EQ(outcome.kind, OutcomeKind::not_started);
  EXPECT_TRUE(os::alive(outcome.now_running));
  EXPECT_EQ(world.stop(kApi, outcome.now_running).kind, OutcomeKind::succeeded);
}

TEST_F(RecoveryTest, AZombieThatNobodyCollectsIsNotRunning) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  start_and_be_killed({"sleep", "1000"});
  const auto record = os::look_at_lock(lock()).record;
  ASSERT_TRUE(record);
  const auto pid = static_cast<pid_t>(record->holder.id);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return os::stat_of(pid).value_or(os::ProcessStat{}).dead(); }));
  World world(state());
  world.configure("api", {"sleep", "1000"});
  EXPECT_TRUE(world.runtime->recover(kApi).running.none());
  const Outcome next = world.start(kApi);
  EXPECT_EQ(next.kind, OutcomeKind::succeeded) << next.detail;
  world.stop(kApi, next.now_running);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(RecoveryTest, AChildKilledWhileWeWereAwayOrWhileAdopting) {
  start_and_be_killed({"sleep", "1000"});
  const auto record = os::look_at_lock(lock()).record;
  ASSERT_TRUE(record);
  World world(state());
  world.configure("api", {"sleep", "1000"});
  ASSERT_EQ(world.runtime->recover(kApi).running, record->holder);
  // Dead before the loop turns for the first time: the handle tells it all the same.
  ::kill(static_cast<pid_t>(record->holder.id), SIGKILL);
  ASSERT_TRUE(world.turn_until([&] { return !world.exits.empty(); }));
  World third(state());
  third.configure("api", {"sleep", "1000"});
  const Recovered found = third.runtime->recover(kApi);
  EXPECT_TRUE(found.running.none());
  EXPECT_EQ(found.started_by, (engine::CommandId{.epoch = 7, .counter = 42})) << "what was done stays known";
}

TEST_F(RecoveryTest, LeftoversOfADeadRunAreNamedAndEndedByTheNextStart) {
  start_and_be_killed(shell("setsid sh -c 'echo $$; exec sleep 1000' & exec sleep 1000"));
  const int escaped = number_in(state() + "/log/api.0.log");
  const auto pid = static_cast<pid_t>(os::look_at_lock(lock()).record.value().holder.id);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return gone(pid); }));
  World world(state());
  world.configure("api", {"sleep", "1000"});
  const Recovered found = world.runtime->recover(kApi);
  EXPECT_TRUE(found.running.none());
  EXPECT_EQ(found.problem, fmt::format("pid {} is left over from its last run", escaped));
  const Outcome next = world.start(kApi);
  EXPECT_EQ(next.kind, OutcomeKind::succeeded) << next.detail;
  EXPECT_TRUE(gone(escaped));
  world.stop(kApi, next.now_running);
}

TEST_F(RecoveryTest, AReusedNumberIsNotOurs) {
  World world(state());
  world.configure("api", {"sleep", "1000"});
  Incarnation mine = os::incarnation_of(::getpid()).value();
  mine.started -= 1;
  write_file(lock(), fmt::format("{} {} {} command=7.42 port=0 version=\n", mine.id, mine.started, mine.boot));
  const Recovered found = world.runtime->recover(kApi);
  EXPECT_TRUE(found.running.none());
  EXPECT_EQ(found.started_by.counter, 42U);
  const Outcome next = world.start(kApi);  // would have killed us if it took the number for its old run
  EXPECT_EQ(next.kind, OutcomeKind::succeeded) << next.detail;
  world.stop(kApi, next.now_running);
}

TEST_F(RecoveryTest, ATornOrHostileLockFileIsNoRun) {
  World world(state());
  world.configure("api", {"sleep", "1000"});
  for (const std::string text : {"", "12", "1 1 1", "garbage\n", "1 1 1 command=x\n", "0 0 0 \n"}) {
    write_file(lock(), text);
    EXPECT_TRUE(world.runtime->recover(kApi).running.none()) << text;
  }
  write_file(lock(), std::string(100'000, '9'));
  EXPECT_TRUE(world.runtime->recover(kApi).running.none());
  const Outcome next = world.start(kApi);
  EXPECT_EQ(next.kind, OutcomeKind::succeeded) << next.detail;
  EXPECT_EQ(os::look_at_lock(lock()).record.value().holder, next.now_running);
  world.stop(kApi, next.now_running);
}

/// Processes whose command line has `mark` as its last argument.
std::vector<int> marked(const std::string& mark) {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (read_file("/proc/" + pid + "/cmdline").ends_with(mark + '\0')) found.push_back(std::atoi(pid.c_str()));
  }
  return found;
}

// Killed at any moment of a start (before vfork, between vfork and exec, after it): the next life finds the child or
// starts one, and there are never two.
TEST_F(RecoveryTest, KilledDuringAStartThereAreNeverTwo) {
  std::minstd_rand random(20);
  int adopted = 0;
  int started = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string place = dir_ / ("round" + std::to_string(round));
    const std::string mark = place + ".none";
    const std::vector<std::string> command{"tail", "-F", mark};  // waits for a file that never comes
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const os::Fd from(ends[0]);
    const os::Fd to(ends[1]);
    const pid_t last_life = ::fork();
    if (last_life == 0) {
      World world(place);
      world.configure("api", command);
      [[maybe_unused]] const ssize_t written = ::write(to.get(), "x", 1);
      world.start(kApi);
      while (true) ::pause();
    }
    ASSERT_TRUE(os::testing::wait_readable(from.get()));
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 1500);
    while (std::chrono::steady_clock::now() < until) {
    }
    ::kill(last_life, SIGKILL);
    ASSERT_EQ(::waitpid(last_life, nullptr, 0), last_life);
    World world(place);
    world.configure("api", command);
    Incarnation running = world.runtime->recover(kApi).running;
    running.none() ? ++started : ++adopted;
    if (running.none()) running = world.start(kApi).now_running;
    ASSERT_FALSE(running.none()) << "round " << round;
    // A child of the killed life that lost the race for the lock is on its way out; so may be the one that was found,
    // when its life ended after it had written who it is and before it was let go.
    EXPECT_TRUE(world.turn_until([&] {
      if (world.runtime->recover(kApi).running.none()) running = world.start(kApi).now_running;
      return marked(mark) == std::vector<int>{static_cast<int>(running.id)};
    })) << "round "
        << round << ": " << marked(mark).size();
    EXPECT_EQ(world.stop(kApi, running).kind, OutcomeKind::succeeded);
    EXPECT_TRUE(marked(mark).empty());
  }
  fmt::print("killed 40 times during a start: {} found, {} started anew\n", adopted, started);
}

}  // namespace
}  // namespace homeostat::runtime
