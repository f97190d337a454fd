#include "core/scaling_metric.hpp"

#include "core/scaling_math.hpp"

namespace homeostat {
namespace {

/// The samples that are counted together, with those that were filled in.
struct Held {
  Wide use = 0;
  Wide request = 0;
  std::int64_t samples = 0;
  std::int64_t known = 0;  // of them: of instances that we know

  void add(std::int64_t value, std::int64_t requested) {
    use += value;
    request += requested;
    ++samples;
    ++known;
  }
};

/// What the held samples say, in the unit of the target. Of utilization only whole percents count.
std::optional<std::int64_t> measure(const MetricRule& rule, const Held& held) {
  if (rule.kind != MetricKind::utilization) return saturate(held.use / held.samples);
  if (held.request == 0) return std::nullopt;
  return saturate(held.use * 100 / held.request);
}

/// One metric that is told by instance.
class PerInstance {
 public:
  PerInstance(const ScalingPolicy& policy, const MetricRule& rule, const MetricReading& reading,
              std::span<const ScalingInstance> instances, Instant now, MetricTrace& out)
      : policy_(policy), rule_(rule), reading_(reading), instances_(instances), now_(now), out_(out) {}

  MetricFault run(std::int32_t current) {
    if (reading_.samples.empty()) return MetricFault::no_samples;
    if (instances_.empty()) return MetricFault::no_instances;
    for (const MetricSample& sample : reading_.samples) {
      if (sample.value < 0) return MetricFault::negative;
    }
    group();
    hold();
    if (held_.samples == 0) return MetricFault::no_samples;
    if (rule_.kind == MetricKind::utilization) {
      for (const ScalingInstance& instance : instances_) {
        if (!instance.request || *instance.request < 0) return MetricFault::missing_request;
      }
    }
    out_.measured = measure(rule_, held_);
    if (!out_.measured) return MetricFault::no_known_instance;
    if (rule_.kind == MetricKind::utilization) out_.average = saturate(held_.use / held_.known);
    weigh(current);
    return MetricFault::none;
  }

 private:
  void group() {
    out_.samples.assign(instances_.size(), -1);
    for (std::size_t i = 0; i < reading_.samples.size(); ++i) {
      const std::uint32_t instance = reading_.samples[i].instance;
      if (instance < instances_.size()) out_.samples[instance] = static_cast<std::int32_t>(i);
    }
    out_.classes.clear();
    for (std::size_t i = 0; i < instances_.size(); ++i) {
      const InstanceClass counted = classify(policy_, rule_.cpu, instances_[i], sample_of(i), now_);
      out_.classes.push_back(counted);
      if (counted == InstanceClass::ready) ++out_.ready;
      if (counted == InstanceClass::unready) ++out_.unready;
      if (counted == InstanceClass::missing) ++out_.missing;
      if (counted == InstanceClass::ignored) ++out_.ignored;
    }
  }

  const MetricSample* sample_of(std::size_t instance) const {
    const std::int32_t index = out_.samples[instance];
    return index < 0 ? nullptr : &reading_.samples[static_cast<std::size_t>(index)];
  }

  std::int64_t request_of(std::size_t instance) const { return instances_[instance].request.value_or(0); }

  /// What unready and ignored instances measured is left out. What unknown ones measured counts, but for a
  /// utilization nobody knows their request.
  void hold() {
    for (std::size_t i = 0; i < instances_.size(); ++i) {
      if (out_.classes[i] == InstanceClass::ready) held_.add(sample_of(i)->value, request_of(i));
    }
    for (const MetricSample& sample : reading_.samples) {
      if (sample.instance < instances_.size()) continue;
      ++held_.samples;
      if (rule_.kind != MetricKind::utilization) held_.use += sample.value;
    }
  }

  void weigh(std::int32_t current) {
    const Ratio ratio{*out_.measured, rule_.target};
    const bool credit_unready = out_.unready > 0 && ratio.above_one();
    const Tolerance& tolerance = policy_.tolerance;
    if (!credit_unready && out_.missing == 0) {
      if (ratio.within(tolerance.up, tolerance.down)) return keep(current, ProposalReason::within_tolerance);
      return keep(ratio.ceil_times(out_.ready), ProposalReason::scaled);
    }
    fill(ratio, credit_unready);
    const Ratio filled{*measure(rule_, held_), rule_.target};
    if (filled.within(tolerance.up, tolerance.down)) return keep(current, ProposalReason::within_tolerance);
    if ((ratio.below_one() && filled.above_one()) || (ratio.above_one() && filled.below_one()))
      return keep(current, ProposalReason::would_turn_around);
    const std::int32_t count = filled.ceil_times(held_.samples);
    if ((filled.below_one() && count > current) || (filled.above_one() && count < current))
      return keep(current, ProposalReason::would_turn_around);
    keep(count, ProposalReason::scaled);
  }

  /// Whoever did not measure counts against the change: as fully used before shrinking, as idle before growing.
  void fill(const Ratio& ratio, bool credit_unready) {
    for (std::size_t i = 0; i < instances_.size(); ++i) {
      const bool missing = out_.classes[i] == InstanceClass::missing;
      if (missing && ratio.below_one()) held_.add(full_use(i), request_of(i));
      if (missing && ratio.above_one()) held_.add(0, request_of(i));
      if (credit_unready && out_.classes[i] == InstanceClass::unready) held_.add(0, request_of(i));
    }
  }

