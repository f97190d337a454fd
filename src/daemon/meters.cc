#include "daemon/meters.hpp"

#include "os/cgroup.hpp"
#include "runtime/process_runtime.hpp"

namespace homeostat::daemon {
namespace {

// Where an instance has no cgroup of its own, only its first process can be told from others.
std::optional<os::Usage> usage_of(const engine::InstanceState& instance, const std::string& name) {
  const auto pid = static_cast<pid_t>(instance.incarnation.id);
  const std::string cgroup = os::cgroup_of(pid);
  return cgroup.ends_with("/" + name) ? os::usage_of_cgroup(cgroup) : os::usage_of_process(pid);
}

// Of one processor, in thousandths of a percent.
std::int64_t load_between(const os::Usage& before, const os::Usage& after, Duration span) {
  const auto used = std::chrono::duration_cast<Duration>(std::max(after.cpu - before.cpu, decltype(after.cpu){}));
  return static_cast<std::int64_t>(static_cast<__int128>(used.count()) * 100'000 / span.count());
}

}  // namespace

void Meters::measure(const engine::Measure& command, Instant now) {
  const engine::ServicePlan& plan = engine_.plan().services[command.service];
  if (!plan.scaling) return;  // asked for under another configuration: nobody waits for it any more
  engine::Measured answer{command.service, command.round, {}};
  answer.metrics.resize(plan.scaling->sources.size());
  const auto known = engine_.durable().services.find(plan.name);
  if (known != engine_.durable().services.end()) {
    for (const auto& [slot, instance] : known->second.instances) {
      if (instance.state == engine::RunState::running) add(command.service, slot, instance, now, answer);
    }
  }
  feed_(std::move(answer));
}

void Meters::add(engine::ServiceId service, engine::Slot slot, const engine::InstanceState& instance, Instant now,
                 engine::Measured& answer) {
  const engine::ServicePlan& plan = engine_.plan().services[service];
  const auto usage = usage_of(instance, runtime::instance_name({plan.name, slot}));
  if (!usage) return;
  const auto before = last_.find({service, slot});
  const bool same = before != last_.end() && before->second.incarnation == instance.incarnation;
  for (std::size_t i = 0; i < answer.metrics.size(); ++i) {
    auto& samples = answer.metrics[i].samples;
    if (plan.scaling->sources[i] == engine::MetricSource::memory) {
      samples.push_back({slot, static_cast<std::int64_t>(usage->memory) * 1000, now, {}});
    } else if (same && now > before->second.at) {
      const Duration span = now - before->second.at;
      samples.push_back({slot, load_between(before->second.usage, *usage, span), now, span});
    }
  }
  last_[{service, slot}] = {instance.incarnation, now, *usage};
}

}  // namespace homeostat::daemon
