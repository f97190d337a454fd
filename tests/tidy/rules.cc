#include "rules.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>

#include "functions.hpp"

namespace tidy {
namespace {

constexpr std::size_t kMaxFile = 500;
constexpr int kMaxFunction = 70;
constexpr std::size_t kMaxLine = 120;

/// Text that is read or generated, not written as code.
bool is_prose(const File& file) {
  return file.path.ends_with(".md") || file.path.ends_with(".txt") || file.path.starts_with("docs/") ||
         file.path.starts_with("tests/vectors/");
}

/// What a room may include beside itself; `all`: every other.
const std::map<std::string, std::set<std::string>>& arrows() {
  static const std::map<std::string, std::set<std::string>> kArrows{
      {"include", {}},
      {"core", {"include"}},
      {"engine", {"core", "include"}},
      {"os", {"core", "include"}},
      {"probe", {"traffic", "engine", "os", "core", "include"}},
      {"runtime", {"engine", "os", "core", "include"}},
      {"traffic", {"engine", "os", "core", "include"}},
      {"notify", {"core", "include"}},
      {"journal", {"engine", "os", "core", "include"}},
      {"config",
       {"engine", "probe/spec.hpp", "probe/source.hpp", "runtime/spec.hpp", "traffic/spec.hpp", "notify/sender.hpp",
        "os", "core", "include"}},
      {"api", {"engine", "journal", "config", "os", "core", "include"}},
      {"scenario", {"api", "engine", "config", "core", "include"}},
      {"daemon", {"all"}},
      {"cli", {"all"}},
  };
  return kArrows;
}

bool is_pure(const std::string& room) { return room == "include" || room == "core" || room == "engine"; }

std::string at(const File& file, std::size_t line) { return file.path + ":" + std::to_string(line) + ": "; }

struct Include {
  std::size_t line = 0;
  std::string header;
  bool angled = false;
};

std::vector<Include> includes(const File& file) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(file.lines[i], match, kInclude)) found.push_back({i + 1, match[2], match[1] == "<"});
  }
  return found;
}

/// The room that an included header belongs to; empty when it is not one of ours.
std::string room_of(const std::string& header) {
  const std::string first = header.substr(0, header.find('/'));
  if (first == "homeostat") return "include";
  return header.find('/') != std::string::npos && arrows().contains(first) ? first : "";
}

Findings matches(const Files& files, const std::regex& wrong, bool (*looked_at)(const File&)) {
  Findings findings;
  for (const File& file : files) {
    if (!looked_at(file)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (std::regex_search(file.lines[i], wrong)) findings.push_back(at(file, i + 1) + file.lines[i]);
    }
  }
  return findings;
}

}  // namespace

Findings long_files(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    if (!is_prose(file) && file.lines.size() > kMaxFile) findings.push_back(at(file, file.lines.size()) + "split it");
  }
  return findings;
}

Findings long_lines(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    for (std::size_t i = 0; !is_prose(file) && i < file.lines.size(); ++i) {
      const std::size_t length = columns(file.lines[i]);
      if (length > kMaxLine) findings.push_back(at(file, i + 1) + std::to_string(length) + " columns");
    }
  }
  return findings;
}

Findings long_functions(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    if (!file.is_cpp()) continue;
    for (const Function& function : functions(file.text())) {
      if (function.lines <= kMaxFunction) continue;
      findings.push_back(at(file, static_cast<std::size_t>(function.first_line)) + function.name + " has " +
                         std::to_string(function.lines) + " lines");
    }
  }
  return findings;
}

Findings folders_without_readme(const Files& files) {
  std::set<std::string> folders;
  std::set<std::string> described;
  for (const File& file : files) {
    const std::size_t slash = file.path.rfind('/');
    if (slash == std::string::npos || file.path.starts_with(".")) continue;
    folders.insert(file.path.substr(0, slash));
    if (file.path.ends_with("/README.md")) described.insert(file.path.substr(0, slash));
  }
  Findings findings;
  std::ranges::set_difference(folders, described, std::back_inserter(findings));
  return findings;
}

