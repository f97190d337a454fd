// The examples of docs/autoscaling.md run, and stand in the page as they are, with what comes of them.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  ::pclose(pipe);
  return out;
}

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
       {"eval scaling examples/scaling/busy.json", "eval scaling examples/scaling/failing.json"}) {
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
