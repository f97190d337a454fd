// A YAML text as a tree with positions, read behind limits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace homeostat::config {

inline constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxNodes = 200'000;
inline constexpr std::size_t kMaxDepth = 32;

struct Key {
  std::string text;
  Position at;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  bool quoted = false;
  Position at;
  std::string text;         // of a scalar
  std::vector<Node> items;  // of a list; of a map: the values
  std::vector<Key> keys;    // of a map: keys[i] belongs to items[i]

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  /// The value of a key; null when this is no map or has no such key.
  const Node* find(std::string_view key) const;
  /// Where the value of `key` stands; where this node stands when it has no such key.
  Position where(std::string_view key) const;
};

/// Reads one document. Anchors, aliases, tags, merge keys, a second document, keys given twice and whatever exceeds
/// the limits are problems; nothing is returned when there are any.
std::optional<Node> parse_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems);

}  // namespace homeostat::config
