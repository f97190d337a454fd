// The field registry: one table a component, each row a key with its type, default, words and example. Reading a
// configuration, the JSON Schema and the reference page all come from these rows.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.hpp"
#include "config/reader.hpp"

namespace homeostat::config {

/// A type as people and editors see it.
struct Shape {
  std::string name;    // "duration"; of an object: the name of its section
  std::string schema;  // a JSON Schema
};

/// How a value of type T is read. `read` reports what is wrong to the reader and then leaves `out` alone.
template <class T>
struct Type {
  Shape shape;
  std::function<void(const Node&, Reader&, T& out)> read;
};

/// What a row says beside its type.
struct Facts {
  std::string_view text;
  std::string_view fallback = {};   // the default, as one would write it; read when the key is absent
  std::string_view otherwise = {};  // when there is no fixed default: what happens without the key, in words
  std::string_view example = {};
  bool required = false;
};

struct FieldInfo {
  std::string key;
  Shape shape;
  Facts facts;
  bool kind = false;  // exactly one of a section's kinds must be given
};

/// A table without its C++ type: what the schema and the reference page are made of.
struct Section {
  std::string name;
  std::string text;
  std::string what_kinds;  // "check kind"; empty: the section has no kinds
  std::string shorthand;   // a value that is no map is read as this key's
  std::vector<FieldInfo> fields;
  bool lone_word = false;  // a kind without settings may be written as a word: `- restart`
};

/// Reports keys of `node` that the section does not have, keys that are missing, and other than one kind.
/// Returns the index of the field that is the kind given; npos when there is none.
std::size_t check_keys(const Section& section, const Node& node, Reader& reader);

std::string reference_to(const std::string& section);  // the JSON Schema {"$ref": …}

template <class T>
class Table {
 public:
  Table(std::string name, std::string text) { section_.name = std::move(name), section_.text = std::move(text); }

  /// A field whose place in T is `get(T&)`: a pointer to a member, or a function.
  template <class M, class Get>
  Table& add(std::string key, Get get, Type<M> type, Facts facts) {
    push({std::move(key), type.shape, facts, false}, [get, read = type.read](const Node& node, Reader& reader, T& out) {
      read(node, reader, std::invoke(get, out));
    });
    return *this;
  }
  /// A kind: one of several keys of which exactly one is given.
  template <class M, class Get>
  Table& add_kind(std::string key, Get get, Type<M> type, Facts facts) {
    add(std::move(key), get, std::move(type), facts);
    section_.fields.back().kind = true;
    return *this;
  }
  Table& kinds(std::string what, bool lone_word = false) {
    section_.what_kinds = std::move(what);
    section_.lone_word = lone_word;
    return *this;
  }
  Table& shorthand(std::string key) {
    section_.shorthand = std::move(key);
    return *this;
  }
  /// The fields of another table, which lie in a part of T. Their defaults are shown but not filled in: the part has
  /// its values already.
  template <class U, class Get>
  Table& include(const Table<U>& other, Get get) {
    for (std::size_t i = 0; i < other.rows_.size(); ++i) {
      push(other.section_.fields[i], [get, read = other.rows_[i].read](const Node& node, Reader& reader, T& out) {
        read(node, reader, std::invoke(get, out));
      });
      rows_.back().fallback.reset();
    }
    return *this;
  }

  const Section& section() const { return section_; }

  void read(const Node& given, Reader& reader, T& out) const {
    const std::optional<Node> unfolded = unfold(given);
    const Node& node = unfolded ? *unfolded : given;  // never a copy of a map: drafts point into the tree
    if (!node.is_map()) {
      reader.problem(given.at, "a map of settings is needed here (" + section_.name + ")");
      return;
    }
    check_keys(section_, node, reader);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (const Node* value = node.find(section_.fields[i].key)) {
        rows_[i].read(*value, reader, out);
      } else if (rows_[i].fallback) {
        rows_[i].read(*rows_[i].fallback, reader, out);
      }
    }
  }

  Type<T> type() const {
    return {{section_.name, reference_to(section_.name)},
            [this](const Node& node, Reader& reader, T& out) { read(node, reader, out); }};
  }

 private:
  template <class U>
  friend class Table;

  struct Row {
    std::function<void(const Node&, Reader&, T&)> read;
    std::optional<Node> fallback;
  };

  void push(FieldInfo info, std::function<void(const Node&, Reader&, T&)> read) {
    std::optional<Node> fallback;
    if (!info.facts.fallback.empty()) fallback = parse_default(info.facts.fallback);
    section_.fields.push_back(std::move(info));
    rows_.push_back({std::move(read), std::move(fallback)});
  }

  /// Nothing is a map without keys; a lone value is the shorthand's; a lone word may be a kind.
  std::optional<Node> unfold(const Node& node) const {
    const bool word = section_.lone_word && node.is_scalar();
    if (node.is_map() || (!node.is_null() && !word && section_.shorthand.empty())) return std::nullopt;
    Node map;
    map.kind = Node::Kind::map;
    map.at = node.at;
    if (node.is_null()) return map;
    map.keys.push_back({word ? node.text : section_.shorthand, node.at});
    Node nothing;
    nothing.at = node.at;
    map.items.push_back(word ? std::move(nothing) : node);
    return map;
  }

  Section section_;
  std::vector<Row> rows_;
};

}  // namespace homeostat::config
