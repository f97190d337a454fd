// The examples of docs/circuit-breaker.md run, and stand in the page as they are.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class BreakerExample : public ::testing::TestWithParam<const char*> {};

TEST_P(BreakerExample, RunsAndStandsInThePage) {
  const std::string name = GetParam();
  EXPECT_EQ(std::system((PROGRAMS "/breaker_" + name + " > /dev/null").c_str()), 0);
  const std::string example = content(SOURCES "/" + name + ".cc");
  ASSERT_FALSE(example.empty());
  EXPECT_NE(content(DOCUMENT).find("```cpp\n" + example + "```"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Examples, BreakerExample, ::testing::Values("plain", "registry", "retry", "coroutine"));

}  // namespace
