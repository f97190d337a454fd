// The rules of the tree that no compiler knows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "functions.hpp"
#include "tree.hpp"

namespace tidy {
namespace {

constexpr std::size_t kMaxFile = 500;
constexpr int kMaxFunction = 70;
constexpr std::size_t kMaxLine = 120;

/// Text that is read or generated, not written as code.
bool is_prose(const File& file) {
  return file.path.ends_with(".md") || file.path.ends_with(".txt") || file.path.starts_with("docs/");
}

/// What a room may include beside itself. A room that is not named here (daemon, cli) may include every other.
const std::map<std::string, std::set<std::string>>& arrows() {
  static const std::map<std::string, std::set<std::string>> kArrows{
      {"include", {}},
      {"core", {"include"}},
      {"engine", {"core", "include"}},
      {"os", {"core", "include"}},
      {"probe", {"engine", "os", "core", "include"}},
      {"runtime", {"engine", "os", "core", "include"}},
      {"journal", {"engine", "os", "core", "include"}},
      {"config", {"engine", "probe/spec.hpp", "runtime/spec.hpp", "os", "core", "include"}},
      {"api", {"engine", "journal", "config", "os", "core", "include"}},
  };
  return kArrows;
}

bool is_pure(const std::string& room) { return room == "include" || room == "core" || room == "engine"; }

/// The room that an included header belongs to; empty when it is not one of ours.
std::string room_of(const std::string& header) {
  const std::string first = header.substr(0, header.find('/'));
  if (first == "homeostat") return "include";
  return std::filesystem::is_directory(std::string(HOMEOSTAT_SOURCE_DIR) + "/src/" + first) ? first : "";
}

TEST(Tidy, TheTreeIsThere) { EXPECT_GT(tree().size(), 20U); }

TEST(Tidy, FilesAreShort) {
  for (const File& file : tree()) {
    if (is_prose(file)) continue;
    EXPECT_LE(file.lines.size(), kMaxFile) << file.path << ": split it";
  }
}

TEST(Tidy, LinesAreShort) {
  for (const File& file : tree()) {
    if (is_prose(file)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_LE(columns(file.lines[i]), kMaxLine) << file.path << ":" << i + 1;
    }
  }
}

TEST(Tidy, FunctionsAreShort) {
  std::size_t seen = 0;
  for (const File& file : tree()) {
    if (!file.is_cpp()) continue;
    for (const Function& function : functions(file.text())) {
      ++seen;
      EXPECT_LE(function.lines, kMaxFunction) << file.path << ":" << function.first_line << ": " << function.name;
    }
  }
  EXPECT_GT(seen, 50U);
}

TEST(Tidy, EveryFolderSaysWhatLivesThere) {
  std::set<std::string> folders;
  for (const File& file : tree()) {
    const std::size_t slash = file.path.rfind('/');
    if (slash != std::string::npos) folders.insert(file.path.substr(0, slash));
  }
  for (const std::string& folder : folders) {
    if (folder.starts_with(".")) continue;
    EXPECT_TRUE(std::filesystem::exists(std::string(HOMEOSTAT_SOURCE_DIR) + "/" + folder + "/README.md")) << folder;
  }
}

TEST(Tidy, ArrowsBetweenRoomsPointDown) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)");
  for (const File& file : tree()) {
    const auto allowed = arrows().find(file.room());
    if (!file.is_cpp() || allowed == arrows().end()) continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_match(line, match, kInclude)) continue;
      const std::string header = match[1];
      const std::string room = room_of(header);
      if (room.empty() || room == file.room()) continue;
      EXPECT_TRUE(allowed->second.contains(room) || allowed->second.contains(header))
          << file.path << ": " << file.room() << " may not include " << header;
    }
  }
}

TEST(Tidy, PureRoomsUseTheStandardLibraryOnly) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*<([^>]+)>.*)");
  for (const File& file : tree()) {
    if (!file.is_cpp() || file.is_test() || !is_pure(file.room())) continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_match(line, match, kInclude)) continue;
      const std::string header = match[1];
      EXPECT_TRUE(header.starts_with("homeostat/") || header.find_first_of("./") == std::string::npos)
          << file.path << ": " << header;
    }
  }
}

/// No clock, no chance, no threads, no output: what decides must be a function of its input. The healer is the one
/// place where the library runs callables, on threads of its own.
TEST(Tidy, DecisionsArePure) {
  static const std::regex kImpure(R"(#\s*include <(thread|mutex|future|atomic|)"
                                  R"(iostream|fstream|filesystem|random|locale|ctime)>|_clock::now|getenv)");
  for (const File& file : tree()) {
    const bool healer = file.path.find("healer") != std::string::npos;
    if (!file.is_cpp() || file.is_test() || healer || (file.room() != "core" && file.room() != "engine")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], kImpure)) << file.path << ":" << i + 1 << ": " << file.lines[i];
    }
  }
}

TEST(Tidy, NothingIsLeftOpenAndNothingPointsOutside) {
  // Written in halves, so that this file does not find itself.
  static const std::regex kWords(std::string(R"(\b(TO)") + R"(DO|FIX)" + R"(ME|X)" + R"(XX)\b|/wo)" + R"(rk/|/fa)" +
                                 R"(rm/)");
  for (const File& file : tree()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], kWords)) << file.path << ":" << i + 1 << ": " << file.lines[i];
    }
  }
}

TEST(Tidy, HeadersAreGuarded) {
  for (const File& file : tree()) {
    if (!file.path.ends_with(".hpp")) continue;
    EXPECT_TRUE(std::ranges::find(file.lines, "#pragma once") != file.lines.end()) << file.path;
  }
}

}  // namespace
}  // namespace tidy
