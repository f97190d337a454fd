// The only source of chance in the library: seeded, saved with the state, the same on every compiler.
#pragma once

#include <cstdint>

namespace homeostat {

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed = 0) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }

  /// A number in [0, bound); 0 for bound 0. The bias is below bound / 2^64.
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t draw = next();
    return bound == 0 ? 0 : draw % bound;
  }

  constexpr std::uint64_t state() const { return state_; }

  /// The finaliser by itself: turns any number into a well spread one.
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// Names every field once, for saving, loading and hashing.
  static constexpr auto fields = [](auto& self, auto& visit) { visit("state", self.state_); };

 private:
  std::uint64_t state_;
};

}  // namespace homeostat
