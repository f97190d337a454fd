// A disk that is full, that fails, or that becomes read-only under the running daemon: no action without a journal, but
// it goes on looking, calls somebody, and there is a way back.
#include "disks.hpp"
#include "faults.hpp"
#include "one.hpp"

namespace homeostat::lab {
namespace {

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

TEST(DaemonStateDir, WhoseReserveIsUsedUpTooMakesItObserveUntilThereIsSpace) {
  One one;
  Lab& lab = one.lab;
  const SmallDisk disk(lab, "32m");
  if (!disk.mounted()) GTEST_SKIP() << "needs root to make namespaces";
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  int confirmed = 0;
  const auto record_once = [&] {
    disk.fill();  // also what it has just given back to itself
    const Answer answer = lab.post("pause", {{"service", "web"}, {"for", "1ms"}});
    if (answer.status == 200) ++confirmed;
    return answer.status != 200;
  };
  ASSERT_TRUE(within(seconds(60), record_once)) << confirmed << " records, and it never was full";
  one.expect_observing("full");
  disk.empty();
  one.expect_back();
  std::size_t pauses = 0;
  const std::string records = lab.records();
  for (std::size_t at = records.find("paused"); at != std::string::npos; at = records.find("paused", at + 1)) ++pauses;
  EXPECT_GE(pauses, static_cast<std::size_t>(confirmed)) << "what was confirmed is there";
}

TEST(DaemonStateDir, ThatTheKernelMakesReadOnlyUnderItMakesItObserve) {
  One one;
  Lab& lab = one.lab;
  FailingDisk disk(lab);
  if (!disk.mounted()) GTEST_SKIP() << "needs loop devices and an ext4 that can be made to fail";
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  ASSERT_TRUE(disk.fail());
  send_signal([&] { return lab.pid("web/0"); }, SIGKILL);
  one.expect_observing("the journal");
  EXPECT_TRUE(lab.pids("web/0").empty());
  // The log files of instances are on that disk, too: none may hold it now.
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  ASSERT_TRUE(disk.repair());
  EXPECT_TRUE(lab.journal_is_good()) << lab.cli({"journal", "verify"}).out;
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(one.healthy());
  EXPECT_EQ(lab.starts().size(), 2U);
}

struct Refusal {
  const char* name;
  std::atomic<int> FaultPage::* call;
  std::atomic<std::int64_t> FaultPage::* count;
  int error;
};

class DaemonDisk : public ::testing::TestWithParam<Refusal> {};

TEST_P(DaemonDisk, ThatRefusesIsNotAskedAgainAndNothingIsRepaired) {
  const Refusal& refusal = GetParam();
  One one;
  Lab& lab = one.lab;
  Faults faults(lab);
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  ASSERT_EQ(lab.post("pause", {{"service", "web"}, {"for", "1ms"}}).status, 200);
  (faults.page()->*refusal.call) = refusal.error;
  EXPECT_EQ(lab.post("pause", {{"service", "web"}, {"for", "1ms"}}).status, 503);
  one.expect_observing("the journal is failed");
  EXPECT_GT((faults.page()->*refusal.count).load(), 0);
  // The disk is well again, but what it did with the refused bytes is not known: they are never written again.
  (faults.page()->*refusal.call) = 0;
  EXPECT_EQ(lab.post("pause", {{"service", "web"}, {"for", "1ms"}}).status, 503);
  one.expect_back();
}

INSTANTIATE_TEST_SUITE_P(
    Each, DaemonDisk,
    ::testing::Values(Refusal{"write_fails", &FaultPage::write_error, &FaultPage::failed_writes, EIO},
                      Refusal{"sync_fails", &FaultPage::sync_error, &FaultPage::failed_syncs, EIO},
                      Refusal{"is_read_only", &FaultPage::write_error, &FaultPage::failed_writes, EROFS}),
    [](const auto& info) { return info.param.name; });

// A failed sync may have lost pages that the kernel then calls clean: a second one that succeeds proves nothing.
TEST(DaemonDiskSync, IsNeverTriedASecondTime) {
  One one;
  Lab& lab = one.lab;
  Faults faults(lab);
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(one.healthy());
  faults.page()->sync_error = EIO;
  one.expect_observing("the journal is failed");
  const std::int64_t failed = faults.page()->failed_syncs;
  // Much that would have been recorded and synced.
  for (int i = 0; i < 20; ++i) lab.post("pause", {{"service", "web"}, {"for", "1ms"}});
  lab.signal(SIGTERM);
  EXPECT_EQ(lab.wait_exit(), 0);
  EXPECT_EQ(faults.page()->failed_syncs.load(), failed);
  EXPECT_LE(failed, 1) << "one commit, and nothing after it";
}

}  // namespace
}  // namespace homeostat::lab
