#include "engine/sources.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace homeostat::engine {
namespace {

std::string seconds(Duration length) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(length).count()) + " s";
}

/// An answer that holds nothing is an answer: what stands behind the breaker works.
CallOutcome outcome_of(const MeasuredMetric& told) {
  if (told.fault == MetricFault::unread) return CallOutcome::failure;
  if (told.fault == MetricFault::no_instances) return CallOutcome::ignored;  // nobody was asked
  return CallOutcome::success;
}

void drop_stale(MeasuredMetric& told, Duration fresh_within, Instant now) {
  if (fresh_within == Duration{} || told.fault != MetricFault::none) return;
  const bool of_instances = !told.samples.empty();
  Instant newest = of_instances ? kLongAgo : told.at;
  for (const SlotSample& sample : told.samples) newest = std::max(newest, sample.at);
  const Instant oldest = now - fresh_within;
  std::erase_if(told.samples, [oldest](const SlotSample& sample) { return sample.at < oldest; });
  if (of_instances ? !told.samples.empty() : newest >= oldest) return;
  told.totals.clear();
  told.fault = MetricFault::stale;
  told.why = "measured " + seconds(now - newest) + " ago, and may be " + seconds(fresh_within) + " old";
}

}  // namespace

std::optional<Dependency> source_behind(const ServicePlan& service, std::size_t metric) {
  if (!service.scaling || metric >= service.scaling->sources.size()) return std::nullopt;
  const SourcePlan& source = service.scaling->sources[metric];
  if (source.kind != MetricSource::outside) return std::nullopt;
  return Dependency{"metric:" + service.name + "/" + service.scaling->policy.metrics[metric].id, source.identity};
}

std::uint64_t hold_sources(Turn& t, ServiceId id) {
  const ServicePlan& plan = t.plan(id);
  LiveScaling& live = *t.live(id).scaling;
  const std::size_t count = plan.scaling->policy.metrics.size();
  live.asked.assign(count, {});
  live.held.assign(count, {});
  live.failed.resize(count);
  std::uint64_t held = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto behind = source_behind(plan, i);
    if (!behind) continue;
    const CommandId call = t.next_id();
    const auto admitted = breaker_admits(t, *behind, call);
    if (admitted) {
      live.asked[i] = call;
      continue;
    }
    held |= std::uint64_t{1} << i;
    live.held[i] = live.failed[i] + (live.failed[i].empty() ? "" : "; ") +
                   "it failed too often and is asked again in " + seconds(admitted.error().retry_after);
  }
  return held;
}

void judge_sources(Turn& t, ServiceId id, std::vector<MeasuredMetric>& told) {
  const std::vector<SourcePlan>& sources = t.plan(id).scaling->sources;
  LiveScaling& live = *t.live(id).scaling;
  const std::size_t answered = told.size();
  told.resize(live.asked.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (i >= answered) told[i] = {MetricFault::unread, {}, {}, {}, "no answer"};
    if (!live.held[i].empty()) told[i] = {MetricFault::unread, {}, {}, {}, live.held[i]};
    if (!live.asked[i].none()) {
      breaker_result(t, live.asked[i], outcome_of(told[i]));
      live.failed[i] = told[i].why;
    }
    if (i < sources.size()) drop_stale(told[i], sources[i].fresh_within, t.now);
  }
  live.asked.clear();
  live.held.clear();
}

void give_up_sources(Turn& t, ServiceId id) {
  if (!t.live(id).scaling) return;
  for (const CommandId& call : t.live(id).scaling->asked) breaker_result(t, call, CallOutcome::ignored);
  t.live(id).scaling->asked.clear();
}

}  // namespace homeostat::engine
