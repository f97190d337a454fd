#include "config/reference.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <set>
#include <sstream>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

std::string slurp(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// The committed file is what is generated; HOMEOSTAT_UPDATE=1 writes it anew.
void expect_committed(const std::string& name, const std::string& generated) {
  const std::string path = std::string(HOMEOSTAT_SOURCE_DIR) + "/docs/" + name;
  if (getenv("HOMEOSTAT_UPDATE") != nullptr) std::ofstream(path) << generated;
  EXPECT_TRUE(slurp(path) == generated) << path << " is out of date: run this test with HOMEOSTAT_UPDATE=1";
}

TEST(Reference, CommittedPageIsTheGeneratedOne) { expect_committed("configuration.md", reference()); }

TEST(Reference, CommittedSchemaIsTheGeneratedOne) { expect_committed("configuration.schema.json", schema()); }

TEST(Reference, EveryExampleOfThePageLoads) {
  const std::string page = reference();
  int examples = 0;
  for (std::size_t at = page.find("```yaml\n"); at != std::string::npos; at = page.find("```yaml\n", at + 1)) {
    const std::size_t begin = at + 8;
    const auto config = load_text(page.substr(begin, page.find("```", begin) - begin), "example.yaml");
    std::string problems;
    if (!config) {
      for (const Problem& problem : config.error()) problems += render(problem) + "\n";
    }
    EXPECT_TRUE(config.has_value()) << problems;
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

TEST(Reference, EveryFieldIsDescribedAndSectionsAreUnique) {
  std::set<std::string> names;
  for (const Section* section : sections()) {
    EXPECT_TRUE(names.insert(section->name).second) << section->name;
    EXPECT_FALSE(section->text.empty()) << section->name;
    for (const FieldInfo& field : section->fields) {
      const std::string where = section->name + "." + field.key;
      EXPECT_TRUE(field.facts.text.ends_with('.')) << where;
      EXPECT_FALSE(field.facts.example.empty()) << where;
      const int defaults = !field.facts.fallback.empty() + !field.facts.otherwise.empty() + field.facts.required;
      EXPECT_EQ(defaults, field.kind || section->name == "run.process.limits" ? 0 : 1) << where;
    }
  }
}

}  // namespace
}  // namespace homeostat::config
