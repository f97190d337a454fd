// One breaker for each key (an endpoint, a host, a tenant), made when it is first asked for.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homeostat/breaker.hpp"

namespace homeostat {

struct BreakerRegistryOptions {
  BreakerOptions defaults{};
  /// So many breakers at once. When they are all in use or open, a new key gets none.
  std::size_t max_breakers = 1024;
};

/// Looking up a key that exists is wait-free and allocates nothing: a probe of a table that is never moved, and a
/// reference count of the breaker. Making, evicting and configuring take a mutex. The memory of an evicted breaker is
/// used for the next one and returned with the registry, so that a reader is never left with a pointer to nothing.
template <class Clock>
class BasicBreakerRegistry {
  struct Entry;

 public:
  using Breaker = BasicBreaker<Clock>;
  using Listener = std::function<void(const std::string& key, const BreakerEvent&)>;

  /// Holds a breaker: it is not evicted meanwhile. Permits must not outlive it.
  class Handle {
   public:
    Handle(Handle&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Handle() {
      if (entry_ != nullptr) entry_->refs.fetch_sub(1, std::memory_order_release);
    }
    Breaker& operator*() const noexcept { return *entry_->breaker; }
    Breaker* operator->() const noexcept { return &*entry_->breaker; }

   private:
    friend class BasicBreakerRegistry;
    explicit Handle(Entry* entry) noexcept : entry_(entry) {}
    Entry* entry_;
  };

  /// Bad options throw std::invalid_argument, which names the field.
  explicit BasicBreakerRegistry(BreakerRegistryOptions options = {}, Listener listener = {}, Clock clock = {})
      : options_(std::move(options)), listener_(std::move(listener)), clock_(std::move(clock)) {
    breaker_detail::require(validate(options_.defaults));
    if (options_.max_breakers == 0 || options_.max_breakers > 1'000'000) {
      breaker_detail::require(std::unexpected("max_breakers: is not from 1 to 1000000"));
    }
    std::size_t size = 4;
    while (size < options_.max_breakers * 2) size *= 2;
    table_ = std::vector<std::atomic<Entry*>>(size);
  }

  /// The breaker of the key; nothing when there is no room for a new one.
  std::optional<Handle> get(std::string_view key) {
    const std::uint64_t hash = hash_of(key);
    if (Entry* found = find(key, hash)) return Handle(found);
    const std::scoped_lock lock(mutex_);
    if (Entry* found = find(key, hash)) return Handle(found);
    if (live_ >= options_.max_breakers && !evict_one()) return std::nullopt;
    return Handle(insert(key, hash));
  }

  /// Evicts breakers that nobody has asked for since the last sweep, except those that are open or in use.
  std::size_t sweep() {
    const std::scoped_lock lock(mutex_);
    std::size_t evicted = 0;
    for (std::atomic<Entry*>& place : table_) evicted += try_evict(place) ? 1 : 0;
    return evicted;
  }

  /// New defaults for all breakers, but those that have options of their own.
  std::expected<void, std::string> reconfigure(const BreakerOptions& defaults) {
    const std::scoped_lock lock(mutex_);
    if (auto valid = validate(defaults); !valid) return valid;
    if (defaults.slow_above != options_.defaults.slow_above && live_ > 0) {
      return std::unexpected("slow_above: is fixed when a breaker is made");
    }
    options_.defaults = defaults;
    for_each([&](Entry& entry) {
      if (!own_.contains(entry.key)) (void)entry.breaker->reconfigure(defaults);
    });
    return {};
  }

  /// Options of its own for one key, now and whenever it is made again.
  std::expected<void, std::string> configure(std::string_view key, const BreakerOptions& options) {
    const std::scoped_lock lock(mutex_);
    if (auto valid = validate(options); !valid) return valid;
    if (!own_.contains(std::string(key)) && own_.size() >= options_.max_breakers) {
      return std::unexpected("max_breakers: so many keys have options of their own already");
    }
    std::expected<void, std::string> done{};
    for_each([&](Entry& entry) {
      if (entry.key == key) done = entry.breaker->reconfigure(options);
    });
    if (done) own_.insert_or_assign(std::string(key), options);
    return done;
  }

  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return live_;
  }
  /// Of all breakers, by key.
  std::vector<BreakerStatus> statuses() {
    std::vector<BreakerStatus> all;
    {
      const std::scoped_lock lock(mutex_);
      for_each([&](Entry& entry) { all.push_back(entry.breaker->status()); });
    }
    std::ranges::sort(all, {}, &BreakerStatus::name);
    return all;
  }

 private:
  static constexpr std::uint64_t kDead = std::uint64_t{1} << 63;

