// A struct with named fields out of JSON. Unknown keys are skipped, missing or ill-typed ones make the read fail:
// the text may come from a damaged or hostile file.
#pragma once

#include "engine/codec.hpp"

namespace homeostat::engine {

/// A cursor over JSON text. Every step checks bounds; after an error it stays failed.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  bool at_end();
  void fail() { failed_ = true; }
  /// Consumes `c` (after blanks) when it is next.
  bool take(char c);
  void expect(char c);
  bool literal(std::string_view word);
  /// Consumes `"key":` when exactly that is next.
  bool key(std::string_view key);
  std::int64_t number();
  std::uint64_t natural();
  std::string string();
  void string(std::string& out);
  /// Passes over one value of any kind and returns its text.
  std::string_view skip_value(int depth = 0);

 private:
  void blanks();
  void append_escape(std::string& out);

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

class JsonReader;

/// Reads an object whose fields stand there in order, as our own writer puts them: one pass, no copies.
class InOrder {
 public:
  InOrder(JsonCursor& cursor, int depth) : cursor_(cursor), depth_(depth) {}

  template <class T>
  void operator()(std::string_view key, T& field);
  bool whole() { return matches_ && cursor_.take('}') && !cursor_.failed(); }

 private:
  JsonCursor& cursor_;
  int depth_;
  bool first_ = true;
  bool matches_ = true;
};

class JsonReader {
 public:
  /// True and `object` filled in, or false and `object` in no particular state. It must be as it was made: what the
  /// text does not have stays.
  template <Fielded T>
  static bool read(std::string_view text, T& object) {
    JsonCursor cursor(text);
    read_object(cursor, object, 0);
    return !cursor.failed() && cursor.at_end();
  }

  template <class T>
  void operator()(std::string_view key, T& field) {
    // Fields come in order in canonical text, so the search begins where the last one ended.
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const auto& [name, text] = members_[(next_ + i) % members_.size()];
      if (name != key) continue;
      next_ = (next_ + i + 1) % members_.size();
      JsonCursor cursor(text);
      read_value(cursor, field, depth_ + 1);
      if (cursor.failed() || !cursor.at_end()) failed_ = true;
      return;
    }
    // The text is older than the field, which keeps its default: a journal outlives the program that wrote it.
  }

 private:
  static constexpr int kMaxDepth = 16;

  friend class InOrder;

  template <class T>
  static void read_object(JsonCursor& cursor, T& object, int depth) {
    if (depth > kMaxDepth) return cursor.fail();
    const JsonCursor begin = cursor;
    InOrder in_order(cursor, depth);
    T::fields(object, in_order);
    if (in_order.whole()) return;
    cursor = begin;
    read_members(cursor, object, depth);
  }

  template <class T>
  static void read_members(JsonCursor& cursor, T& object, int depth) {
    JsonReader reader;
    reader.depth_ = depth;
    cursor.expect('{');
    if (!cursor.take('}')) {
      do {
        std::string key = cursor.string();
        cursor.expect(':');
        reader.members_.emplace_back(std::move(key), cursor.skip_value());
      } while (!cursor.failed() && cursor.take(','));
      cursor.expect('}');
    }
    if (cursor.failed()) return;
    T::fields(object, reader);
    if (reader.failed_) cursor.fail();
  }

  template <class T>
  static void read_value(JsonCursor& cursor, T& v, int depth) {
    if constexpr (std::same_as<T, bool>)
      v = read_bool(cursor);
    else if constexpr (std::same_as<T, std::string>)
      cursor.string(v);
    else if constexpr (std::same_as<T, Text>)
      v = cursor.string();
    else if constexpr (NamedEnum<T>)
      v = read_enum<T>(cursor);
    else if constexpr (std::same_as<T, std::uint64_t>)
      v = cursor.natural();
    else if constexpr (std::same_as<T, double>)
      v = std::bit_cast<double>(cursor.natural());
    else if constexpr (Fielded<T>)
      read_object(cursor, v, depth);
    else if constexpr (IsOptional<T>::value)
      read_optional(cursor, v, depth);
    else if constexpr (Mapping<T>)
      read_mapping(cursor, v, depth);
    else if constexpr (Fixed<T>)
      read_fixed(cursor, v, depth);
    else if constexpr (Sequence<T>)
      read_sequence(cursor, v, depth);
    else
      read_number(cursor, v);
  }

  template <class T>
  static void read_number(JsonCursor& cursor, T& v) {
    const std::int64_t number = cursor.number();
    v = from_number<T>(number);
    if (to_number(v) != number) cursor.fail();  // it does not fit
  }

  static bool read_bool(JsonCursor& cursor) {
    if (cursor.literal("true")) return true;
    if (!cursor.literal("false")) cursor.fail();
    return false;
  }

  template <class T>
  static T read_enum(JsonCursor& cursor) {
    const std::string name = cursor.string();
    const auto names = names_of(T{});
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return static_cast<T>(i);
    }
    cursor.fail();
    return T{};
  }

  template <class T>
  static void read_optional(JsonCursor& cursor, T& v, int depth) {
    if (cursor.literal("null")) {
      v.reset();
    } else {
      read_value(cursor, v.emplace(), depth + 1);
    }
  }

  template <class T>
  static void read_sequence(JsonCursor& cursor, T& v, int depth) {
    v.clear();
    cursor.expect('[');
    if (cursor.take(']')) return;
    do {
      typename T::value_type item{};
      read_value(cursor, item, depth + 1);
      v.insert(v.end(), std::move(item));
    } while (!cursor.failed() && cursor.take(','));
    cursor.expect(']');
  }

  template <class T>
  static void read_fixed(JsonCursor& cursor, T& v, int depth) {
    cursor.expect('[');
    for (std::size_t i = 0; i < v.size() && !cursor.failed(); ++i) {
      if (i > 0) cursor.expect(',');
      read_value(cursor, v[i], depth + 1);
    }
    cursor.expect(']');
  }

  template <class T>
  static void read_mapping(JsonCursor& cursor, T& v, int depth) {
    v.clear();
    cursor.expect('[');
    if (cursor.take(']')) return;
    do {
      typename T::key_type key{};
      cursor.expect('[');
      read_value(cursor, key, depth + 1);
      cursor.expect(',');
      read_value(cursor, v[std::move(key)], depth + 1);
      cursor.expect(']');
    } while (!cursor.failed() && cursor.take(','));
    cursor.expect(']');
  }

  std::vector<std::pair<std::string, std::string_view>> members_;
  std::size_t next_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

template <class T>
void InOrder::operator()(std::string_view key, T& field) {
  matches_ = matches_ && cursor_.take(first_ ? '{' : ',') && cursor_.key(key);
  first_ = false;
  if (matches_) JsonReader::read_value(cursor_, field, depth_ + 1);
  matches_ = matches_ && !cursor_.failed();
}

}  // namespace homeostat::engine
