// The files of this project, as the tidy tests look at them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidy {

struct File {
  std::string path;  // relative to the top
  std::vector<std::string> lines;

  bool is_cpp() const { return path.ends_with(".cc") || path.ends_with(".hpp"); }
  bool is_test() const { return path.ends_with("_test.cc"); }
  /// "src/core/health.cc" -> "core", "include/homeostat/time.hpp" -> "include"; empty outside the rooms.
  std::string room() const;
  std::string text() const;
};

/// Every text file of the project: no build output, nothing hidden except what CI and the tools read.
const std::vector<File>& tree();

/// Characters, not bytes.
std::size_t columns(std::string_view line);

}  // namespace tidy
