// What stands in the way of a journal, and what is said about it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <fstream>

#include "journal/accept.hpp"
#include "journal/files.hpp"
#include "journal/journal.hpp"
#include "journal/report.hpp"
#include "journal/testing.hpp"

namespace homeostat::journal {
namespace {

// A journal with records 1 to `count`, closed.
struct Closed {
  explicit Closed(std::uint64_t count = 50) : paths(dir.path()) {
    auto journal = Journal::open(dir.path(), small());
    EXPECT_TRUE(journal && (*journal)->append(entries(1, count)) && wait_durable(**journal, count));
  }

  void expect_untrusted(const std::string& words) {
    auto journal = Journal::open(dir.path(), small());
    ASSERT_TRUE(journal) << journal.error().text;
    EXPECT_EQ((*journal)->state(), State::untrusted);
    EXPECT_NE((*journal)->reason().find(words), std::string::npos) << (*journal)->reason();
    const auto refused = (*journal)->append({entry((*journal)->health().last_seq + 1)});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("untrusted"), std::string::npos);
  }
  void run(const char* sql) {
    auto db = Db::open(paths.db.string(), SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(db);
    ASSERT_EQ(db->run(sql), SQLITE_OK) << db->error();
  }
  void write(const std::filesystem::path& file, std::string_view bytes, std::int64_t at) {
    auto fd = open_file(file, O_RDWR);
    ASSERT_TRUE(fd && write_at(fd->get(), bytes, at, file));
  }

  TempDir dir;
  Paths paths;
};

// A small file system of its own, or none where this is not allowed.
struct Tmpfs {
  explicit Tmpfs(const char* options) { mounted = ::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, options) == 0; }
  ~Tmpfs() {
    if (mounted) ::umount2(dir.path().c_str(), MNT_DETACH);
  }
  bool read_only() { return ::mount("tmpfs", dir.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0; }

  TempDir dir;
  bool mounted = false;
};

TEST(Faults, LockedByAnotherProcess) {
  const TempDir dir;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::open(dir.path(), small());
    const char byte = journal ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto second = Journal::open(dir.path(), small());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("another Homeostat (pid " + std::to_string(child) + ")"), std::string::npos)
      << second.error().text;
  const auto accepted = accept(dir.path(), "me", {});
  ASSERT_FALSE(accepted);
  EXPECT_NE(accepted.error().text.find("another Homeostat"), std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(Journal::open(dir.path(), small())) << "a dead holder's lock is gone";
  ::close(ready[0]);
  ::close(ready[1]);
}

// It was killed while it started a child: until that one ends, too, it holds what it had inherited.
TEST(Faults, WhatADeadHolderHasLeftBehindIsWaitedFor) {
  const TempDir dir;
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::open(dir.path(), small());
    const pid_t grandchild = ::fork();
    if (grandchild == 0) ::pause();
    if (::write(told[1], &grandchild, sizeof grandchild) < 0) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(told[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  ::waitpid(child, nullptr, 0);
  std::jthread later([grandchild] {
    ::poll(nullptr, 0, 50);
    ::kill(grandchild, SIGKILL);
  });
  const auto opened = Journal::open(dir.path(), small());
  EXPECT_TRUE(opened) << opened.error().text;
  ::close(told[0]);
  ::close(told[1]);
}

TEST(Faults, NewerVersionIsRefusedAndNotTouched) {
  Closed journal;
  journal.run("UPDATE meta SET format=2; PRAGMA user_version=2");
  const auto opened = Journal::open(journal.dir.path(), small());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("newer Homeostat (format 2, this build reads up to 1)"), std::string::npos)
      << opened.error().text;
  EXPECT_FALSE(accept(journal.dir.path(), "me", {}));
}

TEST(Faults, CorruptFileHeader) {
  Closed journal;
  journal.write(journal.paths.db, "garbage", 0);
  std::filesystem::remove(journal.paths.wal);
  journal.expect_untrusted("journal.db");
}

TEST(Faults, ZeroLengthDatabase) {
  Closed journal;
  std::filesystem::resize_file(journal.paths.db, 0);
  journal.expect_untrusted("missing or empty");
  EXPECT_TRUE(wal_in_use(journal.paths.wal)) << "what is left must be left alone";
}

TEST(Faults, MissingAnchor) {
  Closed journal;
  std::filesystem::remove(journal.paths.anchor);
  journal.expect_untrusted("anchor is missing");
}

TEST(Faults, BothAnchorSlotsUnreadable) {
  Closed journal;
  journal.write(journal.paths.anchor, "x", 20);
  EXPECT_EQ(check_journal(journal.dir.path(), {}).trust, Trust::ok) << "the other slot is enough";
  journal.write(journal.paths.anchor, "x", 4096 + 20);
  journal.expect_untrusted("both slots of the anchor");
}

TEST(Faults, MissingWal) {
  Closed journal;
  std::filesystem::remove(journal.paths.wal);
  std::filesystem::remove(journal.paths.shm);
  journal.expect_untrusted("record 50 was acknowledged");
}

TEST(Faults, ChangedRecordAndDeletedMiddle) {
  Closed changed;
  changed.run("UPDATE entry SET payload='{}' WHERE seq=20");
  changed.expect_untrusted("record 20 does not match its hash");
  EXPECT_EQ(check_journal(changed.dir.path(), {}).first_bad, 20U);
  Closed deleted;
  deleted.run("DELETE FROM entry WHERE seq=30");
  deleted.expect_untrusted("record 30 is missing");
  Closed head;
  head.run("DELETE FROM entry WHERE seq<10");
  head.expect_untrusted("record 1 is missing");
  auto reader = Reader::open(head.dir.path());
  ASSERT_TRUE(reader);
  const auto backwards = reader->read_newest_first([](const EntryView&) { return true; });
  ASSERT_FALSE(backwards) << "history must not end early without a word";
  EXPECT_EQ(backwards.error().text, "record 9 is missing or cannot be read");
}

TEST(Faults, UnknownCriticalRecord) {
  Closed journal;
  Options options = small();
  options.known = {{"transition", 2}};
  {
    auto opened = Journal::open(journal.dir.path(), options);
    ASSERT_TRUE(opened);
    EXPECT_EQ((*opened)->state(), State::untrusted);
    EXPECT_EQ((*opened)->reason(), "record 5 (transition version 3) is critical and this build does not understand it");
  }
  const auto accepted = accept(journal.dir.path(), "me", options.known);
  ASSERT_TRUE(accepted) << accepted.error().text;
  EXPECT_EQ(accepted->kept_to, 50U);
  auto opened = Journal::open(journal.dir.path(), options);
  EXPECT_EQ((*opened)->state(), State::writable) << (*opened)->reason();
}

TEST(Accept, KeepsTheGoodPrefixAndTheDamagedFiles) {
  Closed journal;
  const std::uint64_t epoch = check_journal(journal.dir.path(), {}).epoch;
  journal.run("UPDATE entry SET payload='{}' WHERE seq=20");
  const auto accepted = accept(journal.dir.path(), "ann \"the admin\"", {});
  ASSERT_TRUE(accepted) << accepted.error().text;
  EXPECT_EQ(accepted->kept_to, 19U);
  EXPECT_EQ(accepted->acknowledged, 50U);
  for (const auto* file : {"journal.db", "journal.db-wal", "anchor"}) {
    EXPECT_TRUE(std::filesystem::exists(accepted->aside / file)) << file;
  }
  auto opened = Journal::open(journal.dir.path(), small());
  ASSERT_TRUE(opened) << opened.error().text;
  ASSERT_EQ((*opened)->state(), State::writable) << (*opened)->reason();
  EXPECT_GT((*opened)->epoch(), epoch);
  const auto found = read_back(journal.dir.path());
  ASSERT_EQ(found.size(), 20U);
  EXPECT_EQ(found[18], entry(19));
  EXPECT_EQ(found[19].type, "accept");
  EXPECT_NE(found[19].payload.find(R"("who":"ann \"the admin\"")"), std::string::npos) << found[19].payload;
  ASSERT_TRUE((*opened)->append(entries(21, 30)));
  EXPECT_TRUE(wait_durable(**opened, 30));
}

TEST(Accept, FindsRecordsThatADamagedWalHides) {
  Closed journal;
  {
    auto appender = Appender::open(journal.paths, check_journal(journal.dir.path(), {}), 0);
    ASSERT_TRUE(appender);
    for (std::uint64_t seq = 51; seq <= 60; ++seq) ASSERT_EQ((*appender)->append(entries(seq, seq)), Written::ok);
    ASSERT_EQ((*appender)->checkpoint(), Written::ok);
  }
  journal.write(journal.paths.wal, std::string(512, '?'),
                static_cast<std::int64_t>(size_of(journal.paths.wal)) - 16'000);
  std::filesystem::remove(journal.paths.shm);
  journal.expect_untrusted("record 60 was acknowledged");
  const auto accepted = accept(journal.dir.path(), "me", {});
  ASSERT_TRUE(accepted) << accepted.error().text;
  EXPECT_EQ(accepted->kept_to, 60U);
}

TEST(Accept, InterruptedIsCompletedByTheNextStart) {
  Closed journal;
  journal.run("UPDATE entry SET payload='{}' WHERE seq=20");
  const auto accepted = accept(journal.dir.path(), "me", {});
  ASSERT_TRUE(accepted) << accepted.error().text;
  // As if the power had failed right after the decision: new files under their waiting names, the old ones in place.
  std::filesystem::rename(journal.paths.db, journal.paths.accepted_db);
  std::filesystem::rename(journal.paths.anchor, journal.paths.fresh_anchor);
  for (const auto* file : {"journal.db", "journal.db-wal", "anchor"}) {
    std::filesystem::copy_file(accepted->aside / file, journal.dir.path() / file);
  }
  EXPECT_NE(check_journal(journal.dir.path(), {}).reason.find("accept was interrupted"), std::string::npos);
  auto opened = Journal::open(journal.dir.path(), small());
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ((*opened)->state(), State::writable) << (*opened)->reason();
  EXPECT_EQ((*opened)->health().last_seq, 20U);
}

TEST(Report, SaysWhatWasFound) {
  Closed journal;
  const std::string good = report(check_journal(journal.dir.path(), {}));
  EXPECT_NE(good.find("journal: ok"), std::string::npos) << good;
  EXPECT_NE(good.find("records: 50 (1 to 50)"), std::string::npos) << good;
  journal.run("UPDATE entry SET payload='{}' WHERE seq=20");
  const std::string bad = report(check_journal(journal.dir.path(), {}));
  EXPECT_NE(bad.find("journal: untrusted: record 20 does not match its hash"), std::string::npos) << bad;
  EXPECT_NE(bad.find("journal accept"), std::string::npos) << bad;
}

TEST(Accept, WorksWhenNothingIsLeftAndRefusesAGoodJournal) {
  Closed journal;
  EXPECT_FALSE(accept(journal.dir.path(), "me", {}));
  std::filesystem::resize_file(journal.paths.db, 0);
  const auto accepted = accept(journal.dir.path(), "me", {});
  ASSERT_TRUE(accepted) << accepted.error().text;
  EXPECT_EQ(accepted->seq, 1U);
  auto opened = Journal::open(journal.dir.path(), small());
  EXPECT_EQ((*opened)->state(), State::writable) << (*opened)->reason();
}

TEST(Faults, ReadOnlyStateDirectory) {
  Tmpfs disk("size=8m");
  if (!disk.mounted) GTEST_SKIP() << "needs root to mount";
  const auto state = disk.dir.path() / "state";
  {
    auto journal = Journal::open(state, small());
    ASSERT_TRUE(journal && (*journal)->append(entries(1, 50)) && wait_durable(**journal, 50));
  }
  std::filesystem::remove(state / "journal.db-shm");
  ASSERT_TRUE(disk.read_only());
  const auto opened = Journal::open(state, small());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("Read-only file system"), std::string::npos) << opened.error().text;
  EXPECT_EQ(read_back(state), entries(1, 50)) << "history must be readable all the same";
  EXPECT_EQ(check_journal(state, {}).trust, Trust::ok) << check_journal(state, {}).reason;
}

TEST(Faults, FullDiskUsesTheReserveThenFails) {
  Tmpfs disk("size=4m");
  if (!disk.mounted) GTEST_SKIP() << "needs root to mount";
  Options options = small();
  options.reserve_bytes = 1 << 20;
  std::mutex mutex;
  std::vector<State> states;
  options.on_state = [&](State state, const std::string&) {
    const std::lock_guard hold(mutex);
    states.push_back(state);
  };
  const auto state = disk.dir.path() / "state";
  auto journal = Journal::open(state, options);
  ASSERT_TRUE(journal) << journal.error().text;
  std::uint64_t on_reserve_at = 0;
  std::uint64_t seq = 0;
  while ((*journal)->state() != State::failed && seq < 100'000) {
    ++seq;
    Entry big = entry(seq);
    big.payload = std::string(4'000, 'x');
    if (!(*journal)->append({big}) || !wait_durable(**journal, seq)) break;
    if (on_reserve_at == 0 && (*journal)->state() == State::on_reserve) on_reserve_at = seq;
  }
  EXPECT_EQ((*journal)->state(), State::failed);
  EXPECT_GT((*journal)->durable_seq(), on_reserve_at + 50) << "the reserve must carry some records";
  EXPECT_GT(on_reserve_at, 0U);
  EXPECT_FALSE((*journal)->append({entry(seq + 1)}));
  const std::uint64_t durable = (*journal)->durable_seq();
  journal->reset();
  EXPECT_EQ(states, (std::vector<State>{State::on_reserve, State::failed}));
  const Health health = check_journal(state, {});
  EXPECT_EQ(health.trust, Trust::ok) << health.reason;
  EXPECT_EQ(health.last_seq, durable);
}

TEST(Faults, ADiskThatFilledUpBetweenRunsIsStartedOnTheReserve) {
  Tmpfs disk("size=4m");
  if (!disk.mounted) GTEST_SKIP() << "needs root to mount";
  const auto state = disk.dir.path() / "state";
  {
    auto journal = Journal::open(state, small());
    ASSERT_TRUE(journal && (*journal)->append(entries(1, 50)) && wait_durable(**journal, 50));
  }
  {
    std::ofstream junk(disk.dir.path() / "junk");
    while (junk << std::string(4'096, 'x') << std::flush) {
    }
  }
  auto journal = Journal::open(state, small());
  ASSERT_TRUE(journal) << journal.error().text;
  EXPECT_EQ((*journal)->state(), State::on_reserve);
  ASSERT_TRUE((*journal)->append({entry(51)}));
  EXPECT_TRUE(wait_durable(**journal, 51));
}

}  // namespace
}  // namespace homeostat::journal
