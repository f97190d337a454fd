// Each rule finds what breaks it, and nothing else.
#include "rules.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace tidy {
namespace {

File file(std::string path, const std::string& text) {
  File file{std::move(path), {}};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

std::string repeated(std::size_t times, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

struct Case {
  const char* what;
  Findings (*rule)(const Files&);
  File good;
  File bad;
};

std::vector<Case> lengths() {
  return {
      {"500 lines a file", long_files, file("src/core/a.cc", repeated(500, "\n")),
       file("src/core/a.cc", repeated(501, "\n"))},
      {"scripts too", long_files, file("docs/a.md", repeated(501, "\n")), file("test", repeated(501, "\n"))},
      {"120 columns, not bytes", long_lines, file("a.cc", repeated(120, "ä")), file("a.cc", repeated(121, "a"))},
      {"70 lines a function", long_functions, file("a.cc", "void f() {\n" + repeated(68, "x();\n") + "}\n"),
       file("a.cc", "void f() {\n" + repeated(69, "x();\n") + "}\n")},
      {"a lambda's lines count", long_functions,
       file("a.cc", "auto f = [](int x) {\n" + repeated(68, "x();\n") + "};\n"),
       file("a.cc", "void f() {\nauto g = [] {\n" + repeated(68, "x();\n") + "};\n}\n")},
  };
}

std::vector<Case> arrows() {
  return {
      {"core knows no engine", wrong_arrows, file("src/core/a.cc", "#include \"core/b.hpp\"\n"),
       file("src/core/a.cc", "#include \"engine/b.hpp\"\n")},
      {"engine knows no journal", wrong_arrows, file("src/engine/a.hpp", "#include \"homeostat/b.hpp\"\n"),
       file("src/engine/a.hpp", "  #  include <journal/b.hpp> // why\n")},
      {"the library's headers know no room", wrong_arrows, file("include/homeostat/a.hpp", "#include <vector>\n"),
       file("include/homeostat/a.hpp", "#include \"core/b.hpp\"\n")},
      {"of the runtimes, config knows the specification", wrong_arrows,
       file("src/config/a.cc", "#include \"runtime/spec.hpp\"\n"),
       file("src/config/a.cc", "#include \"runtime/a.hpp\"\n")},
      {"a probe never calls a runtime", wrong_arrows, file("src/daemon/a.cc", "#include \"runtime/b.hpp\"\n"),
       file("src/probe/a.cc", "#include \"runtime/b.hpp\"\n")},
      {"tests obey too", wrong_arrows, file("src/core/a_test.cc", "#include <gtest/gtest.h>\n"),
       file("src/core/a_test.cc", "#include \"engine/b.hpp\"\n")},
      {"a new room is named", wrong_arrows, file("sim/a.cc", ""), file("src/attic/a.cc", "")},
      {"standard library only", foreign_headers, file("src/engine/a.cc", "#include <string>\n"),
       file("src/engine/a.cc", "#include <fmt/core.h>\n")},
      {"no POSIX either", foreign_headers, file("src/os/a.cc", "#include <unistd.h>\n"),
       file("include/homeostat/a.hpp", "#include <unistd.h>\n")},
  };
}

std::vector<Case> words() {
  const std::string open = std::string("TO") + "DO";
  const std::string path = std::string("/wo") + "rk/x";
  return {
      {"no clock", impure_decisions, file("src/core/a.cc", "using Clock = steady_clock;\n"),
       file("src/core/a.cc", "auto now = std::chrono::steady_clock::now();\n")},
      {"no thread", impure_decisions, file("src/core/healer_workers.cc", "#include <thread>\n"),
       file("src/engine/a.cc", "#include <thread>\n")},
      {"no chance", impure_decisions, file("src/core/a_test.cc", "#include <random>\n"),
       file("src/core/a.hpp", "#include <random>\n")},
      {"no environment", impure_decisions, file("src/cli/a.cc", "getenv(\"HOME\")\n"),
       file("src/core/a.cc", "getenv(\"HOME\")\n")},
      {"guards", unguarded_headers, file("a.hpp", "// a\n#pragma once\n"), file("a.hpp", "// a\n#ifndef A\n")},
      {"a README each", folders_without_readme, file("src/core/README.md", ""), file("src/core/a.cc", "")},
      {"nothing left open", forbidden_words, file("a.cc", "// MASTODON\n"), file("a.cc", "// " + open + ": later\n")},
      {"no machine's paths", forbidden_words, file("a.sh", "cd /srv/x\n"), file("a.sh", "cd " + path + "\n")},
  };
}

void try_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(one.rule({one.good}), Findings()) << one.what;
    EXPECT_EQ(one.rule({one.bad}).size(), 1U) << one.what;
  }
}

TEST(Rules, LengthsAreMeasured) { try_all(lengths()); }
TEST(Rules, ArrowsAreFollowed) { try_all(arrows()); }
TEST(Rules, WordsAreFound) { try_all(words()); }

TEST(Rules, OwnHeaderIsIncludedFirst) {
  const File header = file("src/os/a.hpp", "#pragma once\n");
  const File library = file("include/homeostat/b.hpp", "#pragma once\n");
  EXPECT_EQ(own_header_not_first({header, file("src/os/a.cc", "// a\n#include \"os/a.hpp\"\n#include <a>\n")}),
            Findings());
  EXPECT_EQ(own_header_not_first({header, file("src/os/c.cc", "#include <a>\n")}), Findings());
  EXPECT_EQ(own_header_not_first({header, file("src/os/a.cc", "#include <a>\n#include \"os/a.hpp\"\n")}).size(), 1U);
  EXPECT_EQ(own_header_not_first({library, file("src/core/b.cc", "#include <homeostat/b.hpp>\n")}), Findings());
  EXPECT_EQ(own_header_not_first({library, file("src/core/b.cc", "int x;\n")}).size(), 1U);
}

TEST(Rules, FindingsSayWhere) {
  const Files bad{file("src/core/a.cc", "\n#include \"engine/b.hpp\"\n")};
  EXPECT_EQ(wrong_arrows(bad), Findings{"src/core/a.cc:2: core may not include engine/b.hpp"});
  EXPECT_EQ(folders_without_readme(bad), Findings{"src/core"});
}

}  // namespace
}  // namespace tidy
