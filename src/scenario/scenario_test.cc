// Every scenario of the folder passes, with any phases of the checks.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "config/file.hpp"
#include "scenario/prepare.hpp"
#include "scenario/read.hpp"
#include "scenario/run.hpp"

namespace homeostat::scenario {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(HOMEOSTAT_SOURCE_DIR) / "scenarios";

std::set<std::string> files() {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".scn") found.insert(entry.path().filename());
  }
  return found;
}

void play(const std::string& file) {
  const std::string path = kFolder / file;
  const auto text = config::read_file(path, kMaxBytes);
  ASSERT_TRUE(text) << text.error().text;
  const auto scenario = read_scenario(*text, path);
  ASSERT_TRUE(scenario) << config::render(scenario.error());
  EXPECT_FALSE(scenario->title.empty()) << file << " begins with no comment that says what it is about";
  const auto configs = prepare(*scenario);
  if (!configs) {
    for (const Problem& problem : configs.error()) ADD_FAILURE() << config::render(problem);
    return;
  }
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Verdict verdict = run(*scenario, *configs, seed);
    for (const Failure& failure : verdict.failures) ADD_FAILURE() << "seed " << seed << "\n" << render(failure, path);
  }
}

TEST(Scenarios, EachPasses) {
  for (const std::string& file : files()) play(file);
}

TEST(Scenarios, AreListedWithTheirRules) {
  const auto text = config::read_file(kFolder / "README.md", kMaxBytes);
  ASSERT_TRUE(text) << text.error().text;
  std::set<std::string> listed;
  for (std::size_t at = text->find('`'); at != std::string::npos; at = text->find('`', at)) {
    const std::size_t end = text->find('`', at + 1);
    const std::string name = text->substr(at + 1, end - at - 1);
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos && name.find('-') != name.npos) {
      EXPECT_TRUE(listed.insert(name + ".scn").second) << name << " is listed twice";
    }
    at = end + 1;
  }
  EXPECT_EQ(listed, files());
}

}  // namespace
}  // namespace homeostat::scenario
