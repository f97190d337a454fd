// test
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/context.hpp"
#include "cli/table.hpp"
#include "config/file.hpp"
#include "scenario/prepare.hpp"
#include "scenario/read.hpp"
#include "scenario/run.hpp"

namespace homeostat::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".scn";

struct TestChoice {
  std::vector<std::string> paths;
  std::uint64_t seeds = 3;
  bool timeline = false;
};

/// What became of one file.
struct Tested {
  std::string file;
  std::string title;
  std::vector<std::string> problems;  // it cannot be read
  scenario::Verdict verdict;
  std::uint64_t seed = 0;  // of the failure
};

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : fs::directory_iterator(path, ignored)) {
      if (entry.path().extension() == kEnding) files.push_back(entry.path());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

std::vector<std::string> rendered(const std::vector<scenario::Problem>& problems) {
  std::vector<std::string> lines;
  for (const scenario::Problem& problem : problems) lines.push_back(config::render(problem));
  return lines;
}

Tested test_one(const std::string& file, std::uint64_t seeds) {
  Tested tested{file, {}, {}, {}, 0};
  const auto text = config::read_file(file, scenario::kMaxBytes);
  if (!text) {
    tested.problems = {text.error().text};
    return tested;
  }
  const auto read = scenario::read_scenario(*text, file);
  if (!read) {
    tested.problems = rendered({read.error()});
    return tested;
  }
  tested.title = read->title;
  const auto configs = scenario::prepare(*read);
  if (!configs) {
    tested.problems = rendered(configs.error());
    return tested;
  }
  for (tested.seed = 1; tested.seed <= seeds; ++tested.seed) {
    tested.verdict = scenario::run(*read, *configs, tested.seed);
    if (!tested.verdict.passed()) break;
  }
  return tested;
}

bool passed(const Tested& tested) { return tested.problems.empty() && tested.verdict.passed(); }

json::object tested_json(const Tested& tested) {
  json::array failures;
  for (const scenario::Failure& failure : tested.verdict.failures) {
    failures.push_back(json::object{{"line", failure.at.line},
                                    {"column", failure.at.column},
                                    {"expected", failure.line},
                                    {"instead", failure.instead},
                                    {"timeline", json::value_from(failure.timeline)}});
  }
  return {{"file", tested.file},
          {"title", tested.title},
          {"passed", passed(tested)},
          {"problems", json::value_from(tested.problems)},
          {"seed", tested.verdict.passed() ? json::value(nullptr) : json::value(tested.seed)},
          {"failures", std::move(failures)}};
}

void show(const Tested& tested, bool timeline, bool color) {
  const bool good = passed(tested);
  const std::string word = paint(good ? "passed" : "FAILED", good ? Color::green : Color::red, color);
  std::printf("%s  %s  %s\n", word.c_str(), tested.file.c_str(), paint(tested.title, Color::dim, color).c_str());
  for (const std::string& problem : tested.problems) std::printf("  %s\n", problem.c_str());
  if (!tested.verdict.passed()) {
    std::printf("  with seed %llu:\n", static_cast<unsigned long long>(tested.seed));
  }
  for (const scenario::Failure& failure : tested.verdict.failures) {
    std::fputs(scenario::render(failure, tested.file).c_str(), stdout);
  }
  for (const std::string& line : tested.verdict.timeline) {
    if (timeline) std::printf("  %s\n", line.c_str());
  }
}

int run_tests(const Context& context, const TestChoice& choice) {
  const std::vector<std::string> files = files_of(choice.paths);
  if (files.empty()) return complain(kUsage, "there is no scenario (*.scn) to play");
  json::array all;
  std::size_t failed = 0;
  bool unreadable = false;
  for (const std::string& file : files) {
    const Tested tested = test_one(file, choice.seeds);
    if (!passed(tested)) ++failed;
    unreadable = unreadable || !tested.problems.empty();
    if (context.json)
      all.push_back(tested_json(tested));
    else
      show(tested, choice.timeline, context.color());
  }
  const bool good = failed == 0;
  if (context.json) {
    std::printf("%s\n", json::serialize(json::object{{"passed", good}, {"scenarios", std::move(all)}}).c_str());
  } else {
    std::printf("%zu passed, %zu failed\n", files.size() - failed, failed);
  }
  return good ? kOk : unreadable ? kUsage : kBad;
}

}  // namespace

void add_test_verbs(CLI::App& app, Context& context) {
  const auto choice = std::make_shared<TestChoice>();
  CLI::App* verb =
      add_verb(app, context, "test", "Play scenarios in a simulated world: what would this configuration do, and when?",
               "homeostat test web.scn --timeline", [&context, choice] { return run_tests(context, *choice); });
  verb->add_option("FILE", choice->paths, "Scenarios, or folders of them (*.scn)")->required();
  verb->add_option("--seeds", choice->seeds, "Each is played so many times, with other phases of the checks")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  verb->add_flag("--timeline", choice->timeline, "Show all that happened, also when it passed");
}

}  // namespace homeostat::cli
