// The examples of docs/autoscaling.md run, and stand in the page as they are, with what comes of them.
#include <gtest/gtest.h>

#include <string>

#include "page.hpp"

namespace homeostat {
namespace {

using examples::content;
using examples::output_of;

TEST(ScalingExample, TheProgramStandsInThePageWithWhatItSays) {
  const std::string page = content(DOCUMENT);
  EXPECT_NE(page.find("```cpp\n" + content(HERE "/queue.cc") + "```"), std::string::npos);
  const std::string said = output_of(QUEUE);
  ASSERT_FALSE(said.empty());
  EXPECT_NE(page.find(said), std::string::npos) << said;
}

TEST(ScalingExample, TheCommandsStandInThePageWithWhatTheySay) {
  const std::string page = content(DOCUMENT);
  EXPECT_NE(page.find("```json\n" + content(HERE "/busy.json") + "```"), std::string::npos);
  for (const std::string arguments :
       {"eval scaling examples/scaling/busy.json", "eval scaling examples/scaling/failing.json",
        "eval scaling examples/scaling/morning.json"}) {
    const std::string said = output_of("cd '" HERE "/../..' && '" HOMEOSTAT_BINARY "' " + arguments);
    ASSERT_FALSE(said.empty());
    EXPECT_NE(page.find("$ homeostat " + arguments + "\n" + said), std::string::npos) << arguments << "\n" << said;
  }
}

TEST(ScalingExample, TheTableStandsInThePage) {
  const std::string said = output_of(TABLE);
  ASSERT_FALSE(said.empty());
  EXPECT_NE(content(DOCUMENT).find(said), std::string::npos) << said;
}

}  // namespace
}  // namespace homeostat
