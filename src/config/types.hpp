// The types that fields have, each with its name, its JSON Schema and how it is read.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/field.hpp"
#include "config/value.hpp"
#include "engine/plan.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::config {

/// A text of which `source` may be shown and hashed: itself, or the file it was read from.
struct SecretText {
  std::string value;
  std::string source;
};
using Pairs = std::vector<std::pair<std::string, SecretText>>;

Type<std::string> text_type();
Type<std::string> path_type();  // made absolute
Type<std::string> name_type(std::string what);
Type<bool> bool_type();
Type<Duration> duration_type(Duration least);
Type<std::uint64_t> size_type();
Type<std::uint32_t> count_type(std::uint32_t least, std::uint32_t most);
Type<std::uint32_t> percent_type();
Type<std::int64_t> ratio_type();    // `110%` or `1.1`, in millionths
Type<std::int64_t> decimal_type();  // from 0, in thousandths
Type<Range> port_range_type();
Type<engine::Share> share_type();
Type<std::vector<std::string>> argv_type();
Type<std::vector<std::string>> names_type(std::string what);
/// A text, or `{ file: path }`, the file's text being read at once and never shown.
Type<SecretText> secret_type();
/// The same by name.
Type<Pairs> secrets_type(std::string name_what);

/// The same, read into another type of number.
template <class To, class From>
Type<To> converted(Type<From> type) {
  return {type.shape, [type](const Node& node, Reader& reader, To& out) {
            auto value = static_cast<From>(out);
            type.read(node, reader, value);
            out = static_cast<To>(value);
          }};
}

/// The only words that are allowed, with their values.
template <class E>
Type<E> word_type(std::string name, std::vector<std::pair<std::string_view, E>> words) {
  std::string schema = R"({"enum":[)";
  std::vector<std::string_view> known;
  for (const auto& [word, value] : words) {
    schema += (known.empty() ? "\"" : ",\"") + std::string(word) + "\"";
    known.push_back(word);
  }
  schema += "]}";
  return {{std::move(name), schema}, [words, known](const Node& node, Reader& reader, E& out) {
            for (const auto& [word, value] : words) {
              if (node.is_scalar() && node.text == word) {
                out = value;
                return;
              }
            }
            std::string all;
            for (const std::string_view word : known) all += (all.empty() ? "" : ", ") + std::string(word);
            reader.problem(node.at, (node.is_scalar() ? quote(node.text) + " is not one of: " : "one of: ") + all,
                           nearest(node.text, known));
          }};
}

/// A value under a name of the user's, with its place in the file.
template <class T>
struct Named {
  std::string name;
  const Node* node = nullptr;  // valid while the configuration is being read
  Position at;
  T value{};
};

/// NAME: { … }, in the file's order.
template <class T>
Type<std::vector<Named<T>>> map_type(std::string what, Type<T> item) {
  const Shape shape{
      "map of " + item.shape.name,
      R"({"type":"object","propertyNames":{"pattern":"^[a-z0-9_][a-z0-9_-]{0,62}$"},"additionalProperties":)" +
          item.shape.schema + "}"};
  return {shape, [what, item](const Node& node, Reader& reader, std::vector<Named<T>>& out) {
            if (node.is_null()) return;
            if (!node.is_map()) return reader.problem(node.at, "a map of " + what + "s by name is needed here");
            for (std::size_t i = 0; i < node.keys.size(); ++i) {
              const Key& key = node.keys[i];
              if (!is_name(key.text)) {
                reader.problem(key.at, quote(key.text) + " is no name for " + (what == "issue" ? "an " : "a ") + what +
                                           ": 1 to 63 of a-z 0-9 _ -, not a dash first");
              }
              out.push_back({key.text, &node.items[i], key.at, {}});
              item.read(node.items[i], reader, out.back().value);
            }
          }};
}

/// [ …, … ]
template <class T>
Type<std::vector<T>> list_type(Type<T> item) {
  const Shape shape{"list of " + item.shape.name, R"({"type":"array","items":)" + item.shape.schema + "}"};
  return {shape, [item](const Node& node, Reader& reader, std::vector<T>& out) {
            if (!node.is_list()) return reader.problem(node.at, "a list is needed here: [ … ]");
            out.clear();
            for (const Node& one : node.items) item.read(one, reader, out.emplace_back());
          }};
}

/// Hashes parts so that two different lists of parts never look alike.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view part) {
    hash_ = hash_name(part, hash_name(std::to_string(part.size()) + ":", hash_));
    return *this;
  }
  Fingerprint& add(std::uint64_t number) { return add(std::string_view(std::to_string(number))); }
  Fingerprint& add(const std::vector<std::string>& parts) {
    add(parts.size());
    for (const std::string& part : parts) add(std::string_view(part));
    return *this;
  }
  Fingerprint& add(const Pairs& pairs) {
    add(pairs.size());
    for (const auto& [name, text] : pairs) add(std::string_view(name)).add(std::string_view(text.source));
    return *this;
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = hash_name("");
};

}  // namespace homeostat::config
