#include "config/field.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/text.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kMostText = 700;
constexpr std::size_t kMostHint = 80;

}  // namespace

Reader::Reader(std::string file, std::vector<Problem>& problems) : file_(std::move(file)), problems_(problems) {
  std::error_code ignored;
  folder_ = std::filesystem::absolute(file_, ignored).lexically_normal().parent_path().string();
}

void Reader::problem(Position at, const std::string& text, const std::string& hint) {
  if (problems_.size() == kMostProblems) problems_.push_back({file_, 0, 0, "there are more problems", {}});
  if (problems_.size() > kMostProblems) return;
  // Names that are no names stand in many a text.
  problems_.push_back({file_, at.line, at.column, printable(text, kMostText), printable(hint, kMostHint)});
}

std::string Reader::absolute(std::string_view path) const {
  // Text, not std::filesystem: `{instance}` must come through untouched.
  if (path.starts_with('/')) return std::string(path);
  if (path.starts_with("./")) path.remove_prefix(2);
  return path.empty() || path == "." ? folder_ : fmt::format("{}/{}", folder_ == "/" ? "" : folder_, path);
}

Node parse_default(std::string_view text) {
  std::vector<Problem> problems;
  std::optional<Node> node = parse_yaml(text, "default", problems);
  if (!node) std::abort();
  return std::move(*node);
}

std::string reference_to(const std::string& section) { return fmt::format(R"({{"$ref":"#/$defs/{}"}})", section); }

std::size_t check_keys(const Section& section, const Node& node, Reader& reader) {
  std::vector<std::string_view> known, kinds;
  for (const FieldInfo& field : section.fields) {
    known.push_back(field.key);
    if (field.kind) kinds.push_back(field.key);
    if (field.facts.required && node.find(field.key) == nullptr) {
      reader.problem(node.at, fmt::format("`{}` is missing here", field.key));
    }
  }
  const std::string choice = fmt::format("known: {}", fmt::join(kinds, ", "));
  std::size_t found = std::string::npos;
  bool unknown = false;
  for (const Key& key : node.keys) {
    const auto at = std::find(known.begin(), known.end(), key.text);
    if (at == known.end()) {
      unknown = true;
      const std::string or_kind = kinds.empty() ? "" : fmt::format(" or {}; {}", section.what_kinds, choice);
      reader.problem(key.at, fmt::format("unknown key {}{}", quote(key.text), or_kind), nearest(key.text, known));
      continue;
    }
    const auto index = static_cast<std::size_t>(at - known.begin());
    if (!section.fields[index].kind) continue;
    if (found != std::string::npos) {
      reader.problem(key.at, fmt::format("`{}` beside `{}`: only one {} can be given", key.text, known[found],
                                         section.what_kinds));
    }
    found = index;
  }
  if (!kinds.empty() && found == std::string::npos && !unknown) {
    reader.problem(node.at, fmt::format("a {} is missing; {}", section.what_kinds, choice));
  }
  return found;
}

}  // namespace homeostat::config
