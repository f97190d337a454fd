// Small stand-ins for standard types, for state that exists once an instance or once a service: most of it is empty
// most of the time, and then takes one word.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace homeostat {

/// A value that is mostly absent, on the heap when it is there: std::optional in one word.
template <class T>
class Boxed {
 public:
  using value_type = T;

  Boxed() = default;
  Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  Boxed& operator=(T value) {
    value_ = std::make_unique<T>(std::move(value));
    return *this;
  }
  ~Boxed() = default;

  T& emplace() { return *(value_ = std::make_unique<T>()); }
  void reset() { value_.reset(); }
  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  friend bool operator==(const Boxed& a, const Boxed& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || *a == *b);
  }

 private:
  std::unique_ptr<T> value_;
};

/// A text that is mostly empty.
class Text {
 public:
  Text() = default;
  explicit Text(std::string_view text) { *this = text; }
  Text& operator=(std::string_view text) {
    if (text.empty())
      text_.reset();
    else
      text_ = std::string(text);
    return *this;
  }

  const std::string& str() const {
    static const std::string kEmpty;
    return text_ ? *text_ : kEmpty;
  }
  operator const std::string&() const { return str(); }  // NOLINT(google-explicit-constructor): it is a text
  bool empty() const { return !text_; }
  friend bool operator==(const Text& a, const Text& b) { return a.str() == b.str(); }
  friend bool operator==(const Text& a, std::string_view b) { return a.str() == b; }

 private:
  Boxed<std::string> text_;
};

/// A map in one sorted vector, for few keys: what it holds lies side by side, and moves when a key comes or goes. One
/// word while it is empty.
template <class Key, class T>
class FlatMap {
 public:
  using key_type = Key;
  using mapped_type = T;
  using value_type = std::pair<Key, T>;
  using iterator = std::vector<value_type>::iterator;
  using const_iterator = std::vector<value_type>::const_iterator;

  iterator begin() { return items_ ? items_->begin() : iterator{}; }
  iterator end() { return items_ ? items_->end() : iterator{}; }
  const_iterator begin() const { return items_ ? items_->begin() : const_iterator{}; }
  const_iterator end() const { return items_ ? items_->end() : const_iterator{}; }
  std::size_t size() const { return items_ ? items_->size() : 0; }
  bool empty() const { return size() == 0; }
  void clear() { items_.reset(); }
  void reserve(std::size_t size) { made().reserve(size); }

  iterator find(const Key& key) { return begin() + (std::as_const(*this).find(key) - std::as_const(*this).begin()); }
  const_iterator find(const Key& key) const {
    const auto at = std::lower_bound(begin(), end(), key, kBefore);
    return at != end() && at->first == key ? at : end();
  }
  bool contains(const Key& key) const { return find(key) != end(); }
  const T& at(const Key& key) const { return find(key)->second; }

  T& operator[](const Key& key) {
    auto& items = made();
    const auto index = std::lower_bound(items.begin(), items.end(), key, kBefore) - items.begin();
    const auto at = items.begin() + index;
    if (at != items.end() && at->first == key) return at->second;
    // By a quarter, not by doubling: there are thousands of these and hardly any grows later.
    if (items.size() == items.capacity()) items.reserve(items.size() + items.size() / 4 + 1);
    return items.insert(items.begin() + index, value_type(key, T{}))->second;
  }

  void erase(const Key& key) {
    const auto at = find(key);
    if (at == end()) return;
    items_->erase(at);
    if (items_->empty()) items_.reset();
  }

 private:
  static constexpr auto kBefore = [](const value_type& item, const Key& key) { return item.first < key; };

  std::vector<value_type>& made() { return items_ ? *items_ : items_.emplace(); }

  Boxed<std::vector<value_type>> items_;
};

/// A list that is mostly empty: std::vector in one word while it is.
template <class T>
class Few {
 public:
  using value_type = T;
  using iterator = std::vector<T>::iterator;
  using const_iterator = std::vector<T>::const_iterator;

