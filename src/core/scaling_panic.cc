#include "homeostat/scaling_panic.hpp"

#include "core/scaling_math.hpp"

namespace homeostat {
namespace {

constexpr Duration kSlice = std::chrono::seconds(2);
constexpr std::int64_t kLoadSlices = 60;
constexpr std::int64_t kPanicSlices = 6;

std::int64_t slice_of(Instant at, Duration slice) {
  return saturate(floor_div(at.time_since_epoch().count(), std::max<std::int64_t>(1, slice.count())));
}

std::int64_t average_since(const std::vector<LoadSlice>& slices, std::int64_t first) {
  Wide sum = 0;
  Wide count = 0;
  for (const LoadSlice& one : slices) {
    if (one.slice < first) continue;
    sum += one.sum;
    count += one.count;
  }
  return count == 0 ? 0 : saturate(ceil_div(sum, count));
}

/// The most that was wanted within the delay. Only what nothing later exceeds is kept.
std::int32_t delayed(const PanicPolicy& policy, std::vector<PanicDelay>& delays, std::int32_t wanted, Instant now) {
  if (policy.down_delay <= Duration{}) {
    delays.clear();
    return wanted;
  }
  const std::int64_t slices = saturate(ceil_div(policy.down_delay.count(), kSlice.count()));
  const std::int64_t slice = slice_of(now, kSlice);
  while (!delays.empty() && delays.back().wanted <= wanted) delays.pop_back();
  const auto fresh =
      std::find_if(delays.begin(), delays.end(), [&](const PanicDelay& one) { return slice - one.slice < slices; });
  delays.erase(delays.begin(), fresh);
  // Of one slice the largest counts.
  if (delays.empty() || delays.back().slice != slice) delays.push_back({slice, wanted});
  return delays.front().wanted;
}

void update_panic(const PanicPolicy& policy, PanicState& state, bool over, Instant now) {
  if (over) {
    state.panicking = true;
    state.since = now;
  } else if (state.panicking && later(state.since, policy.stable_window) < now) {
    state.panicking = false;
    state.most = 0;
  }
}

}  // namespace

LoadAverages note_load(LoadWindow& window, Duration stable_window, std::int64_t load, Instant now) {
  const std::int64_t slice = slice_of(now, stable_window / kLoadSlices);
  std::erase_if(window.slices, [&](const LoadSlice& one) { return one.slice <= slice - kLoadSlices; });
  if (window.slices.empty() || window.slices.back().slice != slice) window.slices.push_back({slice, 0, 0});
  LoadSlice& last = window.slices.back();
  last.sum = add_saturating(last.sum, load);
  if (last.count < kMostInstances) ++last.count;
  return {average_since(window.slices, slice - kLoadSlices + 1),
          average_since(window.slices, slice - kPanicSlices + 1)};
}

PanicState begin_panic_state(std::int32_t ready, Instant now) { return {ready > 1, now, ready, {}}; }

PanicDecision decide_panic(const PanicPolicy& policy, PanicState& state, const PanicReading& reading,
                           std::int32_t ready, Instant now) {
  const Wide base = std::max<std::int32_t>(1, ready);
  PanicDecision out;
  // Rounded outwards: a rate that is next to one must still let it move by one instance.
  out.most = to_count(ceil_div(policy.up_rate * base, kMillion));
  out.least = policy.reachable && policy.down_rate > 0 ? to_count(base * kMillion / policy.down_rate) : 0;
  const Wide stable = ceil_div(reading.stable, reading.target);
  const Wide panic = ceil_div(reading.panic, reading.target);
  const auto within = [&](Wide wanted) {
    return to_count(std::min<Wide>(std::max<Wide>(wanted, out.least), out.most));
  };
  out.stable = within(stable);
  out.panic = within(panic);
  if (stable > 0) out.stable = std::max(out.stable, policy.activation);
  if (panic > 0) out.panic = std::max(out.panic, policy.activation);
  update_panic(policy, state, panic * kMillion >= policy.threshold * base, now);
  out.wanted = out.stable;
  out.panicking = state.panicking;
  if (state.panicking) {
    state.most = std::max({state.most, out.stable, out.panic});
    out.wanted = state.most;
  }
  out.wanted = delayed(policy, state.delays, out.wanted, now);
  return out;
}

}  // namespace homeostat
