// Canonical JSON out of a struct with named fields.
#pragma once

#include "engine/codec.hpp"

namespace homeostat::engine {

void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  template <Fielded T>
  static std::string write(const T& object) {
    JsonWriter writer;
    writer.value(object);
    return std::move(writer.out_);
  }

  /// The visitor: called by `fields` once a field.
  template <class T>
  void operator()(std::string_view key, const T& field) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, key);
    out_ += ':';
    value(field);
  }

 private:
  template <class T>
  void value(const T& v) {
    if constexpr (std::same_as<T, bool>)
      out_ += v ? "true" : "false";
    else if constexpr (std::same_as<T, std::string> || std::same_as<T, Text>)
      append_json_string(out_, static_cast<const std::string&>(v));
    else if constexpr (NamedEnum<T>)
      append_json_string(out_, names_of(v)[static_cast<std::size_t>(v)]);
    else if constexpr (std::same_as<T, std::uint64_t>)
      out_ += std::to_string(v);
    else if constexpr (std::same_as<T, double>)
      out_ += std::to_string(std::bit_cast<std::uint64_t>(v));
    else if constexpr (Fielded<T>)
      object(v);
    else if constexpr (IsOptional<T>::value)
      optional(v);
    else if constexpr (Mapping<T>)
      mapping(v);
    else if constexpr (Sequence<T>)
      sequence(v);
    else
      out_ += std::to_string(to_number(v));
  }

  template <class T>
  void object(const T& v) {
    const bool outer = std::exchange(first_, true);
    out_ += '{';
    T::fields(v, *this);
    out_ += '}';
    first_ = outer;
  }

  template <class T>
  void optional(const T& v) {
    if (v)
      value(*v);
    else
      out_ += "null";
  }

  template <class T>
  void sequence(const T& v) {
    out_ += '[';
    bool first = true;
    for (const auto& item : v) {
      if (!std::exchange(first, false)) out_ += ',';
      value(item);
    }
    out_ += ']';
  }

  // A map becomes a list of [key, value] pairs: keys need not be strings.
  template <class T>
  void mapping(const T& v) {
    out_ += '[';
    bool first = true;
    for (const auto& [key, item] : v) {
      if (!std::exchange(first, false)) out_ += ',';
      out_ += '[';
      value(key);
      out_ += ',';
      value(item);
      out_ += ']';
    }
    out_ += ']';
  }

  std::string out_;
  bool first_ = true;
};

}  // namespace homeostat::engine
