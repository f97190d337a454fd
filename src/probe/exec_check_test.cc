// Exec, file and process checks, with programs and files that are really there.
#include "probe/exec_check.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "probe/file_check.hpp"
#include "probe/test_kit.hpp"

namespace homeostat::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Folder {
 public:
  Folder() { path_ = ::mkdtemp(name_); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  char name_[32] = "/tmp/homeostat-probe-XXXXXX";
  std::string path_;
};

ExecSpec shell(std::string script) {
  return {.argv = {"/bin/sh", "-c", std::move(script)}, .env = {}, .cwd = {}, .user = {}};
}

TEST(Exec, ExitStatusIsTheResult) {
  World world;
  const struct {
    int status;
    Result result;
  } rows[] = {
      {0, Result::success}, {1, Result::degraded}, {2, Result::failure}, {3, Result::unknown}, {77, Result::failure}};
  for (const auto& row : rows) {
    const auto got = world.look(shell("echo said; exit " + std::to_string(row.status)));
    EXPECT_EQ(got.seen.result, row.result) << row.status;
    EXPECT_EQ(got.seen.code, row.status);
    EXPECT_EQ(got.detail, "said");
    EXPECT_GT(got.seen.latency, Duration{});
  }
}

TEST(Exec, NothingGoesThroughAShell) {
  World world;
  const Place place{.port = 8080, .instance = 2, .release = "$(reboot); 1"};
  const auto got = world.look(
      ExecSpec{.argv = {"/bin/echo", "{port} {instance} {release}"}, .env = {}, .cwd = {}, .user = {}}, place);
  EXPECT_EQ(got.detail, "8080 2 $(reboot); 1");
}

TEST(Exec, WithoutAKnownVersionItsCommandIsNotRun) {
  World world;
  const ExecSpec command{.argv = {"/bin/echo", "-{version}"}, .env = {}, .cwd = {}, .user = {}};
  const ExecSpec variable{.argv = {"/bin/echo"}, .env = {{"V", "{version}"}}, .cwd = {}, .user = {}};
  for (const ExecSpec& spec : {command, variable}) {
    const auto got = world.look(spec);
    EXPECT_EQ(got.seen.result, Result::unknown);
    EXPECT_EQ(got.detail, "its version is not known: `{version}` cannot be filled in");
  }
  EXPECT_EQ(world.look(command, Place{.version = "v1"}).detail, "-v1");
}

TEST(Exec, ASignalIsAFailure) {
  World world;
  const auto got = world.look(shell("kill -SEGV $$"));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::signalled);
  EXPECT_EQ(got.seen.code, SIGSEGV);
}

TEST(Exec, WhatCannotBeStartedIsUnknown) {
  World world;
  const auto got = world.look(ExecSpec{.argv = {"/nowhere/plugin"}, .env = {}, .cwd = {}, .user = {}});
  EXPECT_EQ(got.seen.result, Result::unknown);
  EXPECT_EQ(got.seen.reason, Reason::internal);
  EXPECT_NE(got.detail.find("no such file"), std::string::npos) << got.detail;
}

TEST(Exec, AGigabyteOfOutputIsReadAndForgotten) {
  World world;
  // One producer only: most of the time is its writing, and the machine may be busy.
  const auto got = world.look(shell("yes | head -c 1000; head -c 1000000000 /dev/zero; exit 1"), {}, seconds(18));
  EXPECT_EQ(got.seen.result, Result::degraded) << got.detail;
  EXPECT_GE(got.detail.size(), 250U);
  EXPECT_LE(got.detail.size(), 256U);
}

TEST(Exec, OutputIsMadeFitForPeople) {
  World world;
  EXPECT_EQ(world.look(shell("printf 'a\\033[31mb\\nc\\000d\\n\\n'")).detail, "a [31mb c d");
  // An escape sequence that begins with a two-byte character, and a byte that is no UTF-8.
  EXPECT_EQ(world.look(shell("printf 'a\\302\\23331mb\\377c'")).detail,
            "a 31mb\xef\xbf\xbd"
            "c");
}

TEST(Exec, TheWholeGroupIsKilledAtTheTimeOut) {
  const Folder folder;
  World world;
  // The plugin and its child ignore SIGTERM, and the child holds the output open.
  const std::string script = "trap '' TERM; (trap '' TERM; echo $$ > " + folder.file("up") +
                             "; exec sleep 600) & echo begun; echo $! > " + folder.file("pid") + "; wait";
  const auto got = world.look(shell(script), {}, milliseconds(500));
  EXPECT_EQ(got.seen.result, Result::timeout);
  EXPECT_EQ(got.seen.reason, Reason::timed_out);
  EXPECT_EQ(got.detail, "killed at its time-out begun");
  int pid = 0;
  std::ifstream(folder.file("pid")) >> pid;
  ASSERT_GT(pid, 1);
  const auto gone = [pid] {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    return !(stat >> number >> name >> state) || state == "Z";
  };
  EXPECT_TRUE(world.until(gone));
}

TEST(Exec, AHungCommandDelaysNoOther) {
  World world;
  for (std::uint32_t i = 0; i < 20; ++i) {
    world.prober->prepare(i, shell("sleep 600"), {});
    world.prober->start(i, 1, seconds(60), steady_now());
  }
  world.prober->prepare(20, shell("exit 0"), {});
  EXPECT_EQ(world.look(20).seen.result, Result::success);
  world.prober->renumber({});
}

TEST(File, ItMustExist) {
  const Folder folder;
  World world;
  const FileSpec spec{.path = folder.file("{instance}"), .newer_than = {}};
  const Place place{.port = 0, .instance = 4, .release = {}};
  auto got = world.look(spec, place);
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::not_found);
  std::ofstream(folder.file("4")) << "x";
  EXPECT_EQ(world.look(spec, place).seen.result, Result::success);
}

TEST(File, ItMustBeNewEnough) {
  const Folder folder;
  const std::string path = folder.file("heartbeat");
  std::ofstream(path) << "x";
  const timespec times[2] = {{.tv_sec = 1'000'000, .tv_nsec = 0}, {.tv_sec = 1'000'000, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  World world;
  const FileSpec spec{.path = path, .newer_than = seconds(60)};
  world.wall_ns = 1'000'060'000'000'000;
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  world.wall_ns = 1'000'061'000'000'000;
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::stale);
  EXPECT_EQ(got.seen.code, 61);
  world.wall_ns = 900'000'000'000'000;  // our clock went backwards: not the file's fault
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
}

TEST(File, OneThatCannotBeLookedAtIsUnknown) {
  World world;
  const auto got = world.look(FileSpec{.path = "/" + std::string(5000, 'x'), .newer_than = {}});
  EXPECT_EQ(got.seen.result, Result::unknown);
  EXPECT_EQ(got.seen.reason, Reason::internal);
}

TEST(Process, IsAnsweredByTheProgramAround) {
  World world;
  const auto gone = world.look(ProcessSpec{});
  EXPECT_EQ(gone.seen.result, Result::failure);
  EXPECT_EQ(gone.seen.reason, Reason::exited);
  EXPECT_EQ(gone.seen.code, -1);
  world.running_process = 0;
  EXPECT_EQ(world.look(ProcessSpec{}).seen.result, Result::success);
}

}  // namespace
}  // namespace homeostat::probe
