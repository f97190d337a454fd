#include "homeostat/scaling_drain.hpp"

#include "core/scaling_math.hpp"

namespace homeostat {
namespace {

constexpr Wide kSecond = std::chrono::nanoseconds(std::chrono::seconds(1)).count();
constexpr std::int64_t kWeight = 4;  // of what is known against one new measurement

bool serves(const ScalingInstance& instance) {
  return !instance.leaving && instance.phase == InstancePhase::running && instance.ready == Readiness::yes;
}

bool starts(const ScalingInstance& instance) {
  const bool alive = instance.phase == InstancePhase::pending || instance.phase == InstancePhase::running;
  return !instance.leaving && alive && !serves(instance) && !instance.first_ready && instance.started;
}

/// How long all instances together served since `from`, in nanoseconds.
Wide served_since(std::span<const ScalingInstance> instances, Instant from, Instant now) {
  Wide sum = 0;
  for (const ScalingInstance& instance : instances) {
    if (serves(instance)) sum += std::max<std::int64_t>(0, (now - std::max(instance.ready_changed, from)).count());
  }
  return sum;
}

/// What one instance does is seen only while it has no pause: as long as something waits.
void learn(DrainState& state, const DrainReading& reading, std::span<const ScalingInstance> instances, Instant now) {
  const std::int64_t passed = (now - state.at).count();
  if (!state.begun || passed <= 0 || reading.completed < state.completed) return;
  const Wide done = Wide{reading.completed} - state.completed;
  const Wide arrived = std::max<Wide>(0, done + reading.backlog - state.backlog);
  state.arrivals = saturate(arrived * kSecond / passed);
  const Wide served = served_since(instances, state.at, now);
  if (reading.backlog == 0 || done == 0 || served == 0) return;
  const Wide capacity = done * kSecond / served;
  if (state.capacity == 0) state.capacity = std::max<std::int64_t>(1, saturate(capacity));
  // Something did not wait all the time: it may do more than was seen, but not less.
  if (state.backlog == 0 && capacity < state.capacity) return;
  state.capacity = std::max<std::int64_t>(1, saturate((Wide{state.capacity} * (kWeight - 1) + capacity) / kWeight));
}

struct Ahead {
  Duration lead{};   // until an instance that is started now serves
  Wide serving = 0;  // nanoseconds that all instances together serve until then
};

/// Whoever has been starting for longer than the known time shows that it takes longer.
Ahead look_ahead(std::span<const ScalingInstance> instances, Duration start_time, Instant now) {
  Ahead out{start_time};
  for (const ScalingInstance& instance : instances) {
    if (starts(instance)) out.lead = std::max(out.lead, now - *instance.started);
  }
  for (const ScalingInstance& instance : instances) {
    if (serves(instance)) out.serving += out.lead.count();
    if (starts(instance)) out.serving += (now - *instance.started).count();
  }
  return out;
}

}  // namespace

DrainDecision decide_drain(const DrainPolicy& policy, DrainState& state, const DrainReading& reading,
                           std::span<const ScalingInstance> instances, Duration start_time, Instant now) {
  learn(state, reading, instances, now);
  state.begun = true;
  state.at = now;
  state.backlog = reading.backlog;
  state.completed = reading.completed;
  DrainDecision out;
  if (state.capacity == 0) return out;
  out.learned = true;
  const Ahead ahead = look_ahead(instances, start_time, now);
  const Wide lead = ahead.lead.count();
  const Wide waiting = reading.backlog + (lead * state.arrivals - ahead.serving * state.capacity) / kSecond;
  out.ahead = saturate(std::max<Wide>(0, waiting));
  const Wide arrivals = Wide{state.arrivals} * (kMillion + policy.spare) / kMillion;
  const Wide drain = std::max<Wide>(1, policy.drain_within.count());
  // (arrivals + ahead / drain) / capacity, rounded up once.
  out.wanted = Ratio{arrivals * drain + Wide{out.ahead} * kSecond, drain * state.capacity}.ceil_times(1);
  return out;
}

}  // namespace homeostat
