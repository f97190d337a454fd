// What the documents say of scenarios is true.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "scenario/language.hpp"
#include "scenario/prepare.hpp"
#include "scenario/read.hpp"
#include "scenario/run.hpp"

namespace homeostat::scenario {
namespace {

const std::string kPage = std::string(HOMEOSTAT_SOURCE_DIR) + "/docs/scenarios.md";

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Page, ListsWhatIsUnderstood) {
  const std::string page = text_of(kPage);
  const std::size_t mark = page.find("-->\n\n");
  ASSERT_NE(mark, std::string::npos);
  const std::string wanted = page.substr(0, mark + 5) + reference();
  if (std::getenv("HOMEOSTAT_UPDATE") != nullptr) std::ofstream(kPage) << wanted;
  EXPECT_EQ(text_of(kPage), wanted) << "run scenario_test with HOMEOSTAT_UPDATE=1";
}

void run_example(const std::string& file) {
  const std::string page = text_of(std::string(HOMEOSTAT_SOURCE_DIR) + "/docs/" + file);
  const std::size_t begin = page.find("```scenario\n") + 12;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const auto scenario = read_scenario(example, file);
  ASSERT_TRUE(scenario) << config::render(scenario.error());
  const auto configs = prepare(*scenario);
  ASSERT_TRUE(configs) << config::render(configs.error().front());
  for (const Failure& failure : run(*scenario, *configs).failures) ADD_FAILURE() << render(failure, file);
}

TEST(Page, ExampleRuns) { run_example("scenarios.md"); }
TEST(Page, ExampleOfTheDiagnosisRuns) { run_example("diagnosis.md"); }
TEST(Page, ExampleOfTheLadderRuns) { run_example("ladder.md"); }
TEST(Page, ExampleOfTheTrafficRuns) { run_example("traffic.md"); }

}  // namespace
}  // namespace homeostat::scenario
