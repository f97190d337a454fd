// A service that the user's own commands make larger and smaller: judged by what the commands were told.
#include <fmt/format.h>
#include <sys/stat.h>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

/// `ctl scale N` is told a number, `ctl count` prints the file `running`: what runs follows unless `stuck` is there.
class DaemonScaleCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(lab_.dir() + "/ctl",
               "#!/bin/sh\ncd \"$(dirname \"$0\")\"\ncase $1 in\n"
               "scale) echo \"$1 $2\" >> told; [ -e stuck ] || echo $2 > running;;\n"
               "drain) echo \"$1 $2\" >> told;;\n"
               "count) cat running;;\nesac\n");
    ::chmod((lab_.dir() + "/ctl").c_str(), 0755);
    write_file(lab_.dir() + "/load", "10\n");
    lab_.configure(
        {fmt::format("  jobs: {{ run: {{ exec: {{ scale: [{0}/ctl, scale, '{{count}}'], count: [{0}/ctl, count],"
                     " drain: [{0}/ctl, drain, '{{count}}'], count_within: 2s }} }},"
                     " checks: {{ alive: {{ exec: {{ command: ['true'] }} }} }},"
                     " scaling: {{ min: 1, max: 5, every: 1s, down: {{ window: 1s }},"
                     " metrics: {{ load: {{ exec: [cat, {0}/load], target: 10 }} }} }} }}\n",
                     lab_.dir())});
  }
  bool told(const std::string& words) const {
    return eventually([&] { return read_file(lab_.dir() + "/told").ends_with(words); });
  }
  bool recorded(const std::string& words) const {
    return eventually([&] { return lab_.records().find(words) != std::string::npos; });
  }
  void load(const std::string& number) const { write_file(lab_.dir() + "/load", number + "\n"); }

  Lab lab_;
};

TEST_F(DaemonScaleCommand, CountsWhenTheNumberIsThereAndDrainsBeforeItShrinks) {
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(recorded("scale: exit status 0; 1 run")) << lab_.records();
  load("30");
  EXPECT_TRUE(recorded("scale: exit status 0; 3 run")) << lab_.records();
  load("10");
  EXPECT_TRUE(told("scale 3\ndrain 1\nscale 1\n")) << read_file(lab_.dir() + "/told");
}

TEST_F(DaemonScaleCommand, ANumberThatDoesNotComeIsNoSuccess) {
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(recorded("; 1 run"));
  write_file(lab_.dir() + "/stuck", "");
  load("30");
  EXPECT_TRUE(recorded("failed: scale: exit status 0; after 2 s 1 run, not 3")) << lab_.records();
}

TEST_F(DaemonScaleCommand, WhoDiesWhileItIsCountedTellsItAgain) {
  write_file(lab_.dir() + "/stuck", "");
  write_file(lab_.dir() + "/running", "0\n");
  ASSERT_TRUE(lab_.start());
  ASSERT_TRUE(told("scale 1\n"));
  lab_.kill9();
  ::unlink((lab_.dir() + "/stuck").c_str());
  ASSERT_TRUE(lab_.start());
  // Nobody knows how many run now: it could be more.
  EXPECT_TRUE(told("scale 1\ndrain 1\nscale 1\n")) << read_file(lab_.dir() + "/told") << lab_.records();
  EXPECT_TRUE(recorded("; 1 run")) << lab_.records();
  EXPECT_FALSE(lab_.has_flag("jobs", "locked")) << lab_.cli({"status"}).out;
}

}  // namespace
}  // namespace homeostat::lab
