// What the fuzz targets share: their entry, a check that stops the fuzzer, and chance that follows from the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "homeostat/schedule.hpp"

namespace homeostat::fuzz {

/// Each target defines this: `input` is whatever the fuzzer made up.
void run(std::string_view input);

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::abort();
}

/// Choices for which the input has no bytes of its own (where to split it): the same for the same input.
class Chance {
 public:
  explicit Chance(std::string_view input) : state_(hash_name(input)) {}

  std::uint64_t below(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return limit == 0 ? 0 : (state_ >> 33) % limit;
  }

 private:
  std::uint64_t state_;
};

/// Hands `input` to `take` in pieces of any size, empty ones too.
template <class Take>
void in_pieces(std::string_view input, Chance& chance, Take take) {
  const std::uint64_t most = 1 + chance.below(3) * chance.below(200);
  while (!input.empty()) {
    const std::string_view piece = input.substr(0, chance.below(most + 1));
    take(piece);
    input.remove_prefix(piece.size());
  }
}

}  // namespace homeostat::fuzz

// What a target prepares on its first call must not count as the time of an input.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  homeostat::fuzz::run({});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Processor time: how busy the machine is must not count.
  const std::clock_t begin = std::clock();
  homeostat::fuzz::run({reinterpret_cast<const char*>(data), size});
  homeostat::fuzz::require(std::clock() - begin < CLOCKS_PER_SEC, "an input takes less than a second");
  return 0;
}
