#include "os/saved_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "os/testing.hpp"

namespace homeostat::os {
namespace {

using testing::read_file;
using testing::TempDir;

TEST(SavedFile, HasTheTextOnceThatIsSaid) {
  const TempDir dir;
  SavedFile file(dir / "kept");
  for (const char* text : {"one", "two"}) {
    std::promise<std::string> said;
    file.save(text,
              [&](const auto& result) { said.set_value(result ? read_file(dir / "kept") : result.error().text); });
    EXPECT_EQ(said.get_future().get(), text);
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "kept.new"));
}

TEST(SavedFile, OfWhatComesWhileItIsBusyOnlyTheNewestIsWrittenAndAllAreTold) {
  const TempDir dir;
  std::promise<void> busy, go_on;
  std::vector<std::string> found;
  {
    SavedFile file(dir / "kept");
    file.save("first", [&](const auto&) {
      busy.set_value();
      go_on.get_future().wait();
    });
    busy.get_future().wait();
    for (const char* text : {"second", "third", "last"}) {
      file.save(text, [&](const auto&) { found.push_back(read_file(dir / "kept")); });
    }
    go_on.set_value();
  }
  EXPECT_EQ(found, (std::vector<std::string>{"last", "last", "last"})) << "also before it is gone";
}

TEST(SavedFile, WhatCannotBeWrittenIsSaidAndWhatWasThereStays) {
  const TempDir dir;
  testing::write_file(dir / "kept", "old");
  std::filesystem::create_directory(dir / "kept.new");
  const auto result = replace_file(dir / "kept", "new");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find(dir / "kept.new"), std::string::npos) << result.error().text;
  EXPECT_EQ(read_file(dir / "kept"), "old");
}

}  // namespace
}  // namespace homeostat::os
