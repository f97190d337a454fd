#include "journal/damage.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace homeostat::journal {
namespace {

// Memory, where there is some: nothing here needs a disk that keeps its promises.
std::filesystem::path quick_place() {
  return std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Damage, IsDetectedOrHarmless) {
  const std::uint64_t seed = setting("HOMEOSTAT_SEED", 20'240'501);
  const std::uint64_t runs = setting("HOMEOSTAT_DAMAGES", 3'000);
  std::map<std::string, std::array<std::uint64_t, 3>> counts;
  Random random(seed);
  for (std::uint64_t run = 0; run < runs;) {
    const TempDir dir(quick_place());
    const AgedJournal journal = make_aged_journal(dir.path(), random);
    ASSERT_EQ(judge(journal.now, journal.entries, false), Verdict::harmless) << check_journal(journal.now, {}).reason;
    for (int i = 0; i < 100 && run < runs; ++i, ++run) {
      const auto copy_dir = dir.path() / "copy";
      std::filesystem::remove_all(copy_dir);
      copy_files(journal.now, copy_dir);
      const std::string what = damage(journal, copy_dir, random);
      const Verdict verdict = judge(copy_dir, journal.entries, i % 4 == 0);
      ++counts[what][static_cast<std::size_t>(verdict)];
      ASSERT_NE(verdict, Verdict::silent) << what << " in run " << run << " of seed " << seed;
    }
  }
  for (const auto& [what, count] : counts) {
    std::printf("%-32s harmless %5lu  detected %5lu  silent %lu\n", what.c_str(), count[0], count[1], count[2]);
  }
  EXPECT_GE(counts.size(), 18U) << "every kind of damage to every file";
}

}  // namespace
}  // namespace homeostat::journal
