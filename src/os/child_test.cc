#include "os/child.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "os/cgroup.hpp"
#include "os/incarnation.hpp"
#include "os/lock_file.hpp"
#include "os/testing.hpp"

namespace homeostat::os {
namespace {

using testing::eventually;
using testing::read_file;
using testing::TempDir;
using testing::wait_readable;
using testing::write_file;

ChildSpec shell(const std::string& script) {
  ChildSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  return spec;
}

ExitStatus wait_for(const Child& child) {
  EXPECT_TRUE(wait_readable(child.pidfd.get()));
  return reap(child);
}

std::string error_of(const ChildSpec& spec) {
  auto child = spawn(spec);
  if (!child) return child.error().text;
  signal_group(child->pid, SIGKILL);
  wait_for(*child);
  return "started";
}

TEST(Spawn, TellsTheExitStatus) {
  auto child = spawn(shell("exit 7"));
  ASSERT_TRUE(child) << child.error().text;
  const ExitStatus status = wait_for(*child);
  EXPECT_TRUE(status.known);
  EXPECT_FALSE(status.signalled);
  EXPECT_EQ(status.code, 7);
  child = spawn(shell("kill -9 $$"));
  ASSERT_TRUE(child);
  const ExitStatus killed = wait_for(*child);
  EXPECT_TRUE(killed.signalled);
  EXPECT_EQ(killed.code, SIGKILL);
}

TEST(Spawn, SaysWhatCannotBeExecuted) {
  TempDir dir;
  ChildSpec spec;
  EXPECT_EQ(error_of(spec), "the command is empty");
  spec.argv = {dir / "serve"};
  EXPECT_EQ(error_of(spec), dir / "serve: no such file");
  spec.argv = {"no-such-program-at-all"};
  EXPECT_EQ(error_of(spec), "no-such-program-at-all: no such program in PATH");
  write_file(dir / "plain", "#!/bin/sh\n", 0644);
  spec.argv = {dir / "plain"};
  EXPECT_EQ(error_of(spec), dir / "plain: not executable (permission denied)");
  write_file(dir / "orphan", "#!/no/such/interpreter\n", 0755);
  spec.argv = {dir / "orphan"};
  EXPECT_EQ(error_of(spec), dir / "orphan: the file exists, but its interpreter (first line) or loader does not");
  write_file(dir / "text", "hello\n", 0755);
  spec.argv = {dir / "text"};
  EXPECT_EQ(error_of(spec), dir / "text: not a program (no #! line?)");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a failed start left a child";
}

TEST(Spawn, SaysWhichSettingIsWrong) {
  ChildSpec spec = shell("exit 0");
  spec.user = "nobody2";
  EXPECT_EQ(error_of(spec), "user nobody2 does not exist");
  spec = shell("exit 0");
  spec.cwd = "/no/such/place";
  EXPECT_EQ(error_of(spec), "cannot change to directory /no/such/place: No such file or directory");
  spec = shell("exit 0");
  spec.cgroup = "/no/such/cgroup";
  EXPECT_EQ(error_of(spec), "cannot join cgroup /no/such/cgroup: No such file or directory");
}

TEST(Spawn, GivesUserLimitsDirectoryAndEnvironment) {
  TempDir dir;
  const Fd out(::open((dir / "out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  ::setenv("HOMEOSTAT_TEST_INHERITED", "yes", 1);
  ChildSpec spec = shell("id -un; id -G; ulimit -n; pwd; echo $A $HOMEOSTAT_TEST_INHERITED; echo problem >&2");
  spec.stdout_fd = out.get();
  spec.user = "nobody";
  spec.cwd = "/usr";
  spec.env = {{"A", "first"}};
  spec.limits = {{RLIMIT_NOFILE, {.rlim_cur = 77, .rlim_max = 77}}};
  auto child = spawn(spec);
  ASSERT_TRUE(child) << child.error().text;
  EXPECT_EQ(wait_for(*child).code, 0);
  EXPECT_EQ(read_file(dir / "out"), "nobody\n65534\n77\n/usr\nfirst yes\nproblem\n");
  spec.clean_env = true;
  auto clean = spawn(spec);
  ASSERT_TRUE(clean);
  wait_for(*clean);
  EXPECT_NE(read_file(dir / "out").find("/usr\nfirst\n"), std::string::npos);
}

TEST(Spawn, TheChildLeadsItsOwnGroupAndInheritsNothing) {
  TempDir dir;
  const Fd out(::open((dir / "out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const Fd leaky(::open("/dev/null", O_RDONLY));  // as a library without O_CLOEXEC would leave it
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ChildSpec spec = shell("ls /proc/$$/fd; grep -E 'SigBlk|SigIgn' /proc/self/status; sleep 1000");
  spec.stdout_fd = out.get();
  auto child = spawn(spec);
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  ASSERT_TRUE(child) << child.error().text;
  EXPECT_EQ(::getpgid(child->pid), child->pid);
  EXPECT_EQ(::getsid(child->pid), child->pid);
  EXPECT_TRUE(eventually([&] { return read_file(dir / "out").find("SigIgn") != std::string::npos; }));
  EXPECT_EQ(read_file(dir / "out"), "0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  signal_group(child->pid, SIGTERM);
  EXPECT_EQ(wait_for(*child).code, SIGTERM);
}

TEST(Spawn, TheLockNamesTheHolderAndKeepsASecondChildAway) {
  TempDir dir;
  ChildSpec spec = shell("sleep 1000 & exit 0");
  spec.lock_file = dir / "lock";
  spec.lock_tag = "1.7 port=9001";
  auto child = spawn(spec);
  ASSERT_TRUE(child) << child.error().text;
  wait_for(*child);
  // The first process has gone, the one it left behind holds the lock.
  const LockState state = look_at_lock(spec.lock_file);
  EXPECT_TRUE(state.held);
  ASSERT_TRUE(state.record);
  EXPECT_EQ(state.record->holder, child->incarnation);
  EXPECT_EQ(state.record->tag, "1.7 port=9001");
  EXPECT_EQ(error_of(spec), spec.lock_file + " is locked: a process of an earlier run still lives");
  EXPECT_EQ(look_at_lock(spec.lock_file).record->holder, child->incarnation) << "the loser wrote into the file";
  const Fd reader(::open(spec.lock_file.c_str(), O_RDONLY | O_CLOEXEC));
  const auto holders = lock_holders(spec.lock_file);
  ASSERT_EQ(holders.size(), 1U);
  EXPECT_NE(holders[0].pid, child->pid);
  EXPECT_EQ(holders[0].taker, child->pid);
  signal_group(child->pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !look_at_lock(spec.lock_file).held; }));
}

TEST(Spawn, AnotherUsersProgramCannotForgeTheLock) {
  TempDir dir;
  ChildSpec spec = shell("for fd in /proc/$$/fd/*; do [ $(readlink $fd) = " + (dir / "lock") +
                         " ] && echo forged > $fd; done; sleep 1000");
  const Fd out(::open((dir / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ::chmod(dir.path().c_str(), 0755);
  spec.stdout_fd = out.get();
  spec.user = "nobody";
  spec.lock_file = dir / "lock";
  auto child = spawn(spec);
  ASSERT_TRUE(child) << child.error().text;
  EXPECT_TRUE(eventually([&] { return read_file(dir / "out").find("ermission denied") != std::string::npos; }))
      << read_file(dir / "out");
  EXPECT_EQ(look_at_lock(spec.lock_file).record->holder, child->incarnation);
  signal_group(child->pid, SIGKILL);
  wait_for(*child);
}

TEST(LockFile, ATornRecordIsNoRecord) {
  EXPECT_FALSE(parse_record(""));
  EXPECT_FALSE(parse_record("12 34 56"));
  EXPECT_FALSE(parse_record("12 34 56 tag"));
  EXPECT_FALSE(parse_record("12 34 x6 tag\n"));
  EXPECT_FALSE(parse_record("12 34 56 tag\nrest"));
  EXPECT_FALSE(parse_record("-12 34 56 tag\n"));
  EXPECT_FALSE(parse_record("99999999999999999999999 34 56 tag\n"));
  const auto whole = parse_record("12 34 56 a tag\n");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->holder, (Incarnation{.id = 12, .started = 34, .boot = 56}));
  EXPECT_EQ(whole->tag, "a tag");
}

TEST(LockFile, WhatIsWrittenIsRead) {
  std::array<char, kLockFileBytes> room{};
  constexpr Incarnation kLargest{.id = ~0ULL, .started = ~0ULL, .boot = ~0ULL};
  const std::size_t length = write_record(room, kLargest, std::string(2000, 't'));
  EXPECT_EQ(length, kLockFileBytes);
  const auto read = parse_record(std::string_view(room.data(), length));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->holder, kLargest);
}

TEST(Adopt, OnlyTheVeryIncarnation) {
  auto child = spawn(shell("exec sleep 1000"));
  ASSERT_TRUE(child);
  const Incarnation real = child->incarnation;
  EXPECT_TRUE(adopt(real));
  EXPECT_FALSE(adopt({.id = real.id, .started = real.started + 1, .boot = real.boot})) << "a reused pid";
  EXPECT_FALSE(adopt({.id = real.id, .started = real.started, .boot = real.boot + 1})) << "another boot";
  EXPECT_FALSE(adopt({}));
  EXPECT_FALSE(adopt({.id = ~0ULL, .started = 1, .boot = real.boot}));
  signal_group(child->pid, SIGKILL);
  ASSERT_TRUE(wait_readable(child->pidfd.get()));
  EXPECT_FALSE(adopt(real)) << "a zombie";
  reap(*child);
  EXPECT_FALSE(adopt(real)) << "gone";
}

TEST(Adopt, TheExitOfAnothersChildIsSeenButNotKnown) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t between = ::fork();
  if (between == 0) {
    auto child = spawn(shell("exec sleep 1000"));
    const ssize_t written = child ? ::write(to.get(), &child->incarnation, sizeof child->incarnation) : 0;
    ::_exit(written > 0 ? 0 : 1);
  }
  to.reset();
  Incarnation known;
  ASSERT_EQ(::read(from.get(), &known, sizeof known), static_cast<ssize_t>(sizeof known));
  ASSERT_EQ(::waitpid(between, nullptr, 0), between);
  auto adopted = adopt(known);
  ASSERT_TRUE(adopted);
  signal_group(adopted->pid, SIGKILL);
  EXPECT_FALSE(wait_for(*adopted).known);
}

/// The process that has `parent` as its parent; 0: none yet.
pid_t child_of(pid_t parent) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && stat_of(pid).value_or(ProcessStat{}).parent == parent) return pid;
  }
  return 0;
}

// Held up before it has the lock, nobody could know of it; it would start late, beside what its parent's next life
// started meanwhile.
TEST(Spawn, AChildThatIsBeingStartedEndsWithItsParent) {
  TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "cgroup.procs").c_str(), 0600), 0);  // opening it waits for a reader that never comes
  const pid_t parent = ::fork();
  if (parent == 0) {
    ChildSpec spec = shell("exec sleep 1000");
    spec.cgroup = dir.path();
    spec.lock_file = dir / "lock";
    static_cast<void>(spawn(spec));
    ::_exit(1);
  }
  pid_t child = 0;
  ASSERT_TRUE(eventually([&] { return (child = child_of(parent)) != 0; }));
  // It sleeps in that open as soon as it stands still.
  ASSERT_TRUE(eventually([&] { return stat_of(child).value_or(ProcessStat{}).state == 'S'; }));
  ::kill(parent, SIGKILL);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(eventually([&] { return !incarnation_of(child); }));
  ::kill(child, SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(dir / "lock"));
}

TEST(Cgroup, KillsWhatLeftTheSession) {
  const auto cgroups = Cgroups::open("homeostat-test." + std::to_string(::getpid()));
  if (!cgroups) GTEST_SKIP() << "needs a writable cgroup v2";
  TempDir dir;
  ChildSpec spec = shell("setsid sh -c 'echo $$ > " + (dir / "pid") + "; exec sleep 1000' & exec sleep 1000");
  spec.cgroup = cgroups->make("one");
  ASSERT_FALSE(spec.cgroup.empty());
  auto child = spawn(spec);
  ASSERT_TRUE(child) << child.error().text;
  ASSERT_TRUE(eventually([&] { return read_file(dir / "pid").ends_with('\n'); }));
  const int escaped = std::stoi(read_file(dir / "pid"));
  EXPECT_FALSE(remove_cgroup(spec.cgroup));
  kill_cgroup(spec.cgroup);
  wait_for(*child);
  EXPECT_TRUE(eventually([&] { return !incarnation_of(escaped); }));
  EXPECT_TRUE(eventually([&] { return remove_cgroup(spec.cgroup); }));
  kill_cgroup(spec.cgroup);  // harmless
  EXPECT_TRUE(remove_cgroup(cgroups->path("")));
}

}  // namespace
}  // namespace homeostat::os
