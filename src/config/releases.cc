#include "config/releases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/value.hpp"

namespace homeostat::config {
namespace {

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' || c == '+';
  });
}

}  // namespace

void check_releases(const std::string& releases, const std::string& release, const Node& node, Reader& reader) {
  if (!releases.empty() && release.empty()) {
    reader.problem(node.where("releases"), "with `releases`, the version to begin with is needed: `release: NAME`");
  }
  if (!release.empty() && releases.empty()) {
    reader.problem(node.where("release"), "`release` means nothing without `releases`");
  }
  if (!release.empty() && !is_version(release)) {
    reader.problem(node.where("release"),
                   fmt::format("{} is no version: up to 64 of A-Z a-z 0-9 . _ - +, not a dot first", quote(release)));
  }
}

}  // namespace homeostat::config
