#include "journal/journal.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <mutex>
#include <random>

#include "journal/reader.hpp"
#include "journal/testing.hpp"

namespace homeostat::journal {
namespace {

std::unique_ptr<Journal> open_ok(const std::filesystem::path& dir, Options options = small()) {
  auto journal = Journal::open(dir, std::move(options));
  EXPECT_TRUE(journal) << journal.error().text;
  return journal ? std::move(*journal) : nullptr;
}

TEST(Journal, WhatIsAcknowledgedIsReadBack) {
  const TempDir dir;
  const std::vector<Entry> written = entries(1, 100);
  {
    auto journal = open_ok(dir.path());
    EXPECT_TRUE(journal->health().fresh);
    EXPECT_EQ(journal->epoch(), 1U);
    ASSERT_TRUE(journal->append(written));
    EXPECT_TRUE(wait_durable(*journal, 100));
    EXPECT_EQ(read_back(dir.path()), written);
  }
  auto again = open_ok(dir.path());
  EXPECT_EQ(again->state(), State::writable) << again->reason();
  EXPECT_EQ(again->health().last_seq, 100U);
  EXPECT_EQ(again->epoch(), 2U);
  EXPECT_EQ(read_back(dir.path()), written);
}

TEST(Journal, FilesArePrivate) {
  const TempDir dir;
  const auto state = dir.path() / "a" / "state";
  auto journal = open_ok(state);
  ASSERT_TRUE(journal->append({entry(1)}));
  ASSERT_TRUE(wait_durable(*journal, 1));
  struct stat info{};
  ASSERT_EQ(::stat(state.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  for (const auto* file : {"journal.db", "journal.db-wal", "anchor", "lock", "reserve"}) {
    ASSERT_EQ(::stat((state / file).c_str(), &info), 0) << file;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << file;
  }
}

TEST(Journal, ClosingWritesWhatIsQueued) {
  const TempDir dir;
  {
    auto journal = open_ok(dir.path());
    for (std::uint64_t seq = 1; seq <= 500; ++seq) ASSERT_TRUE(journal->append({entry(seq)}));
  }
  EXPECT_EQ(read_back(dir.path()), entries(1, 500));
}

TEST(Journal, SeqMustGoOnWithoutGaps) {
  const TempDir dir;
  auto journal = open_ok(dir.path());
  EXPECT_FALSE(journal->append({entry(2)}));
  EXPECT_FALSE(journal->append({entry(1), entry(3)}));
  EXPECT_TRUE(journal->append({entry(1), entry(2)}));
  EXPECT_FALSE(journal->append({entry(2)}));
  EXPECT_TRUE(journal->append({entry(3)}));
}

TEST(Journal, AFullQueueTakesNothingAndSaysSo) {
  const TempDir dir;
  Options options = small();
  options.max_queued_entries = 10;
  std::mutex gate;
  options.on_durable = [&gate](std::uint64_t) { const std::lock_guard wait(gate); };
  auto journal = open_ok(dir.path(), options);
  {
    const std::lock_guard hold(gate);
    ASSERT_TRUE(journal->append({entry(1)}));
    ASSERT_TRUE(wait_durable(*journal, 1));  // the writer now waits at the gate
    ASSERT_TRUE(journal->append(entries(2, 11)));
    const auto refused = journal->append({entry(12)});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("queue is full"), std::string::npos);
  }
  ASSERT_TRUE(wait_durable(*journal, 11));
  EXPECT_TRUE(journal->append({entry(12)})) << "a refused record can be offered again";
}

TEST(Journal, CompactionKeepsTheChainVerifiable) {
  const TempDir dir;
  {
    auto journal = open_ok(dir.path());
    ASSERT_TRUE(journal->append(entries(1, 5'000)));
    ASSERT_TRUE(journal->compact(4'990, entry(5'001, "fold")));
    ASSERT_TRUE(journal->append(entries(5'002, 5'010)));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (check_journal(dir.path(), {}).start_seq < 4'989 && std::chrono::steady_clock::now() < deadline) {
      ::poll(nullptr, 0, 10);
    }
  }
  const Health health = check_journal(dir.path(), {});
  EXPECT_EQ(health.trust, Trust::ok) << health.reason;
  EXPECT_EQ(health.start_seq, 4'989U);
  EXPECT_EQ(health.last_seq, 5'010U);
  EXPECT_EQ(health.last_fold, 5'001U);
  EXPECT_EQ(read_back(dir.path()).front(), entry(4'990));
  auto journal = open_ok(dir.path());
  EXPECT_EQ(journal->state(), State::writable) << journal->reason();
}

TEST(Journal, CompactionComesDueByAge) {
  const TempDir dir;
  Options options = small();
  options.keep_for = std::chrono::seconds(100);
  {
    auto journal = open_ok(dir.path(), options);
    ASSERT_TRUE(journal->append(entries(1, 1'000)));
    ASSERT_TRUE(wait_durable(*journal, 1'000));
  }
  auto journal = open_ok(dir.path(), options);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (journal->compaction_due() == 0 && std::chrono::steady_clock::now() < deadline) ::poll(nullptr, 0, 10);
  EXPECT_EQ(journal->compaction_due(), 900U);
}

TEST(Reader, NewestFirstAndFromTheMiddle) {
  const TempDir dir;
  auto journal = open_ok(dir.path());
  std::vector<Entry> written = entries(1, 3'000);
  written[1'499] = entry(1'500, "fold");
  ASSERT_TRUE(journal->append(written));
  ASSERT_TRUE(wait_durable(*journal, 3'000));
  auto reader = Reader::open(dir.path());
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_EQ(reader->last_fold(), 1'500U);
  std::vector<Entry> found;
  const auto collect = [&](const EntryView& record) {
    found.push_back(copy(record));
    return found.size() < 2'500;
  };
  ASSERT_TRUE(reader->read_newest_first(collect));
  EXPECT_EQ(found, std::vector<Entry>(written.rbegin(), written.rbegin() + 2'500));
  found.clear();
  ASSERT_TRUE(reader->read_all(2'900, collect));
  EXPECT_EQ(found, std::vector<Entry>(written.begin() + 2'899, written.end()));
  found.clear();
  ASSERT_TRUE(reader->read_all(9'999, collect));
  EXPECT_TRUE(found.empty());
}

// A child appends and reports each acknowledgement through a pipe, which survives it.
[[noreturn]] void write_until_killed(const std::filesystem::path& dir, int acks) {
  Options options = small();
  options.on_durable = [acks](std::uint64_t seq) {
    if (::write(acks, &seq, sizeof seq) != sizeof seq) ::_exit(3);
  };
  auto journal = Journal::open(dir, options);
  if (!journal || (*journal)->state() != State::writable) ::_exit(2);
  for (std::uint64_t seq = (*journal)->health().last_seq + 1;; ++seq) {
    const std::uint64_t upto = seq + seq % 7;
    if (!(*journal)->append(entries(seq, upto)) && !wait_durable(**journal, seq - 1)) ::_exit(4);
    if (seq % 3 == 0 && !wait_durable(**journal, upto)) ::_exit(5);
    seq = upto;
  }
}

TEST(Journal, KilledWritersLoseNothingAcknowledged) {
  const TempDir dir;
  std::mt19937_64 random(42);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(dir.path(), ends[1]);
    ::close(ends[1]);
    // Killed after a random number of acknowledgements: always in the middle of writing.
    const std::uint64_t until = 1 + random() % 40;
    for (std::uint64_t i = 0, seq = 0; i < until && ::read(ends[0], &seq, sizeof seq) == sizeof seq; ++i) {
      acknowledged = seq;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);
    for (std::uint64_t seq = 0; ::read(ends[0], &seq, sizeof seq) == sizeof seq;) acknowledged = seq;
    ::close(ends[0]);
    const Health health = check_journal(dir.path(), {});
    ASSERT_EQ(health.trust, Trust::ok) << health.reason;
    ASSERT_GE(health.last_seq, acknowledged);
    ASSERT_EQ(read_back(dir.path()), entries(1, health.last_seq));
  }
}

}  // namespace
}  // namespace homeostat::journal
