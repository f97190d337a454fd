// The rules, kept by this tree.
#include <gtest/gtest.h>

#include "functions.hpp"
#include "rules.hpp"
#include "tree.hpp"

namespace tidy {
namespace {

const Findings kNone;

TEST(Tidy, TheTreeIsSeen) {
  EXPECT_GT(tree().size(), 20U);
  std::size_t seen = 0;
  for (const File& file : tree()) seen += file.is_cpp() ? functions(file.text()).size() : 0;
  EXPECT_GT(seen, 50U);
}

TEST(Tidy, FilesAreShort) { EXPECT_EQ(long_files(tree()), kNone); }
TEST(Tidy, LinesAreShort) { EXPECT_EQ(long_lines(tree()), kNone); }
TEST(Tidy, FunctionsAreShort) { EXPECT_EQ(long_functions(tree()), kNone); }
TEST(Tidy, EveryFolderSaysWhatLivesThere) { EXPECT_EQ(folders_without_readme(tree()), kNone); }
TEST(Tidy, ArrowsBetweenRoomsPointDown) { EXPECT_EQ(wrong_arrows(tree()), kNone); }
TEST(Tidy, PureRoomsUseTheStandardLibraryOnly) { EXPECT_EQ(foreign_headers(tree()), kNone); }
TEST(Tidy, DecisionsArePure) { EXPECT_EQ(impure_decisions(tree()), kNone); }
TEST(Tidy, HeadersAreGuarded) { EXPECT_EQ(unguarded_headers(tree()), kNone); }
TEST(Tidy, SourcesIncludeTheirOwnHeaderFirst) { EXPECT_EQ(own_header_not_first(tree()), kNone); }
TEST(Tidy, NothingIsLeftOpenAndNothingPointsOutside) { EXPECT_EQ(forbidden_words(tree()), kNone); }

}  // namespace
}  // namespace tidy
