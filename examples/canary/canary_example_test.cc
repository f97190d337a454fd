// The examples of docs/canary.md run, and stand in the page as they are, with what comes of them.
#include <gtest/gtest.h>

#include <string>

#include "page.hpp"

namespace homeostat {
namespace {

using examples::content;
using examples::output_of;

TEST(CanaryExample, TheProgramStandsInThePageWithWhatItSays) {
  const std::string page = content(DOCUMENT);
  EXPECT_NE(page.find("```cpp\n" + content(HERE "/judge.cc") + "```"), std::string::npos);
  const std::string said = output_of(JUDGE);
  EXPECT_NE(said.find("rolled back after"), std::string::npos) << said;
  EXPECT_NE(page.find(said), std::string::npos) << said;
}

TEST(CanaryExample, TheCommandsStandInThePageWithWhatTheySay) {
  const std::string page = content(DOCUMENT);
  for (const std::string arguments :
       {"eval canary examples/canary/latencies.csv", "eval canary examples/canary/metrics.json",
        "eval canary examples/canary/latencies.csv --mode simple",
        "eval canary examples/canary/latencies.csv --mode kayenta", "eval canary --forecast --requests 60",
        "eval canary --forecast --kind errors --requests 600 --within 5m"}) {
    const std::string said = output_of("cd '" HERE "/../..' && '" HOMEOSTAT_BINARY "' " + arguments);
    ASSERT_FALSE(said.empty());
    EXPECT_NE(page.find("$ homeostat " + arguments + "\n" + said), std::string::npos) << arguments << "\n" << said;
  }
}

}  // namespace
}  // namespace homeostat
