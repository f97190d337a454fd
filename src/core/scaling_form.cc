#include "core/scaling_form.hpp"

#include "core/scaling_math.hpp"
#include "core/scaling_metric.hpp"

namespace homeostat {
namespace {

bool serves(const ScalingInstance& instance) {
  return !instance.leaving && instance.phase == InstancePhase::running && instance.ready == Readiness::yes;
}

std::int32_t serving(std::span<const ScalingInstance> instances) {
  return to_count(std::count_if(instances.begin(), instances.end(), serves));
}

bool any_negative(const MetricReading& reading) {
  const auto negative = [](std::int64_t value) { return value < 0; };
  return std::any_of(reading.totals.begin(), reading.totals.end(), negative) ||
         std::any_of(reading.samples.begin(), reading.samples.end(),
                     [&](const MetricSample& sample) { return negative(sample.value); });
}

/// The average of what serves, or the sum of the totals.
MetricFault measure_threshold(const MetricReading& reading, std::span<const ScalingInstance> instances,
                              MetricTrace& out) {
  if (!reading.totals.empty()) {
    std::int64_t sum = 0;
    for (const std::int64_t value : reading.totals) sum = add_saturating(sum, value);
    out.measured = sum;
    out.ready = serving(instances);
    return MetricFault::none;
  }
  out.samples.assign(instances.size(), -1);
  for (std::size_t i = 0; i < reading.samples.size(); ++i) {
    if (reading.samples[i].instance < instances.size())
      out.samples[reading.samples[i].instance] = static_cast<std::int32_t>(i);
  }
  Wide sum = 0;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (!serves(instances[i])) continue;
    if (out.samples[i] < 0) ++out.missing;
    if (out.samples[i] < 0) continue;
    sum += reading.samples[static_cast<std::size_t>(out.samples[i])].value;
    ++out.ready;
  }
  if (out.ready == 0) return MetricFault::no_samples;
  out.measured = saturate(sum / out.ready);
  return MetricFault::none;
}

bool within(Instant last, Duration cooldown, Instant now) { return last != kLongAgo && now - last < cooldown; }

void settle(MetricTrace& out, std::int32_t proposal, ProposalReason reason) {
  out.proposal = proposal;
  out.reason = reason;
}

/// What serves has measured; what starts is already asked for and counts when it has come.
void weigh_threshold(const MetricRule& rule, std::int32_t current, const ScalingHistory& history, Instant now,
                     MetricTrace& out) {
  const ThresholdForm& form = rule.threshold;
  const Ratio ratio{*out.measured, rule.target};
  const std::int64_t base = out.ready > 0 ? out.ready : std::max<std::int32_t>(1, current);
  if (ratio.over * kMillion > ratio.under * form.up) {
    const std::int32_t count = ratio.ceil_times(base);
    if (within(history.up_at, form.up_cooldown, now)) return settle(out, current, ProposalReason::cooling_down);
    if (count <= current) return settle(out, current, ProposalReason::starting_credited);
    return settle(out, count, ProposalReason::scaled);
  }
  if (ratio.over * kMillion >= ratio.under * form.down) return settle(out, current, ProposalReason::within_band);
  if (out.missing > 0) return settle(out, current, ProposalReason::some_unmeasured);
  if (within(history.down_at, form.down_cooldown, now)) return settle(out, current, ProposalReason::cooling_down);
  settle(out, std::min(current, ratio.floor_times(base)), ProposalReason::scaled);
}

MetricFault propose_threshold(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                              const ScalingHistory& history, Instant now, MetricTrace& out) {
  if (rule.target <= 0) return MetricFault::bad_target;
  if (reading.samples.empty() && reading.totals.empty()) return MetricFault::no_samples;
  if (const MetricFault fault = measure_threshold(reading, input.instances, out); fault != MetricFault::none)
    return fault;
  weigh_threshold(rule, input.counts.wanted, history, now, out);
  const CountRange& range = rule.threshold.range;
  const std::int32_t bounded = std::clamp(out.proposal, range.min, std::max(range.min, range.max));
  if (bounded != out.proposal) settle(out, bounded, ProposalReason::rule_bound);
  return MetricFault::none;
}

MetricFault propose_drain(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                          const ScalingHistory& history, MetricMemory& memory, Instant now, MetricTrace& out) {
  if (reading.totals.size() < 2) return MetricFault::absent;
  const DrainDecision decision = decide_drain(rule.drain, memory.drain, {reading.totals[0], reading.totals[1]},
                                              input.instances, history.start_time, now);
  out.measured = reading.totals[0];
  out.ready = serving(input.instances);
  if (!decision.learned) {
    // Nothing serves, hence nothing can be learned: one must begin. Otherwise what is there may stay.
    if (input.counts.wanted > 0) return MetricFault::unlearned;
    settle(out, reading.totals[0] > 0 ? 1 : 0, ProposalReason::from_zero);
    return MetricFault::none;
  }
  out.ahead = decision.ahead;
  settle(out, decision.wanted, ProposalReason::drains);
  return MetricFault::none;
}

MetricFault propose_panic(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                          MetricMemory& memory, Instant now, MetricTrace& out) {
  if (rule.target <= 0) return MetricFault::bad_target;
  if (reading.totals.empty()) return MetricFault::absent;
  LoadAverages averages{reading.totals[0], reading.totals.back()};
  if (reading.totals.size() == 1) averages = note_load(memory.load, rule.panic.stable_window, reading.totals[0], now);
  out.ready = serving(input.instances);
  const auto ready = static_cast<std::int32_t>(out.ready);
  const PanicDecision decision =
      decide_panic(rule.panic, memory.panic, {averages.stable, averages.panic, rule.target}, ready, now);
  out.measured = saturate(ceil_div(averages.stable, std::max(1, ready)));
  settle(out, decision.wanted, decision.panicking ? ProposalReason::panics : ProposalReason::scaled);
  return MetricFault::none;
}

MetricFault propose_kind(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                         const ScalingHistory& history, MetricMemory& memory, Instant now, MetricTrace& out) {
  if (reading.fault != MetricFault::none) return reading.fault;
  if (any_negative(reading)) return MetricFault::negative;
  if (rule.kind == MetricKind::threshold) return propose_threshold(rule, reading, input, history, now, out);
  if (rule.kind == MetricKind::drain) return propose_drain(rule, reading, input, history, memory, now, out);
  return propose_panic(rule, reading, input, memory, now, out);
}

}  // namespace

void propose_form(const MetricRule& rule, const MetricReading& reading, const ScalingInput& input,
                  const ScalingHistory& history, MetricMemory& memory, Instant now, MetricTrace& out) {
  begin_trace(rule, out);
  out.fault = propose_kind(rule, reading, input, history, memory, now, out);
  if (out.fault != MetricFault::none) out.reason = ProposalReason::none;
}

}  // namespace homeostat
