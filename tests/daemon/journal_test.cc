// A journal that is locked, newer or damaged.
#include <fmt/format.h>
#include <sqlite3.h>

#include <csignal>

#include "one.hpp"

namespace homeostat::lab {
namespace {

bool change(const Lab& lab, const std::string& sql) {
  sqlite3* db = nullptr;
  const bool done = sqlite3_open((lab.state() + "/journal.db").c_str(), &db) == SQLITE_OK &&
                    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK && sqlite3_changes(db) > 0;
  sqlite3_close(db);
  return done;
}

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
  send_signal(before, SIGKILL);
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

}  // namespace
}  // namespace homeostat::lab