  Few() = default;
  Few(std::initializer_list<T> items) : Few(std::vector<T>(items)) {}
  Few(std::vector<T> items) {  // NOLINT(google-explicit-constructor): it is that list
    if (!items.empty()) items_ = std::move(items);
  }

  iterator begin() { return items_ ? items_->begin() : iterator{}; }
  iterator end() { return items_ ? items_->end() : iterator{}; }
  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  void clear() { items_.reset(); }

  const std::vector<T>& all() const {
    static const std::vector<T> kNone;
    return items_ ? *items_ : kNone;
  }
  T& operator[](std::size_t index) { return (*items_)[index]; }
  const T& operator[](std::size_t index) const { return (*items_)[index]; }
  const T& back() const { return items_->back(); }
  void push_back(T item) { (items_ ? *items_ : items_.emplace()).push_back(std::move(item)); }
  /// For readers of sequences: always at the end.
  void insert(const_iterator, T item) { push_back(std::move(item)); }
  iterator erase(const_iterator first, const_iterator last) { return items_ ? items_->erase(first, last) : iterator{}; }
  template <class Unwanted>
  void erase_if(Unwanted unwanted) {
    if (items_) std::erase_if(*items_, unwanted);
  }
  explicit operator std::vector<T>() const { return all(); }
  friend bool operator==(const Few& a, const Few& b) { return std::ranges::equal(a, b); }

 private:
  Boxed<std::vector<T>> items_;
};

/// A list that is made once and then shared by all that are equal to it.
template <class T>
class SharedList {
 public:
  using value_type = T;
  using const_iterator = std::vector<T>::const_iterator;

  SharedList() = default;
  SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}
  SharedList(std::vector<T> items)  // NOLINT(google-explicit-constructor): it is that list
      : items_(std::make_shared<const std::vector<T>>(std::move(items))) {}

  const std::vector<T>& all() const {
    static const std::vector<T> kNone;
    return items_ ? *items_ : kNone;
  }
  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const T& operator[](std::size_t index) const { return all()[index]; }
  const T& front() const { return all().front(); }
  /// Makes another list of it.
  template <class Change>
  void change(Change change) {
    std::vector<T> items = all();
    change(items);
    *this = SharedList(std::move(items));
  }
  /// Of `known` the equal one takes its place; where there is none, it becomes known itself.
  void share(std::vector<SharedList>& known) {
    const auto same = std::ranges::find(known, *this);
    if (same != known.end())
      *this = *same;
    else
      known.push_back(*this);
  }
  friend bool operator==(const SharedList& a, const SharedList& b) {
    return a.items_ == b.items_ || a.all() == b.all();
  }

 private:
  std::shared_ptr<const std::vector<T>> items_;
};

/// A set in one sorted vector, for few keys.
template <class Key>
class FlatSet {
 public:
  using value_type = Key;
  using const_iterator = std::vector<Key>::const_iterator;

  const_iterator begin() const { return items_ ? items_->begin() : const_iterator{}; }
  const_iterator end() const { return items_ ? items_->end() : const_iterator{}; }
  std::size_t size() const { return items_ ? items_->size() : 0; }
  bool empty() const { return size() == 0; }
  void clear() { items_.reset(); }
  bool contains(const Key& key) const { return std::binary_search(begin(), end(), key); }

  void insert(Key key) {
    auto& items = items_ ? *items_ : items_.emplace();
    const auto at = std::ranges::lower_bound(items, key);
    if (at == items.end() || *at != key) items.insert(at, std::move(key));
  }
  /// For readers of sequences, which cannot know that the place does not matter.
  void insert(const_iterator, Key key) { insert(std::move(key)); }

  void erase(const Key& key) {
    if (!contains(key)) return;
    items_->erase(std::ranges::lower_bound(*items_, key));
  }

 private:
  Boxed<std::vector<Key>> items_;
};

}  // namespace homeostat
