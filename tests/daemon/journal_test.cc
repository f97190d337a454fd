// A journal that is locked, newer, damaged, or that nobody can write any more.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <csignal>
#include <filesystem>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

bool change(const Lab& lab, const std::string& sql) {
  sqlite3* db = nullptr;
  const bool done = sqlite3_open((lab.state() + "/journal.db").c_str(), &db) == SQLITE_OK &&
                    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK && sqlite3_changes(db) > 0;
  sqlite3_close(db);
  return done;
}

struct One {
  Lab lab;
  One() {
    lab.configure(
        {lab.service("web")},
        fmt::format("notify: {{ page: {{ exec: [/bin/sh, -c, 'echo \"$HOMEOSTAT_SUMMARY\" >> {}/pages'] }} }}",
                    lab.dir()));
  }
  bool healthy() const {
    return eventually([&] { return lab.health("web") == "healthy"; });
  }
  [[nodiscard]] bool lived() {
    if (!lab.start() || !healthy()) return false;
    lab.kill9();
    return true;
  }
};

TEST(DaemonJournal, ThatAnotherHomeostatHoldsIsLeftAlone) {
  One one;
  ASSERT_TRUE(one.lab.start());
  ASSERT_TRUE(one.healthy());
  const Finished second = run_program({build_dir() + "/homeostat", "run", "--config", one.lab.config_file(),
                                       "--state-dir", one.lab.state(), "--socket", one.lab.dir() + "/socket2"});
  EXPECT_EQ(second.code, 3);
  EXPECT_NE(second.err.find(fmt::format("in use by another Homeostat (pid {})", one.lab.daemon())), std::string::npos)
      << second.err;
  EXPECT_TRUE(one.healthy());
  EXPECT_EQ(one.lab.starts().size(), 1U);
  EXPECT_TRUE(one.lab.journal_is_good());
  const Finished accept = one.lab.cli({"journal", "accept", "--yes"});
  EXPECT_NE(accept.code, 0) << "it must not change a journal that is in use";
}

TEST(DaemonJournal, ThatANewerOneWroteIsNotTouched) {
  One one;
  ASSERT_TRUE(one.lived());
  ASSERT_TRUE(change(one.lab, "PRAGMA user_version = 99; UPDATE meta SET format = 99"));
  one.lab.launch();
  EXPECT_EQ(one.lab.wait_exit(), 3);
  EXPECT_NE(one.lab.log().find("newer"), std::string::npos) << one.lab.log();
  EXPECT_NE(one.lab.pid("web/0"), 0);
}

TEST(DaemonJournal, ThatIsDamagedMakesItObserveUntilItIsAccepted) {
  One one;
  Lab& lab = one.lab;
  ASSERT_TRUE(one.lived());
  ASSERT_TRUE(change(lab, "UPDATE entry SET payload = replace(payload, 'web', 'wab') WHERE seq = 3"));
  EXPECT_EQ(lab.cli({"journal", "verify"}).code, 1);
  const pid_t before = lab.pid("web/0");
  ASSERT_TRUE(lab.start());
  EXPECT_EQ(text_at(lab.status(), "engine.journal"), "observe only");
  EXPECT_NE(text_at(lab.status(), "engine.observe_only").find("record 3"), std::string::npos);
  EXPECT_NE(lab.cli({"status"}).out.find("observe"), std::string::npos) << lab.cli({"status"}).out;
  EXPECT_TRUE(eventually([&] { return read_file(lab.dir() + "/pages").find("record 3") != std::string::npos; }))
      << "nobody was called";
  EXPECT_TRUE(one.healthy()) << "it goes on looking";
  ::kill(before, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "unhealthy"; }));
  EXPECT_EQ(lab.starts().size(), 1U) << "something was repaired";

  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_EQ(lab.cli({"journal", "accept"}).code, 2) << "that must be meant";
  const Finished accepted = lab.cli({"journal", "accept", "--yes"});
  EXPECT_EQ(accepted.code, 0) << accepted.err;
  EXPECT_TRUE(lab.journal_is_good());
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(one.healthy());
  EXPECT_TRUE(lab.serves(0));
}

/// A mount namespace of its own for this test program: what is mounted here is seen by the daemon and nobody else.
bool own_mounts() {
  static const bool made =
      ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return made;
}

/// A file system of a limited size in the place of the state directory.
class SmallDisk {
 public:
  SmallDisk(const Lab& lab, const std::string& size) : path_(lab.state()) {
    fs::create_directories(path_);
    mounted_ = own_mounts() && ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("mode=700,size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return ::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  }
  /// Writes until nothing more fits.
  void fill() const {
    const os::Fd fd(::open((path_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    for (std::size_t piece = 1 << 16; piece > 0; piece /= 2) {
      const std::string bytes(piece, 'x');
      while (::write(fd.get(), bytes.data(), bytes.size()) > 0) {
      }
    }
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(DaemonStateDir, ThatIsReadOnlyIsRefused) {
  One one;
  const SmallDisk disk(one.lab, "32m");
  if (!disk.mounted()) GTEST_SKIP() << "needs root to make namespaces";
  ASSERT_TRUE(disk.make_read_only());
  one.lab.launch();
  EXPECT_EQ(one.lab.wait_exit(), 3);
  EXPECT_NE(one.lab.log().find("must be writable"), std::string::npos) << one.lab.log();
  EXPECT_TRUE(one.lab.pids("web/0").empty());
}

TEST(DaemonStateDir, ThatFillsUpIsSaidAndEverythingIsStillWatched) {
  One one;
  Lab& lab = one.lab;
  const SmallDisk disk(lab, "32m");
  if (!disk.mounted()) GTEST_SKIP() << "needs root to make namespaces";
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  disk.fill();
  // Its files were made large enough in time: it goes on, and so it does after its own death.
  lab.break_instance(0, "exit");
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.starts().size() == 2U; }));
  lab.kill9();
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.log().find("No space left on device") != std::string::npos; }));
  EXPECT_TRUE(one.healthy());
  lab.break_instance(0, "exit");
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.starts().size() == 3U; }));
  EXPECT_TRUE(one.healthy());
  EXPECT_TRUE(lab.journal_is_good());
}

}  // namespace
}  // namespace homeostat::lab
