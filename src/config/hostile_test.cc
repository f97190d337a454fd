// Files that mean harm: bombs, noise, things that are no files.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "config/load.hpp"
#include "config/node.hpp"
#include "config/reference.hpp"
#include "config/trial.hpp"
#include "core/text.hpp"

namespace homeostat::config {
namespace {

std::string first_problem(std::string_view text) {
  std::vector<Problem> problems;
  const bool read = parse_yaml(text, "h.yaml", problems).has_value();
  EXPECT_EQ(read, problems.empty());
  return problems.empty() ? "" : render(problems.front());
}

TEST(Hostile, WhatYamlHasAndWeDoNot) {
  EXPECT_EQ(first_problem("a: &x 1\n"), "h.yaml:1:4: anchors (`&name`) are not supported; write the value out");
  EXPECT_EQ(first_problem("a: &x [1]\nb: *x\n"),
            "h.yaml:1:4: anchors (`&name`) are not supported; write the value out");
  EXPECT_EQ(first_problem("<<: { a: 1 }\n"), "h.yaml:1:1: merge keys (`<<`) are not supported; write the keys out");
  EXPECT_EQ(first_problem("a: !!str 1\n"), "h.yaml:1:4: tags are not supported: `tag:yaml.org,2002:str`");
  EXPECT_EQ(first_problem("a: 1\n---\nb: 2\n"),
            "h.yaml:2:1: a second document begins here; a configuration is one document");
  EXPECT_EQ(first_problem("a: 1\nb: 2\na: 3\n"), "h.yaml:3:1: `a` is given twice");
  EXPECT_EQ(first_problem("[a]: 1\n"), "h.yaml:1:1: a key must be a plain word");
  EXPECT_EQ(first_problem("a: [1\n"), "h.yaml:2:1: not valid YAML: end of sequence flow not found");
  // The library shows one byte: its own for the end of the file, or a part of a character.
  EXPECT_EQ(first_problem("a: \"b\\"), "h.yaml:1:7: not valid YAML: unknown escape character:  ");
  EXPECT_EQ(first_problem("a: \"\\Ą\"\n"), "h.yaml:1:7: not valid YAML: unknown escape character: \xef\xbf\xbd");
  EXPECT_EQ(first_problem("a: \"b\\u"), "h.yaml:1:8: not valid YAML: bad character found while scanning hex number");
  EXPECT_EQ(first_problem("a: \xff\n"), "h.yaml:1:4: not UTF-8 text, or a control character");
  EXPECT_EQ(first_problem(std::string_view("a: \0\n", 5)), "h.yaml:1:4: not UTF-8 text, or a control character");
}

TEST(Hostile, NamesThatAreNoneAreShownWithoutWhatDrivesATerminal) {
  const auto read = load_text("homeostat: 1\nissues: { \"a\\u0085b\": {} }\nservices: { \"\\e[2J\": {} }\n", "h.yaml");
  ASSERT_FALSE(read);
  for (const Problem& one : read.error()) {
    EXPECT_EQ(render(one), printable(render(one)));
  }
}

TEST(Hostile, Bombs) {
  std::string aliases = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    aliases +=
        std::string(1, c) + ": &" + c + " [*" + static_cast<char>(c - 1) + ",*" + static_cast<char>(c - 1) + "]\n";
  }
  EXPECT_EQ(first_problem(aliases), "h.yaml:1:4: anchors (`&name`) are not supported; write the value out");
  EXPECT_TRUE(first_problem(std::string(100'000, '[')).ends_with(": nested more than 32 deep"));
  std::string blocks;
  for (int i = 0; i < 2000; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(first_problem(blocks), "h.yaml:33:33: nested more than 32 deep");
  std::string list = "[";
  for (int i = 0; i < 1'000'000; ++i) list += "1,";
  EXPECT_EQ(first_problem(list + "]"), "h.yaml:1:400000: more than 200000 values; split the configuration");
  EXPECT_EQ(first_problem(std::string(5 << 20, '#')), "h.yaml: larger than 4 MiB");
}

/// Every input must end in a configuration or in problems, with places inside the text.
void survive(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  if (config) return;
  ASSERT_FALSE(config.error().empty());
  for (const Problem& problem : config.error()) {
    EXPECT_FALSE(problem.text.empty());
    EXPECT_LE(problem.column, text.size() + 2);
  }
}

TEST(Hostile, MutationsNeverCrash) {
  const std::string page = reference();
  const std::size_t begin = page.rfind("```yaml\n") + 8;
  const std::string seed = page.substr(begin, page.find("```", begin) - begin);
  std::mt19937 random(7);
  const std::string_view spice = "[]{}:,-#&*!|>'\"%@ \n\t0aZ\\?~";
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed;
    const unsigned edits = 1 + random() % 6;
    for (unsigned i = 0; i < edits; ++i) {
      const std::size_t at = random() % text.size();
      const unsigned kind = random() % 4;
      if (kind == 0) text[at] = spice[random() % spice.size()];
      if (kind == 1) text.erase(at, 1 + random() % 20);
      if (kind == 2) text.insert(at, 1, spice[random() % spice.size()]);
      if (kind == 3) text.insert(at, text.substr(random() % text.size(), random() % 40));
      if (text.empty()) text = "x";
    }
    survive(text);
  }
}

TEST(Hostile, NoiseNeverCrashes) {
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 200, ' ');
    const unsigned most = round % 2 == 0 ? 256 : 128;
    for (char& c : text) c = static_cast<char>(random() % most);
    survive(text);
  }
}

TEST(Hostile, WhatIsNoFileIsRefusedAtOnce) {
  std::string folder = std::filesystem::temp_directory_path() / "homeostat-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto problem = [&](const std::string& path) {
    const auto config = load(path);
    return config ? std::string() : render(config.error().front());
  };
  const std::string pipe = folder + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(problem(pipe), pipe + ": cannot read " + pipe + ": not a regular file");
  EXPECT_EQ(problem(folder), folder + ": cannot read " + folder + ": not a regular file");
  EXPECT_EQ(problem(folder + "/gone"), folder + "/gone: cannot read " + folder + "/gone: No such file or directory");
  std::ofstream(folder + "/big") << std::string(5 << 20, '#');
  EXPECT_EQ(problem(folder + "/big"), folder + "/big: cannot read " + folder + "/big: larger than 4194304 bytes");
  std::ofstream(folder + "/good") << "homeostat: 1\nservices: { a: { run: { process: { command: [x] } } } }\n";
  EXPECT_EQ(problem(folder + "/good"), "");
  std::filesystem::remove_all(folder);
}

TEST(Trial, ACrashIsAnError) {
  const auto end = try_in_child([] { ::raise(SIGSEGV); });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().text, "the parser crashed on it (signal 11)");
}

TEST(Trial, AHangIsAnError) {
  const auto end = try_in_child([] { ::pause(); }, {.wall_milliseconds = 50});
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().text, "reading it took longer than 50 ms");
}

TEST(Trial, EndlessWorkIsAnError) {
  const auto end = try_in_child(
      [] {
        for (volatile bool forever = true; forever;) {
        }
      },
      {.cpu_seconds = 1});
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().text, "reading it took longer than 1 s of processor time");
}

TEST(Trial, TooMuchMemoryIsAnError) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer ends the process itself";
#endif
#endif
  const auto end = try_in_child([] { std::vector<std::string> eaten(4096, std::string(1 << 20, 'x')); });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().text, "reading it took more than 512 MiB of memory");
}

TEST(Trial, WhatReturnsIsFine) {
  EXPECT_TRUE(try_in_child([] {}).has_value());
}

}  // namespace
}  // namespace homeostat::config
