// Two windows (Knative's rule): the long one sets the pace, the short one takes over when load jumps, and while it does
// nothing shrinks.
#pragma once

#include <cstdint>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat {

/// Shares and rates are millionths, so that decimals stay exact.
struct PanicPolicy {
  std::int64_t threshold = 2'000'000;   // panic when the short window asks for so many times what is ready
  std::int64_t up_rate = 1000'000'000;  // at most so many times what is ready, at once
  std::int64_t down_rate = 2'000'000;   // at least one so-manieth of what is ready
  Duration stable_window = std::chrono::seconds(60);
  std::int32_t activation = 1;  // as long as there is load, at least so many
  bool reachable = true;        // false: no request can come any more, it may shrink at once
  Duration down_delay{};        // shrinks only to the most that was asked for within this time
  friend bool operator==(const PanicPolicy&, const PanicPolicy&) = default;
};

/// What was asked for in one slice of time, for down_delay.
struct PanicDelay {
  std::int64_t slice = 0;
  std::int32_t wanted = 0;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("slice", self.slice);
    visit("wanted", self.wanted);
  };
  friend bool operator==(const PanicDelay&, const PanicDelay&) = default;
};

/// What is remembered from one decision to the next.
struct PanicState {
  bool panicking = false;
  Instant since{};                   // when the short window last asked for so much
  std::int32_t most = 0;             // the most that was decided in this panic
  std::vector<PanicDelay> delays{};  // falling, the largest first

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("panicking", self.panicking);
    visit("since", self.since);
    visit("most", self.most);
    visit("delays", self.delays);
  };
  friend bool operator==(const PanicState&, const PanicState&) = default;
};

/// The load of the last while, in slices of a sixtieth of the long window; the short one is a tenth of it.
struct LoadSlice {
  std::int64_t slice = 0;
  std::int64_t sum = 0;
  std::int32_t count = 0;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("slice", self.slice);
    visit("sum", self.sum);
    visit("count", self.count);
  };
  friend bool operator==(const LoadSlice&, const LoadSlice&) = default;
};

struct LoadWindow {
  std::vector<LoadSlice> slices{};

  static constexpr auto fields = [](auto& self, auto& visit) { visit("slices", self.slices); };
  friend bool operator==(const LoadWindow&, const LoadWindow&) = default;
};

/// Takes up the load now, and tells its averages over both windows (rounded up: what little load there is, is load).
struct LoadAverages {
  std::int64_t stable = 0;
  std::int64_t panic = 0;
};
LoadAverages note_load(LoadWindow& window, Duration stable_window, std::int64_t load, Instant now);

/// A service that is first seen with more than one instance begins in panic: what it was scaled to by a measurement
/// that is not known any more is kept for one window.
PanicState begin_panic_state(std::int32_t ready, Instant now);

/// Averages over the two windows and the target of one instance, in the same unit (any; the ratio counts).
struct PanicReading {
  std::int64_t stable = 0;
  std::int64_t panic = 0;
  std::int64_t target = 0;  // above 0
};

struct PanicDecision {
  std::int32_t wanted = 0;
  std::int32_t stable = 0;  // what each window asks for, within the rates
  std::int32_t panic = 0;
  std::int32_t most = 0;  // what the rates allow now
  std::int32_t least = 0;
  bool panicking = false;
};

PanicDecision decide_panic(const PanicPolicy& policy, PanicState& state, const PanicReading& reading,
                           std::int32_t ready, Instant now);

}  // namespace homeostat
