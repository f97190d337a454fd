// A service that follows its load, judged from outside: by the processes that run.
#include <fmt/format.h>
#include <sys/stat.h>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

/// Each instance is busy as long as the file `busy` is there: far above the target then, far below it otherwise.
class DaemonScaling : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(lab_.dir() + "/work",
               "#!/bin/sh\nwhile :; do if [ -e \"$1\" ]; then i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; "
               "else sleep 0.2; fi; done\n");
    ::chmod((lab_.dir() + "/work").c_str(), 0755);
    configure("");
    ASSERT_TRUE(lab_.start());
  }
  void configure(const std::string& more) const {
    lab_.configure(
        {fmt::format("  work: {{ run: {{ process: {{ command: [{0}/work, {0}/busy] }} }},"
                     " stable_after: 1s, scaling: {{ min: 1, max: 3, every: 1s, down: {{ window: 3s }},"
                     " metrics: {{ load: {{ cpu: 8% }} }} }}{1} }}\n",
                     lab_.dir(), more)});
  }
  std::size_t running() const {
    std::size_t count = 0;
    for (int slot = 0; slot < 3; ++slot) count += lab_.pids(fmt::format("work/{}", slot)).empty() ? 0 : 1;
    return count;
  }
  bool becomes(std::size_t count) const {
    return within(seconds(40), [&] { return running() == count; });
  }
  void busy(bool is) const {
    if (is)
      write_file(lab_.dir() + "/busy", "");
    else
      ::unlink((lab_.dir() + "/busy").c_str());
  }

  Lab lab_;
};

TEST_F(DaemonScaling, FollowsTheLoadAndSaysWhy) {
  ASSERT_TRUE(becomes(1));
  busy(true);
  ASSERT_TRUE(becomes(3)) << lab_.records();
  const std::string why = lab_.cli({"scale", "work"}).out;
  EXPECT_NE(why.find("work: 3 instances, from 1 to 3"), std::string::npos) << why;
  EXPECT_NE(why.find("load"), std::string::npos) << why;
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  EXPECT_EQ(running(), 3U) << "it remembers how many there shall be";
  busy(false);
  ASSERT_TRUE(becomes(1)) << lab_.records();
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_F(DaemonScaling, AsksFirstAndStillDoesAfterAKill) {
  configure(", mode: approve");
  ASSERT_EQ(lab_.cli({"reload"}).code, 0);
  ASSERT_TRUE(becomes(1));
  busy(true);
  const auto asked = [&] { return text_at(lab_.service_status("work"), "scaling.asked.id"); };
  ASSERT_TRUE(within(seconds(40), [&] { return !asked().empty(); })) << lab_.records();
  EXPECT_NE(lab_.cli({"status"}).out.find("homeostat approve"), std::string::npos) << lab_.cli({"status"}).out;
  lab_.kill9();
  ASSERT_TRUE(lab_.start());
  const std::string id = asked();
  ASSERT_FALSE(id.empty()) << "the question is still there: " << lab_.records();
  EXPECT_NE(lab_.cli({"scale", "work"}).out.find("homeostat approve " + id), std::string::npos);
  EXPECT_NE(lab_.cli({"approve", "9-9"}).code, 0);
  EXPECT_EQ(running(), 1U);
  // Another decision may have taken its place since, and what is approved may not go the whole way.
  EXPECT_TRUE(within(seconds(40), [&] {
    if (const std::string now = asked(); !now.empty()) lab_.cli({"approve", now});
    return running() == 3;
  })) << lab_.records();
}

TEST_F(DaemonScaling, ByHandItStaysUntilItIsTakenBack) {
  ASSERT_TRUE(becomes(1));
  const Finished held = lab_.cli({"scale", "work", "2", "--hold", "1h"});
  ASSERT_EQ(held.code, 0) << held.err;
  ASSERT_TRUE(becomes(2)) << lab_.records();
  EXPECT_NE(lab_.cli({"scale", "work"}).out.find("held at 2 by hand"), std::string::npos);
  EXPECT_NE(lab_.cli({"scale", "work", "4"}).code, 0) << "more than max";
  EXPECT_EQ(lab_.cli({"scale", "work", "auto"}).code, 0);
  EXPECT_TRUE(becomes(1)) << lab_.records();
}

}  // namespace
}  // namespace homeostat::lab
