// What is said of processor time and memory is what was really used.
#include "os/usage.hpp"

#include <gtest/gtest.h>
#include <sys/times.h>
#include <unistd.h>

#include <vector>

#include "os/cgroup.hpp"
#include "os/child.hpp"

namespace homeostat::os {
namespace {

using namespace std::chrono_literals;

void burn(std::chrono::milliseconds cpu) {
  const clock_t begin = ::clock();
  while (::clock() - begin < cpu.count() * (CLOCKS_PER_SEC / 1000)) {
  }
}

TEST(Usage, OfAProcessGrowsWithWhatItDoes) {
  const auto before = usage_of_process(::getpid());
  ASSERT_TRUE(before);
  burn(100ms);
  std::vector<char> memory(64 << 20, 'x');
  const auto after = usage_of_process(::getpid());
  ASSERT_TRUE(after);
  EXPECT_GE(after->cpu - before->cpu, 80ms);  // in ticks of 10 ms
  EXPECT_GE(after->memory - before->memory, 60U << 20) << memory[5];
}

TEST(Usage, OfNoProcessIsNothing) {
  EXPECT_FALSE(usage_of_process(0));
  EXPECT_FALSE(usage_of_cgroup("/nowhere"));
}

TEST(Usage, OfACgroupIsThatOfAllInIt) {
  const auto groups = Cgroups::open("homeostat-usage-test");
  if (!groups) GTEST_SKIP() << "needs a writable cgroup v2";
  const std::string group = groups->make("all");
  ASSERT_FALSE(group.empty());
  ChildSpec spec;
  spec.argv = {"/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done & wait"};
  spec.cgroup = group;
  auto child = spawn(spec);
  ASSERT_TRUE(child);
  std::optional<Usage> usage;
  for (int tries = 0; tries < 2000; ++tries) {
    usage = usage_of_cgroup(group);
    if (usage && usage->cpu >= 30ms) break;
    ::usleep(5'000);
  }
  ASSERT_TRUE(usage);
  EXPECT_GE(usage->cpu, 30ms);
  kill_cgroup(group);
  for (int tries = 0; tries < 2000 && !remove_cgroup(group); ++tries) ::usleep(5'000);
}

}  // namespace
}  // namespace homeostat::os