  struct alignas(64) Entry {
    std::atomic<std::uint64_t> refs{kDead};  // handles, or kDead plus readers that have not noticed yet
    std::atomic<std::uint64_t> hash{0};
    std::atomic<bool> used{false};  // since the last sweep
    std::string key;
    std::optional<Breaker> breaker;
  };

  static std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }
  static Entry* gone() {  // a place that was used: looking goes on behind it
    static Entry entry;
    return &entry;
  }

  // With a reference taken. A reader that comes while the table is cleaned up may not find what is there; it then
  // looks again under the mutex.
  Entry* find(std::string_view key, std::uint64_t hash) {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t i = 0; i <= mask; ++i) {
      Entry* entry = table_[(hash + i) & mask].load(std::memory_order_acquire);
      if (entry == nullptr) return nullptr;
      if (entry->hash.load(std::memory_order_relaxed) != hash || entry == gone()) continue;
      // While a reference is held on one that is not dead, its key stands.
      if ((entry->refs.fetch_add(1, std::memory_order_acquire) & kDead) == 0 && entry->key == key) {
        if (!entry->used.load(std::memory_order_relaxed)) entry->used.store(true, std::memory_order_relaxed);
        return entry;
      }
      entry->refs.fetch_sub(1, std::memory_order_release);
    }
    return nullptr;
  }

  Entry* insert(std::string_view key, std::uint64_t hash) {
    if (free_.empty()) {
      entries_.push_back(std::make_unique<Entry>());
      free_.push_back(entries_.back().get());
    }
    Entry* entry = free_.back();
    free_.pop_back();
    entry->key = key;
    entry->hash.store(hash, std::memory_order_relaxed);
    entry->used.store(true, std::memory_order_relaxed);
    const auto own = own_.find(entry->key);
    entry->breaker.emplace(entry->key, own == own_.end() ? options_.defaults : own->second, listener_of(entry->key),
                           clock_);
    entry->refs.fetch_add(1 - kDead, std::memory_order_release);  // alive, with one reference
    place(entry, hash);
    ++live_;
    return entry;
  }

  typename Breaker::Listener listener_of(const std::string& key) const {
    if (!listener_) return {};
    return [this, key](const BreakerEvent& event) { listener_(key, event); };
  }

  void place(Entry* entry, std::uint64_t hash) {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t i = 0;; ++i) {
      std::atomic<Entry*>& at = table_[(hash + i) & mask];
      const Entry* held = at.load(std::memory_order_relaxed);
      if (held != nullptr && held != gone()) continue;
      if (held == gone()) --gone_;
      return at.store(entry, std::memory_order_release);
    }
  }

  bool evict_one() {
    for (int round = 0; round < 2; ++round) {  // the first takes back the mark of being used
      for (std::size_t i = 0; i < table_.size(); ++i) {
        hand_ = (hand_ + 1) & (table_.size() - 1);
        if (try_evict(table_[hand_])) return true;
      }
    }
    return false;
  }

  bool try_evict(std::atomic<Entry*>& place_of) {
    Entry* entry = place_of.load(std::memory_order_relaxed);
    if (entry == nullptr || entry == gone()) return false;
    if (entry->used.exchange(false, std::memory_order_relaxed)) return false;
    const BreakerState state = entry->breaker->state();
    if (state != BreakerState::closed && state != BreakerState::probe_due) return false;
    std::uint64_t none = 0;
    if (!entry->refs.compare_exchange_strong(none, kDead, std::memory_order_acquire)) return false;
    place_of.store(gone(), std::memory_order_release);
    entry->breaker.reset();
    free_.push_back(entry);
    --live_;
    if (++gone_ > table_.size() / 4) clean_up();
    return true;
  }

  void clean_up() {
    for (std::atomic<Entry*>& at : table_) at.store(nullptr, std::memory_order_release);
    gone_ = 0;
    for (const auto& entry : entries_) {
      if (entry->breaker) place(entry.get(), entry->hash.load(std::memory_order_relaxed));
    }
  }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (const auto& entry : entries_) {
      if (entry->breaker) visit(*entry);
    }
  }

  BreakerRegistryOptions options_;
  const Listener listener_;
  const Clock clock_;
  std::vector<std::atomic<Entry*>> table_;
  mutable std::mutex mutex_;  // of everything below, and of writing the table
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> free_;
  std::map<std::string, BreakerOptions> own_;
  std::size_t live_ = 0;
  std::size_t gone_ = 0;
  std::size_t hand_ = 0;
};

using BreakerRegistry = BasicBreakerRegistry<SharedTick>;

}  // namespace homeostat
