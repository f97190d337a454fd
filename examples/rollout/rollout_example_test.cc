// The example of docs/rollout.md runs, and stands in the page as it is, with what comes of it.
#include <gtest/gtest.h>

#include <string>

#include "page.hpp"

namespace homeostat {
namespace {

using examples::content;
using examples::output_of;

TEST(RolloutExample, TheProgramStandsInThePageWithWhatItSays) {
  const std::string page = content(DOCUMENT);
  EXPECT_NE(page.find("```cpp\n" + content(HERE "/release.cc") + "```"), std::string::npos);
  for (const std::string argument : {"", " bad"}) {
    const std::string said = output_of(RELEASE + argument);
    ASSERT_FALSE(said.empty());
    EXPECT_NE(page.find("$ staged_release" + argument + "\n" + said), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace homeostat
