#include "daemon/comparer.hpp"

#include "daemon/places.hpp"

namespace homeostat::daemon {

void Comparer::measure(const engine::MeasureVersions& command, const config::Config& config, Instant now) {
  const engine::ServicePlan& plan = engine_.plan().services[command.service];
  const auto known = engine_.durable().services.find(plan.name);
  // Asked for under another configuration, nobody waits for it any more.
  if (!plan.rollout || known == engine_.durable().services.end() || !known->second.rollout) return;
  const auto round = std::make_shared<Round>(Round{{command.service, command.round, {}, {}}});
  for (std::uint32_t metric = 0; metric < plan.rollout->metrics.size(); ++metric) {
    const engine::JudgedFrom from = plan.rollout->source_of(metric);
    if (from.kind != engine::JudgeSource::outside) continue;
    const probe::SourceSpec& source = config.sources[from.reference];
    if (!source.each_instance) {
      const rollout::State& state = *known->second.rollout;
      ask(round, source, {.version = state.from}, {.metric = metric}, now);
      ask(round, source, {.version = state.to}, {.metric = metric, .fresh = true}, now);
      continue;
    }
    for (const auto& [slot, instance] : known->second.instances) {
      if (instance.state != engine::RunState::running) continue;
      ask(round, source, place_of(engine_, config, command.service, slot), {.metric = metric, .slot = slot}, now);
    }
  }
  answered(round);
}

void Comparer::ask(const RoundPtr& round, const probe::SourceSpec& source, const probe::Place& place,
                   engine::VersionSample sample, Instant now) {
  ++round->waiting;
  const std::size_t numbers = source.queue ? 2 : 1;
  sampler_.ask(source, place, now, [this, round, sample, numbers](const probe::Reading& reading) mutable {
    if (reading && reading->size() == numbers) {
      sample.value = reading->front().value;
      if (numbers == 2) sample.of = reading->back().value;
      round->answer.samples.push_back(sample);
    } else if (round->answer.fault.empty()) {
      round->answer.fault = reading ? "it told more than one number" : reading.error().why;
    }
    answered(round);
  });
}

void Comparer::answered(const RoundPtr& round) {
  if (--round->waiting == 0) feed_(std::move(round->answer));
}

}  // namespace homeostat::daemon