Findings wrong_arrows(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    const std::string own = file.room();
    if (!file.is_cpp() || own.empty()) continue;
    const auto allowed = arrows().find(own);
    if (allowed == arrows().end()) {
      findings.push_back(file.path + ": say in tests/tidy/rules.cc what the room " + own + " may include");
      continue;
    }
    for (const Include& include : includes(file)) {
      const std::string room = room_of(include.header);
      const auto& names = allowed->second;
      if (room.empty() || room == own || names.contains("all")) continue;
      if (names.contains(room) || names.contains(include.header)) continue;
      findings.push_back(at(file, include.line) + own + " may not include " + include.header);
    }
  }
  return findings;
}

Findings foreign_headers(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    if (!file.is_cpp() || file.is_test() || !is_pure(file.room())) continue;
    for (const Include& include : includes(file)) {
      const bool standard = include.header.find_first_of("./") == std::string::npos;
      if (!include.angled || standard || include.header.starts_with("homeostat/")) continue;
      findings.push_back(at(file, include.line) + include.header + " is not the standard library's");
    }
  }
  return findings;
}

Findings impure_decisions(const Files& files) {
  static const std::regex kImpure(R"(#\s*include <(thread|mutex|future|atomic|)"
                                  R"(iostream|fstream|filesystem|random|locale|ctime)>|_clock::now|getenv)");
  // The healer runs callables on threads of its own; a breaker's callers are on many threads, and its ticker is one.
  return matches(files, kImpure, [](const File& file) {
    const bool decides = file.room() == "core" || file.room() == "engine";
    const bool threaded = file.path.find("healer") != std::string::npos || file.path == "src/core/breaker_time.cc";
    return decides && file.is_cpp() && !file.is_test() && !threaded;
  });
}

Findings unguarded_headers(const Files& files) {
  Findings findings;
  for (const File& file : files) {
    if (!file.path.ends_with(".hpp")) continue;
    if (std::ranges::find(file.lines, "#pragma once") == file.lines.end()) findings.push_back(file.path);
  }
  return findings;
}

Findings own_header_not_first(const Files& files) {
  std::set<std::string> headers;
  for (const File& file : files) {
    if (file.path.ends_with(".hpp")) headers.insert(file.path);
  }
  Findings findings;
  for (const File& file : files) {
    if (!file.path.ends_with(".cc")) continue;
    const std::string stem = file.path.substr(0, file.path.size() - 3);
    const std::string name = stem.substr(stem.rfind('/') + 1) + ".hpp";
    const std::string in_library = file.room() == "core" ? "include/homeostat/" + name : stem + ".hpp";
    if (!headers.contains(stem + ".hpp") && !headers.contains(in_library)) continue;
    const std::vector<Include> all = includes(file);
    const bool first = !all.empty() && (all[0].header == name || all[0].header.ends_with("/" + name));
    if (!first) findings.push_back(at(file, all.empty() ? 1 : all[0].line) + "include " + name + " first");
  }
  return findings;
}

Findings forbidden_words(const Files& files) {
  // Written in halves, so that this file does not find itself.
  static const std::set<std::string> kWords{std::string("TO") + "DO", std::string("FIX") + "ME",
                                            std::string("X") + "XX"};
  static const std::set<std::string> kPaths{std::string("/wo") + "rk/", std::string("/fa") + "rm/"};
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  Findings findings;
  for (const File& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string line = " " + file.lines[i] + " ";
      const bool word = std::ranges::any_of(kWords, [&](const std::string& one) {
        const std::size_t found = line.find(one);
        return found != std::string::npos && !letter(line[found - 1]) && !letter(line[found + one.size()]);
      });
      const bool path =
          std::ranges::any_of(kPaths, [&](const std::string& one) { return line.find(one) != std::string::npos; });
      if (word || path) findings.push_back(at(file, i + 1) + file.lines[i]);
    }
  }
  return findings;
}

}  // namespace tidy
