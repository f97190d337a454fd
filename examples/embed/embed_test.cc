// The documented example runs, and a program that finds the installed library builds and runs too.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

namespace {

/// The exit status of `path`, run without arguments; -1 when it could not be run or was killed.
int run(std::string path) {
  const std::array<char*, 2> argv{path.data(), nullptr};
  pid_t pid = 0;
  int status = 0;
  if (posix_spawn(&pid, path.c_str(), nullptr, nullptr, argv.data(), environ) != 0) return -1;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(Embed, TheExampleHealsItself) { EXPECT_EQ(run(EMBED_PROGRAM), 0); }

std::string content(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Embed, TheDocumentShowsTheExampleAsItIs) {
  const std::string example = content(EMBED_SOURCE);
  ASSERT_FALSE(example.empty());
  EXPECT_NE(content(EMBED_DOCUMENT).find(example), std::string::npos);
}

TEST(Embed, AnInstalledLibraryIsFound) { EXPECT_EQ(run(CHECK_INSTALL), 0); }

}  // namespace
