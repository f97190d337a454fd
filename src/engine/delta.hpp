// What has changed between two values of the same struct with named fields: a list of numbers, small where little has
// changed, from which the later value comes back exactly.
//
// The values are walked leaf by leaf, a list's length before its elements, a new element against an empty one. Each
// change is two numbers: how many leaves were the same before it, and the difference.
#pragma once

#include "engine/codec.hpp"

namespace homeostat::engine {

class DeltaWriter {
 public:
  /// Nothing when a text has changed: then the whole must be written.
  template <Fielded T>
  static std::optional<std::vector<std::int64_t>> write(const T& before, const T& after) {
    DeltaWriter writer;
    writer.value(before, after);
    if (writer.text_changed_) return std::nullopt;
    return std::move(writer.out_);
  }

 private:
  template <class T>
  void value(const T& before, const T& after) {
    if constexpr (std::same_as<T, std::string>)
      text_changed_ = text_changed_ || before != after;
    else if constexpr (Fielded<T>)
      object(before, after);
    else if constexpr (Sequence<T>)
      list(before, after);
    else
      leaf(static_cast<std::uint64_t>(to_number(before)), static_cast<std::uint64_t>(to_number(after)));
  }

  template <class T>
  void object(const T& before, const T& after) {
    std::vector<const void*> fields;
    const auto collect = [&](std::string_view, const auto& field) { fields.push_back(&field); };
    T::fields(before, collect);
    auto next = fields.begin();
    const auto compare = [&]<class F>(std::string_view, const F& field) {
      value(*static_cast<const F*>(*next++), field);
    };
    T::fields(after, compare);
  }

  template <class T>
  void list(const T& before, const T& after) {
    static const typename T::value_type kEmpty{};
    leaf(before.size(), after.size());
    for (std::size_t i = 0; i < after.size(); ++i) value(i < before.size() ? before[i] : kEmpty, after[i]);
  }

  // Modulo 2^64: the difference of any two numbers leads from one to the other.
  void leaf(std::uint64_t before, std::uint64_t after) {
    if (before == after) {
      ++same_;
      return;
    }
    out_.push_back(std::exchange(same_, 0));
    out_.push_back(static_cast<std::int64_t>(after - before));
  }

  std::vector<std::int64_t> out_;
  std::int64_t same_ = 0;
  bool text_changed_ = false;
};

class DeltaReader {
 public:
  /// `value` becomes what it was when the delta was written. False, and `value` unchanged: it is no delta of it.
  template <Fielded T>
  static bool apply(const std::vector<std::int64_t>& delta, T& value) {
    DeltaReader reader(delta);
    T changed = value;
    reader.value(changed);
    if (reader.failed_ || reader.next_ != delta.size()) return false;
    value = std::move(changed);
    return true;
  }

  /// The visitor: called by `fields` once a field.
  template <class T>
  void operator()(std::string_view, T& field) {
    value(field);
  }

 private:
  static constexpr std::size_t kLongest = 1 << 16;

  explicit DeltaReader(const std::vector<std::int64_t>& delta) : delta_(delta) { load(); }

  template <class T>
  void value(T& v) {
    if constexpr (std::same_as<T, std::string>)
      return;
    else if constexpr (Fielded<T>)
      T::fields(v, *this);
    else if constexpr (Sequence<T>)
      list(v);
    else
      v = from_number<T>(static_cast<std::int64_t>(leaf(static_cast<std::uint64_t>(to_number(v)))));
  }

  template <class T>
  void list(T& v) {
    const std::uint64_t size = leaf(v.size());
    failed_ = failed_ || size > kLongest;
    if (failed_) return;
    v.resize(size);
    for (auto& item : v) value(item);
  }

  std::uint64_t leaf(std::uint64_t before) {
    if (next_ >= delta_.size() || same_-- > 0) return before;
    const auto after = before + static_cast<std::uint64_t>(delta_[next_ + 1]);
    next_ += 2;
    load();
    return after;
  }

  void load() {
    failed_ = failed_ || delta_.size() % 2 != 0;
    if (failed_) next_ = delta_.size();
    if (next_ >= delta_.size()) return;
    same_ = delta_[next_];
    failed_ = same_ < 0;
  }

  const std::vector<std::int64_t>& delta_;
  std::size_t next_ = 0;
  std::int64_t same_ = 0;
  bool failed_ = false;
};

}  // namespace homeostat::engine