  std::int64_t full_use(std::size_t instance) const {
    if (rule_.kind != MetricKind::utilization) return rule_.target;
    return saturate(Wide{request_of(instance)} * std::max<std::int64_t>(100, rule_.target) / 100);
  }

  void keep(std::int32_t proposal, ProposalReason reason) {
    out_.proposal = proposal;
    out_.reason = reason;
  }

  const ScalingPolicy& policy_;
  const MetricRule& rule_;
  const MetricReading& reading_;
  std::span<const ScalingInstance> instances_;
  Instant now_;
  MetricTrace& out_;
  Held held_;
};

MetricFault sum(std::span<const std::int64_t> totals, std::int64_t& out) {
  if (totals.empty()) return MetricFault::absent;
  out = 0;
  for (const std::int64_t value : totals) {
    if (value < 0) return MetricFault::negative;
    out = add_saturating(out, value);
  }
  return MetricFault::none;
}

MetricFault propose_total(const ScalingPolicy& policy, const MetricRule& rule, std::int64_t total,
                          std::span<const ScalingInstance> instances, std::int32_t current, MetricTrace& out) {
  out.measured = total;
  const Ratio ratio{total, rule.target};
  out.reason = ProposalReason::scaled;
  if (current == 0) {
    out.proposal = ratio.ceil_times(1);
    out.reason = ProposalReason::from_zero;
  } else if (ratio.within(policy.tolerance.up, policy.tolerance.down)) {
    out.proposal = current;
    out.reason = ProposalReason::within_tolerance;
  } else {
    if (instances.empty()) return MetricFault::no_instances;
    out.ready = std::count_if(instances.begin(), instances.end(), [](const ScalingInstance& instance) {
      return instance.phase == InstancePhase::running && instance.ready == Readiness::yes;
    });
    out.proposal = ratio.ceil_times(out.ready);
    if (rule.credit_starting && ratio.above_one() && out.proposal < current) {
      out.proposal = current;
      out.reason = ProposalReason::starting_credited;
    }
  }
  return MetricFault::none;
}

void propose_share(const ScalingPolicy& policy, const MetricRule& rule, std::int64_t total, std::int32_t running,
                   MetricTrace& out) {
  const Ratio ratio{total, Wide{rule.target} * running};
  const bool near = running > 0 && ratio.within(policy.tolerance.up, policy.tolerance.down);
  out.reason = near ? ProposalReason::within_tolerance : ProposalReason::scaled;
  out.proposal = near ? running : Ratio{total, rule.target}.ceil_times(1);
  if (running <= 0) return;
  const bool saturated = rule.external && total == std::numeric_limits<std::int64_t>::max();
  out.measured = saturated ? total : saturate(ceil_div(total, running));
}

MetricFault propose_checked(const ScalingPolicy& policy, const MetricRule& rule, const MetricReading& reading,
                            std::span<const ScalingInstance> instances, ScaleCounts counts, Instant now,
                            MetricTrace& out) {
  if (reading.fault != MetricFault::none) return reading.fault;
  if (rule.target <= 0) return MetricFault::bad_target;
  if (rule.kind == MetricKind::utilization || rule.kind == MetricKind::average)
    return PerInstance(policy, rule, reading, instances, now, out).run(counts.wanted);
  std::int64_t total = 0;
  if (const MetricFault fault = sum(reading.totals, total); fault != MetricFault::none) return fault;
  if (rule.kind == MetricKind::total) return propose_total(policy, rule, total, instances, counts.wanted, out);
  propose_share(policy, rule, total, counts.running, out);
  return MetricFault::none;
}

}  // namespace

InstanceClass classify(const ScalingPolicy& policy, bool cpu, const ScalingInstance& instance,
                       const MetricSample* sample, Instant now) {
  if (instance.leaving || instance.phase == InstancePhase::failed) return InstanceClass::ignored;
  if (instance.phase == InstancePhase::pending) return InstanceClass::unready;
  if (sample == nullptr) return InstanceClass::missing;
  if (!cpu) return InstanceClass::ready;
  if (instance.ready == Readiness::absent || !instance.started) return InstanceClass::unready;
  const bool not_ready = instance.ready == Readiness::no;
  // While it starts up, its use says something only when a whole window was measured since it became ready.
  const bool unready = now < later(*instance.started, policy.cpu_start_period)
                           ? not_ready || sample->at < later(instance.ready_changed, sample->window)
                           : not_ready && instance.ready_changed < later(*instance.started, policy.first_ready_delay);
  return unready ? InstanceClass::unready : InstanceClass::ready;
}

void begin_trace(const MetricRule& rule, MetricTrace& out) {
  out.reason = ProposalReason::none;
  out.proposal = 0;
  out.measured.reset();
  out.average.reset();
  out.ahead.reset();
  out.target = rule.target;
  out.ready = out.unready = out.missing = out.ignored = 0;
  out.classes.clear();
  out.samples.clear();
}

void propose(const ScalingPolicy& policy, const MetricRule& rule, const MetricReading& reading,
             std::span<const ScalingInstance> instances, ScaleCounts counts, Instant now, MetricTrace& out) {
  begin_trace(rule, out);
  out.fault = propose_checked(policy, rule, reading, instances, counts, now, out);
  if (out.fault != MetricFault::none) out.reason = ProposalReason::none;
}

}  // namespace homeostat
