#include "engine/rollout_judge.hpp"

#include <algorithm>

#include "engine/rollout.hpp"
#include "engine/traffic.hpp"

namespace homeostat::engine {
namespace {

// What a crash may lose of what the judge has heard.
constexpr Duration kKeepEvery = std::chrono::seconds(15);
// The proxy's response time is an average that slides over so many requests: two that are closer are nearly the same.
constexpr std::uint64_t kTimedOver = 1024;
constexpr Duration kAskEvery = std::chrono::seconds(1);
constexpr Duration kAskedWithin = std::chrono::seconds(10);  // the sources' own time-outs end before

std::expected<canary::Judge, std::string> judge_of(const RolloutPlan& plan) {
  canary::Options options;
  options.stages = static_cast<std::uint32_t>(plan.policy.stages.size());
  return canary::Judge::make(options, plan.metrics);
}

void begin_judging(Turn& t, ServiceId id) {
  auto made = judge_of(*t.plan(id).rollout);
  if (!t.check(made.has_value(), "a judge that validate let pass")) return;
  t.live(id).judge = std::move(*made);
  t.live(id).judge_kept = t.live(id).judge_since = t.now;
}

void end_judging(Turn& t, ServiceId id) {
  LiveService& live = t.live(id);
  live.judge.reset();
  live.judge_news = false;
  live.judged.reset();
  live.told.clear();
  if (!live.traffic) return;
  live.traffic->requests = live.traffic->requests_fresh = 0;
  live.traffic->timed.clear();
}

void write_down(Turn& t, ServiceId id, const rollout::State& state) {
  LiveService& live = t.live(id);
  live.judge_news = false;
  live.judge_kept = t.now;
  t.record(JudgeKept{t.plan(id).name,
                     state.to,
                     state.began,
                     state.stage,
                     live.judge_since,
                     t.now,
                     *live.judge,
                     {live.told.begin(), live.told.end()},
                     t.plan(id).rollout->told_by});
}

void keep_judge(Turn& t, ServiceId id, const rollout::State& state) {
  if (!t.live(id).judge_news) return;
  const Instant due = later(t.live(id).judge_kept, kKeepEvery);
  t.now < due ? t.wake_at(due) : write_down(t, id, state);
}

void tell(Turn& t, ServiceId id, std::size_t metric, canary::Arm arm, double value, double traffic) {
  canary::Judge& judge = *t.live(id).judge;
  const canary::Kind kind = judge.metrics()[metric].kind;
  if (kind == canary::Kind::errors || kind == canary::Kind::events)
    judge.count(metric, arm, value, traffic, t.now);
  else
    judge.sample(metric, arm, value, t.now);
  t.live(id).judge_news = true;
}

void tell_counters(Turn& t, ServiceId id, canary::Arm arm, std::uint64_t requests, std::uint64_t errors) {
  const RolloutPlan& plan = *t.plan(id).rollout;
  for (std::size_t metric = 0; metric < plan.metrics.size(); ++metric) {
    if (plan.source_of(metric).kind != JudgeSource::errors) continue;
    tell(t, id, metric, arm, static_cast<double>(std::min(errors, requests)), static_cast<double>(requests));
  }
}

void tell_response_time(Turn& t, ServiceId id, canary::Arm arm, const PlaceTraffic& place) {
  auto& timed = t.live(id).traffic->timed;
  const auto last = timed.find(place.slot);
  const bool first = last == timed.end() || place.requests < last->second;
  if (!first && place.requests - last->second < kTimedOver) return;
  timed[place.slot] = place.requests;
  if (first || place.response_ms < 0) return;
  const RolloutPlan& plan = *t.plan(id).rollout;
  for (std::size_t metric = 0; metric < plan.metrics.size(); ++metric) {
    if (plan.source_of(metric).kind != JudgeSource::response_time) continue;
    // It says 0 for less than a millisecond.
    tell(t, id, metric, arm, std::max(0.5, static_cast<double>(place.response_ms)), 0);
  }
}

void ask_sources(Turn& t, ServiceId id) {
  const auto outside = [](const JudgedFrom& from) { return from.kind == JudgeSource::outside; };
  if (std::ranges::none_of(t.plan(id).rollout->sources, outside)) return;
  if (!t.live(id).judged) t.live(id).judged.emplace();
  LiveSources& live = *t.live(id).judged;
  if (live.measuring) {
    const Instant ends = later(live.began, kAskedWithin);
    if (t.now < ends) return t.wake_at(ends);
    live.fault = "no answer";
  }
  live.measuring = false;
  if (t.now < live.next_at) return t.wake_at(live.next_at);
  live.measuring = true;
  live.began = t.now;
  live.next_at = later(t.now, kAskEvery);
  t.command(MeasureVersions{id, ++live.round});
  t.wake_at(later(live.began, kAskedWithin));
}

// Where there are instances of the old version that are as young as those of the new one, it is compared with them.
bool compared(Turn& t, ServiceId id, Slot slot) {
  const auto& baseline = t.durable(id).baseline;
  return baseline.empty() || baseline.contains(slot);
}

std::optional<canary::Arm> arm_of(Turn& t, ServiceId id, const VersionSample& sample) {
  if (sample.slot < 0) return sample.fresh ? canary::Arm::canary : canary::Arm::baseline;
  const InstanceState* known = t.has_place(id, sample.slot) ? t.instance(id, sample.slot) : nullptr;
  if (known == nullptr || known->state != RunState::running || !t.wanted(id, sample.slot)) return std::nullopt;
  const rollout::State& state = *t.durable(id).rollout;
  if (known->version == state.to) return canary::Arm::canary;
  if (!compared(t, id, sample.slot)) return std::nullopt;
  return known->version == state.from ? std::optional(canary::Arm::baseline) : std::nullopt;
}

// Of two numbers that only grow, what counts is how they have grown since they were told before.
void tell_growth(Turn& t, ServiceId id, canary::Arm arm, const VersionSample& now) {
  auto& last = t.live(id).judged->last;
  const auto before = std::ranges::find_if(last, [&](const VersionSample& one) {
    return one.metric == now.metric && one.slot == now.slot && one.fresh == now.fresh;
  });
  if (before == last.end()) return last.push_back(now);
  const std::int64_t part = now.value - before->value;
  const std::int64_t whole = now.of - before->of;
  *before = now;
  if (whole <= 0 || part < 0) return;  // it began to count anew, or there was nothing to count
  const canary::Kind kind = t.plan(id).rollout->metrics[now.metric].kind;
  const bool counted = kind == canary::Kind::errors || kind == canary::Kind::events;
  const double parts = static_cast<double>(part);
  const double wholes = static_cast<double>(whole);
  counted ? tell(t, id, now.metric, arm, parts / 1000, wholes / 1000) : tell(t, id, now.metric, arm, parts / wholes, 0);
}

}  // namespace

void versions_measured(Turn& t, const VersionsMeasured& in) {
  if (in.service >= t.s.services.size() || !t.live(in.service).judged) return;
  LiveSources& live = *t.live(in.service).judged;
  if (!live.measuring || in.round != live.round) return;
  live.measuring = false;
  live.fault = in.fault;
  t.mark(in.service);
  if (!t.live(in.service).judge || !rollout_active(t, in.service)) return;
  const RolloutPlan& plan = *t.plan(in.service).rollout;
  for (const VersionSample& sample : in.samples) {
    const auto arm = arm_of(t, in.service, sample);
    if (sample.metric >= plan.metrics.size() || !arm) continue;
    if (plan.source_of(sample.metric).ratio)
      tell_growth(t, in.service, *arm, sample);
    else
      tell(t, in.service, sample.metric, *arm, static_cast<double>(sample.value) / 1000, 0);
  }
}

// The numbers change with every sample; what is written down is the verdict, and its numbers when it is one.
void ask_judge(Turn& t, ServiceId id, rollout::State& state) {
  if (state.phase != rollout::Phase::baking || t.plan(id).rollout->metrics.empty()) return end_judging(t, id);
  if (!t.live(id).judge) begin_judging(t, id);
  const auto& judge = t.live(id).judge;
  if (!judge) return;
  ask_sources(t, id);
  keep_judge(t, id, state);
  const canary::Judgement said = judge->judge(t.now);
  const bool failed = said.verdict == canary::Verdict::fail;
  const bool passed = said.verdict == canary::Verdict::pass;
  const std::string doubt = failed || passed ? split_doubt(t, id, state) : std::string();
  const auto gate = std::ranges::find(state.gates, "judge", &rollout::Gate::name);
  if (gate == state.gates.end()) return;
  if (!doubt.empty()) return void(rollout::gate(state, "judge", rollout::GateResult::waiting, doubt));
  const auto result = failed   ? rollout::GateResult::failed
                      : passed ? rollout::GateResult::passed
                               : rollout::GateResult::waiting;
  if (passed && gate->result == result) return;
  rollout::gate(state, "judge", result, passed || failed ? said.why : std::string(to_string(said.verdict)));
}

namespace {

// Who numbers what he tells may tell it again when he does not know whether it arrived.
bool told_before(Turn& t, ServiceId id, const Operator& in) {
  auto& told = t.live(id).told;
  if (in.source.empty()) return false;
  const auto last = told.find(in.source);
  if (last != told.end() && in.sequence <= last->second) return true;
  if (last == told.end() && told.size() >= kMostTellers) return true;
  told[in.source] = in.sequence;
  return false;
}

}  // namespace

void take_samples(Turn& t, ServiceId id, const Operator& in) {
  const auto& judge = t.live(id).judge;
  if (!judge || told_before(t, id, in)) return;
  for (const RolloutSample& sample : in.samples) {
    if (sample.metric < judge->metrics().size()) tell(t, id, sample.metric, sample.arm, sample.value, sample.traffic);
  }
}

void count_traffic(Turn& t, ServiceId id, const std::vector<PlaceTraffic>& places) {
  if (!rollout_active(t, id) || t.durable(id).rollout->phase != rollout::Phase::baking) return;
  LiveTraffic& live = *t.live(id).traffic;
  const Route& route = *t.durable(id).route;
  for (const PlaceTraffic& now : places) {
    const bool fresh = std::ranges::find(route.fresh, now.slot) != route.fresh.end();
    const bool old = std::ranges::find(route.stable, now.slot) != route.stable.end() ||
                     std::ranges::find(route.baseline, now.slot) != route.baseline.end();
    const auto before = std::ranges::find(live.places, now.slot, &PlaceTraffic::slot);
    if ((!fresh && !old) || before == live.places.end() || now.requests < before->requests) continue;
    const std::uint64_t requests = now.requests - before->requests;
    live.requests += requests;
    if (fresh) live.requests_fresh += requests;
    if (!t.live(id).judge || requests == 0 || (old && !compared(t, id, now.slot))) continue;
    const canary::Arm arm = fresh ? canary::Arm::canary : canary::Arm::baseline;
    tell_counters(t, id, arm, requests, now.errors < before->errors ? 0 : now.errors - before->errors);
    tell_response_time(t, id, arm, now);
  }
}

void put_judge_away(Turn& t, ServiceId id) {
  if (t.live(id).judge && t.live(id).judge_news && rollout_active(t, id)) write_down(t, id, *t.durable(id).rollout);
}

bool recall_judge(Turn& t, ServiceId id, const rollout::State& state) {
  const RolloutPlan& plan = *t.plan(id).rollout;
  const auto& kept = t.durable(id).judge;
  if (!kept || state.phase != rollout::Phase::baking || kept->to != state.to || kept->began != state.began) return true;
  if (kept->stage != state.stage || !kept->judge.intact() || plan.metrics.empty()) return true;
  const auto fresh = judge_of(plan);
  if (!fresh || !kept->judge.same_task(*fresh) || kept->told_by != plan.told_by) return false;
  t.live(id).judge = kept->judge;
  t.live(id).judge_kept = t.now;
  t.live(id).judge_since = kept->since;
  for (const auto& [source, sequence] : kept->told) t.live(id).told[source] = sequence;
  return true;
}

}  // namespace homeostat::engine
