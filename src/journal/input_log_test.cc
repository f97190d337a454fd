#include "journal/input_log.hpp"

#include <gtest/gtest.h>

#include "journal/crc32c.hpp"
#include "journal/files.hpp"
#include "journal/input_reader.hpp"
#include "journal/testing.hpp"

namespace homeostat::journal {
namespace {

Instant second(std::int64_t n) { return Instant(std::chrono::seconds(n)); }

// A log whose clock is the test's.
struct Log {
  explicit Log(InputLogOptions options = {}) : options_(options) { reopen(); }

  void reopen() {
    log.reset();
    auto opened = InputLog::open(dir.path(), options_, [this] {
      return SegmentStart{.build_id = "b1", .epoch = 7, .at = now, .config = "homeostat: 1", .snapshot = "state"};
    });
    ASSERT_TRUE(opened) << opened.error().text;
    log.emplace(std::move(*opened));
  }
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> list;
    for (const auto& file : list_segments(dir.path())) list.push_back(file.number);
    return list;
  }

  TempDir dir;
  Instant now = second(1);
  std::optional<InputLog> log;

 private:
  InputLogOptions options_;
};

std::vector<std::string> frames_of(const std::filesystem::path& file, SegmentEnd end) {
  std::vector<std::string> frames;
  const auto read = read_segment(file, [&](std::string_view frame) {
    frames.emplace_back(frame);
    return true;
  });
  EXPECT_TRUE(read) << read.error().text;
  if (read) {
    EXPECT_EQ(read->end, end);
    EXPECT_EQ(read->frames, frames.size());
  }
  return frames;
}

TEST(Crc32c, MatchesThePublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
}

TEST(InputLog, GivesBackFramesAndStart) {
  Log test;
  const std::vector<std::string> written = {"a", std::string(300, 'b'), std::string(70'000, 'c')};
  for (const auto& frame : written) test.log->append(frame);
  test.log.reset();
  const auto file = list_segments(test.dir.path()).at(0);
  EXPECT_EQ(frames_of(file.path, SegmentEnd::clean), written);
  const auto read = read_segment(file.path, [](std::string_view) { return true; });
  EXPECT_EQ(
      read->start,
      (SegmentStart{.build_id = "b1", .epoch = 7, .at = second(1), .config = "homeostat: 1", .snapshot = "state"}));
}

TEST(InputLog, EveryTornTailKeepsTheFramesBefore) {
  Log test;
  test.log->append("first");
  test.log->append("second");
  test.log.reset();
  const auto file = list_segments(test.dir.path()).at(0).path;
  const std::string bytes = *read_file(file, 1 << 20);
  const std::size_t second_at = bytes.size() - (1 + 6 + 4);
  for (std::size_t size = second_at + 1; size < bytes.size(); ++size) {
    std::uint64_t seen = 0;
    const auto read = parse_segment(bytes.substr(0, size), [&](std::string_view) { return ++seen > 0; });
    ASSERT_TRUE(read);
    EXPECT_EQ(read->end, SegmentEnd::torn);
    EXPECT_EQ(seen, 1U);
    EXPECT_EQ(read->good_bytes, second_at);
  }
  const auto zeros = parse_segment(bytes + std::string(4096, '\0'), [](std::string_view) { return true; });
  EXPECT_EQ(zeros->end, SegmentEnd::torn);
  EXPECT_EQ(zeros->frames, 2U);
}

TEST(InputLog, EveryFlippedBitIsNoticed) {
  Log test;
  test.log->append("first");
  test.log->append("second");
  test.log.reset();
  const std::string bytes = *read_file(list_segments(test.dir.path()).at(0).path, 1 << 20);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] ^= static_cast<char>(1U << (bit % 8));
    std::vector<std::string> frames;
    const auto read = parse_segment(changed, [&](std::string_view frame) {
      frames.emplace_back(frame);
      return true;
    });
    EXPECT_TRUE(!read || read->end != SegmentEnd::clean) << "bit " << bit;
    EXPECT_TRUE(frames.empty() || frames == std::vector<std::string>{"first"}) << "bit " << bit;
  }
}

TEST(InputLog, RotatesAndStaysWithinItsBound) {
  Log test({.segment_bytes = 4'000, .total_bytes = 20'000, .pinned_bytes = 10'000, .buffer_bytes = 100});
  for (int i = 0; i < 500; ++i) {
    test.now += std::chrono::seconds(1);
    test.log->append(std::string(100, 'x'));
  }
  const auto files = list_segments(test.dir.path());
  std::uint64_t total = 0;
  for (const auto& file : files) total += file.bytes;
  EXPECT_LE(total, 20'000U);
  EXPECT_GE(files.size(), 3U);
  EXPECT_GT(files.front().number, 5U);
  test.reopen();
  EXPECT_EQ(test.numbers().back(), files.back().number + 1);
}

TEST(InputLog, PinsKeepTheirSegmentsUntilUnpinnedAndSurviveAReopen) {
  Log test({.segment_bytes = 4'000, .total_bytes = 20'000, .pinned_bytes = 10'000, .buffer_bytes = 100});
  const auto fill = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      test.now += std::chrono::seconds(1);
      test.log->append(std::string(100, 'x'));
    }
  };
  fill(10);
  ASSERT_TRUE(test.log->pin("api-1", second(3), second(5)));
  fill(300);
  test.reopen();
  fill(300);
  EXPECT_EQ(test.numbers().front(), 1U);
  EXPECT_EQ(test.log->pins(), (std::vector<Pin>{{.name = "api-1", .from = second(3), .to = second(5)}}));
  test.log->unpin("api-1");
  fill(100);
  EXPECT_GT(test.numbers().front(), 1U);
  EXPECT_FALSE(test.log->pin("../evil", second(1), second(2)));
}

TEST(InputLog, TooManyPinsDropTheOldest) {
  Log test({.segment_bytes = 4'000, .total_bytes = 20'000, .pinned_bytes = 5'000, .max_pins = 3, .buffer_bytes = 100});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(test.log->pin("p" + std::to_string(i), second(100 + i), second(101 + i)));
  EXPECT_EQ(test.log->pins().size(), 3U);
  EXPECT_EQ(test.log->pins().front().name, "p2");
  EXPECT_EQ(test.log->dropped_pins(), 2U);
}

TEST(InputLog, APinThatHoldsEverythingDoesNotBreakTheBound) {
  Log test({.segment_bytes = 4'000, .total_bytes = 20'000, .pinned_bytes = 10'000, .buffer_bytes = 100});
  ASSERT_TRUE(test.log->pin("all", second(0), kNever));
  for (int i = 0; i < 500; ++i) test.log->append(std::string(100, 'x'));
  EXPECT_EQ(test.log->dropped_pins(), 1U);
  EXPECT_LE(test.numbers().size(), 6U);
  EXPECT_EQ(test.log->disabled(), "");
}

TEST(InputLog, AWriteErrorDisablesItWithAReason) {
  Log test;
  std::filesystem::remove_all(test.dir.path() / "inputs");
  test.log->append("x");
  test.log->rotate();
  EXPECT_NE(test.log->disabled().find("No such file"), std::string::npos) << test.log->disabled();
  test.log->append("y");
}

}  // namespace
}  // namespace homeostat::journal
