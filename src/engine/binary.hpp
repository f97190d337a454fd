// The compact binary form of a struct with named fields: values in order, integers as zig-zag varints, no keys.
// Readable only by the build that wrote it (the input log names the build).
#pragma once

#include "engine/codec.hpp"

namespace homeostat::engine {

class BinaryWriter {
 public:
  template <class T>
  static std::string write(const T& v) {
    BinaryWriter writer;
    writer.value(v);
    return std::move(writer.out_);
  }

  template <class T>
  void operator()(std::string_view, const T& field) {
    value(field);
  }

  template <class T>
  void value(const T& v) {
    if constexpr (std::same_as<T, std::string>) {
      varint(v.size());
      out_ += v;
    } else if constexpr (std::same_as<T, Text>) {
      value(v.str());
    } else if constexpr (Fielded<T>) {
      T::fields(v, *this);
    } else if constexpr (IsOptional<T>::value) {
      varint(v ? 1 : 0);
      if (v) value(*v);
    } else if constexpr (Mapping<T>) {
      varint(v.size());
      for (const auto& [key, item] : v) {
        value(key);
        value(item);
      }
    } else if constexpr (Sequence<T>) {
      varint(v.size());
      for (const auto& item : v) value(item);
    } else if constexpr (std::same_as<T, double>) {
      varint(std::bit_cast<std::uint64_t>(v));
    } else if constexpr (std::is_unsigned_v<T>) {
      varint(v);
    } else {
      const std::int64_t number = to_number(v);
      varint((static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      out_ += static_cast<char>(v | 0x80);
      v >>= 7;
    }
    out_ += static_cast<char>(v);
  }

  std::string out_;
};

class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : bytes_(bytes) {}

  /// True and `v` filled in when `bytes` holds exactly one value.
  template <class T>
  static bool read(std::string_view bytes, T& v) {
    BinaryReader reader(bytes);
    reader.value(v);
    return !reader.failed_ && reader.bytes_.empty();
  }

  template <class T>
  void operator()(std::string_view, T& field) {
    value(field);
  }

  template <class T>
  void value(T& v) {
    if constexpr (std::same_as<T, std::string> || std::same_as<T, Text>) {
      const std::uint64_t size = length();
      v = bytes_.substr(0, size);
      bytes_.remove_prefix(size);
    } else if constexpr (Fielded<T>) {
      T::fields(v, *this);
    } else if constexpr (IsOptional<T>::value) {
      v.reset();
      if (varint() == 1) value(v.emplace());
    } else if constexpr (Mapping<T>) {
      v.clear();
      for (std::uint64_t n = length(); n > 0 && !failed_; --n) {
        typename T::key_type key{};
        value(key);
        value(v[std::move(key)]);
      }
    } else if constexpr (Fixed<T>) {
      if (length() != v.size()) failed_ = true;
      for (auto& item : v) value(item);
    } else if constexpr (Sequence<T>) {
      v.clear();
      for (std::uint64_t n = length(); n > 0 && !failed_; --n) {
        typename T::value_type item{};
        value(item);
        v.insert(v.end(), std::move(item));
      }
    } else if constexpr (std::same_as<T, double>) {
      v = std::bit_cast<double>(varint());
    } else if constexpr (std::is_unsigned_v<T>) {
      const std::uint64_t number = varint();
      v = static_cast<T>(number);
      if (v != number) failed_ = true;  // it does not fit
    } else {
      const std::uint64_t zigzag = varint();
      const std::int64_t number = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
      v = from_number<T>(number);
      if (to_number(v) != number) failed_ = true;  // it does not fit
      if constexpr (NamedEnum<T>) {
        if (static_cast<std::size_t>(number) >= names_of(v).size()) failed_ = true;
      }
    }
  }

  bool failed() const { return failed_; }
  /// Everything has been read, and it was what it should be.
  bool done() const { return !failed_ && bytes_.empty(); }

 private:
  // Every element takes at least one byte, so a length beyond the rest is a lie: stop before allocating for it.
  std::uint64_t length() {
    const std::uint64_t n = varint();
    if (n > bytes_.size()) failed_ = true;
    return failed_ ? 0 : n;
  }

  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    failed_ = true;
    return 0;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace homeostat::engine
