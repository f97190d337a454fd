#include "daemon/recorder.hpp"

#include <gtest/gtest.h>

#include "os/testing.hpp"

namespace homeostat::daemon {
namespace {

constexpr std::uint64_t kEvery = 4;

Instant at(std::uint64_t seq) { return Instant(std::chrono::seconds(seq)); }

/// Pauses services, one a record, from `from` to `to`, in the state and in the journal.
void pause(Recorder& recorder, engine::Durable& durable, std::uint64_t from, std::uint64_t to) {
  std::vector<engine::Record> records;
  for (std::uint64_t seq = from; seq <= to; ++seq) {
    records.push_back({seq, at(seq), 1, engine::Paused{"service-" + std::to_string(seq), kNever, "ann"}});
    durable.apply(records.back());
  }
  EXPECT_EQ(recorder.append(records), std::nullopt);
}

std::unique_ptr<Recorder> open(const os::testing::TempDir& dir) {
  auto recorder = Recorder::open(dir.path(), kEvery);
  EXPECT_TRUE(recorder) << recorder.error().text;
  return recorder ? std::move(*recorder) : nullptr;
}

TEST(Recorder, AStartReadsOnlyWhatCameAfterTheLastFold) {
  const os::testing::TempDir dir;
  engine::Durable durable;
  {
    auto recorder = open(dir);
    ASSERT_TRUE(recorder);
    durable = recorder->recover();
    pause(*recorder, durable, 1, kEvery - 1);
    EXPECT_FALSE(recorder->fold_due());
    pause(*recorder, durable, kEvery, kEvery);
    EXPECT_TRUE(recorder->fold_due());
    ++durable.seq;  // as the input JournalFolded does
    recorder->fold(engine::Engine(durable), at(kEvery + 1));
    EXPECT_FALSE(recorder->fold_due());
    pause(*recorder, durable, kEvery + 2, kEvery + 3);
  }
  const auto recorder = open(dir);
  ASSERT_TRUE(recorder);
  EXPECT_EQ(recorder->recover().fold(), durable.fold());
  EXPECT_EQ(recorder->untrusted(), "");
  EXPECT_FALSE(recorder->fold_due()) << "what came before the fold counts no more";
}

}  // namespace
}  // namespace homeostat::daemon
