#include "daemon/meters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "core/text.hpp"
#include "daemon/places.hpp"
#include "daemon/time_keeper.hpp"
#include "os/cgroup.hpp"
#include "os/zone.hpp"
#include "probe/fill.hpp"
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

// By our clock. How far that of the source is off nobody knows: ahead is as bad as behind.
Instant taken_at(const probe::Told& told, Instant asked) {
  if (!told.wall_ms) return asked;
  const std::chrono::milliseconds wall(TimeKeeper::wall_ns() / 1'000'000);
  return asked - std::chrono::abs(wall - std::chrono::milliseconds(*told.wall_ms));
}

const engine::SourcePlan& source_of(const engine::ServicePlan& plan, std::size_t metric) {
  return plan.scaling->sources[metric];
}

template <class Zones>
std::vector<LocalMinutes> local_times(Zones&& zones, std::int64_t wall_ns) {
  std::vector<LocalMinutes> out;
  for (const std::string& zone : zones) {
    const auto local = os::local_minutes(zone, wall_ns);
    if (!local) return {};  // of half of them nothing could be made
    out.push_back(*local);
  }
  return out;
}

}  // namespace

std::expected<std::unique_ptr<Meters>, Error> Meters::open(os::Loop& loop, const engine::Engine& engine, Feed feed,
                                                           std::function<Instant()> now,
                                                           std::optional<os::Cgroups> cgroups) {
  std::unique_ptr<Meters> meters(new Meters(engine, std::move(feed)));
  auto sampler = probe::Sampler::open(loop, std::move(now), std::move(cgroups));
  if (!sampler) return std::unexpected(sampler.error());
  meters->sampler_ = std::move(*sampler);
  return meters;
}

void Meters::configure(const config::Config& config) {
  config_ = &config;
  std::erase_if(last_, [&](const auto& item) { return !engine_.find_service(item.first.first); });
  renumber_rates();
  sampler_->forget_all();
}

// Who counts up is the same where the same is asked for the same metric: its rate is known at once.
void Meters::renumber_rates() {
  std::map<SourceName, std::uint32_t> rated;
  std::map<std::uint32_t, std::uint32_t> was;
  for (const engine::ServicePlan& plan : engine_.plan().services) {
    if (!plan.scaling) continue;
    for (std::size_t i = 0; i < plan.scaling->sources.size(); ++i) {
      const engine::SourcePlan& source = source_of(plan, i);
      if (source.kind != engine::MetricSource::outside || !config_->sources[source.reference].per_second) continue;
      const SourceName name{plan.name, plan.scaling->policy.metrics[i].id, source.identity};
      rated.emplace(name, source.reference);
      if (const auto before = rated_.find(name); before != rated_.end()) was.emplace(source.reference, before->second);
    }
  }
  rated_ = std::move(rated);
  rates_.renumber(was);
}

void Meters::read_clocks(const engine::ReadClocks& command) const {
  const std::int64_t wall_ns = TimeKeeper::wall_ns();
  feed_(engine::ClocksRead{command.round, wall_ns, local_times(engine_.plan().zones, wall_ns)});
}

void Meters::measure(const engine::Measure& command, Instant now) {
  const engine::ServicePlan& plan = engine_.plan().services[command.service];
  if (!plan.scaling) return;  // asked for under another configuration: nobody waits for it any more
  const auto round = std::make_shared<Round>(Round{{command.service, command.round, {}, {}}, now});
  round->answer.metrics.resize(plan.scaling->sources.size());
  const auto zones = plan.scaling->policy.schedules | std::views::transform(&ScalingSchedule::zone);
  round->answer.local = local_times(zones, TimeKeeper::wall_ns());
  read_use(command, now, round->answer);
  for (std::size_t i = 0; i < plan.scaling->sources.size(); ++i) {
    const bool held = (command.held >> i & 1) != 0;
    if (source_of(plan, i).kind == engine::MetricSource::outside && !held) ask(round, i);
  }
  answered(round);
}

std::vector<engine::Slot> Meters::running(engine::ServiceId service) const {
  std::vector<engine::Slot> slots;
  const auto known = engine_.durable().services.find(engine_.plan().services[service].name);
  if (known == engine_.durable().services.end()) return slots;
  for (const auto& [slot, instance] : known->second.instances) {
    if (instance.state == engine::RunState::running) slots.push_back(slot);
  }
  return slots;
}

void Meters::read_use(const engine::Measure& command, Instant now, engine::Measured& answer) {
  const auto& sources = engine_.plan().services[command.service].scaling->sources;
  if (std::ranges::all_of(sources,
                          [](const engine::SourcePlan& one) { return one.kind == engine::MetricSource::outside; }))
    return;
  for (const engine::Slot slot : running(command.service)) {
    add(command.service, slot, *instance_in(engine_, command.service, slot), now, answer);
  }
}

void Meters::ask(const RoundPtr& round, std::size_t metric) {
  const engine::ServiceId service = round->answer.service;
  const auto& source = config_->sources[source_of(engine_.plan().services[service], metric).reference];
  if (!source.each_instance) return ask_one(round, metric, engine::kWhole);
  const std::vector<engine::Slot> slots = running(service);
  // A fault until one of them has told something.
  round->answer.metrics[metric].fault = slots.empty() ? MetricFault::no_instances : MetricFault::unread;
  for (const engine::Slot slot : slots) ask_one(round, metric, slot);
}

void Meters::ask_one(const RoundPtr& round, std::size_t metric, engine::Slot slot) {
  const engine::ServiceId service = round->answer.service;
  const std::uint32_t reference = source_of(engine_.plan().services[service], metric).reference;
  const probe::SourceSpec& source = config_->sources[reference];
  const probe::Place place = slot < 0 ? probe::Place{} : place_of(engine_, *config_, service, slot);
  ++round->waiting;
  const auto done = [=, this, per_second = source.per_second](const probe::Reading& reading) {
    const bool grows = per_second && reading;
    told(round, metric, slot, grows ? rates_.of(reference, *reading, round->asked) : reading);
    answered(round);
  };
  sampler_->ask(source, place, round->asked, done);
}

void Meters::told(const RoundPtr& round, std::size_t metric, engine::Slot slot, const probe::Reading& reading) {
  const engine::ServiceId service = round->answer.service;
  engine::MeasuredMetric& out = round->answer.metrics[metric];
  if (!reading) {
    const std::string whose = slot < 0 ? "" : fmt::format("instance {}: ", slot);
    if (out.samples.empty()) out.fault = reading.error().fault;
    if (out.why.empty()) out.why = whose + reading.error().why;
    return;
  }
  const auto& source = config_->sources[source_of(engine_.plan().services[service], metric).reference];
  if (!source.instance_label.empty()) return share_out(*round, metric, *reading);
  if (slot >= 0) {
    const probe::Told& one = reading->front();
    out.fault = MetricFault::none;
    out.samples.push_back({slot, one.value, taken_at(one, round->asked), {}});
    return;
  }
  out.at = round->asked;
  for (const probe::Told& one : *reading) {
    out.totals.push_back(one.value);
    out.at = std::min(out.at, taken_at(one, round->asked));
  }
}

// Whose an element is, its label says. What belongs to no instance that runs is left out.
void Meters::share_out(Round& round, std::size_t metric, const std::vector<probe::Told>& told) {
  const engine::ServiceId service = round.answer.service;
  const auto& source = config_->sources[source_of(engine_.plan().services[service], metric).reference];
  engine::MeasuredMetric& out = round.answer.metrics[metric];
  const std::vector<engine::Slot> slots = running(service);
  for (const engine::Slot slot : slots) {
    const std::string label = probe::fill(source.instance_label, place_of(engine_, *config_, service, slot));
    const auto own = std::ranges::find(told, label, &probe::Told::key);
    if (own != told.end()) out.samples.push_back({slot, own->value, taken_at(*own, round.asked), {}});
  }
  if (!out.samples.empty() || slots.empty()) return;
  out.fault = MetricFault::no_known_instance;
  out.why = fmt::format("none of {} results is of an instance that runs, such as {}", told.size(),
                        printable(told.front().key, 80));
}

void Meters::answered(const RoundPtr& round) {
  if (--round->waiting == 0) feed_(std::move(round->answer));
}

void Meters::add(engine::ServiceId service, engine::Slot slot, const engine::InstanceState& instance, Instant now,
                 engine::Measured& answer) {
  const engine::ServicePlan& plan = engine_.plan().services[service];
  const auto usage = usage_of(instance, runtime::instance_name({plan.name, slot}));
  if (!usage) return;
  const auto before = last_.find({plan.name, slot});
  const bool same = before != last_.end() && before->second.incarnation == instance.incarnation;
  for (std::size_t i = 0; i < answer.metrics.size(); ++i) {
    auto& samples = answer.metrics[i].samples;
    const engine::MetricSource kind = source_of(plan, i).kind;
    if (kind == engine::MetricSource::memory) {
      samples.push_back({slot, static_cast<std::int64_t>(usage->memory) * 1000, now, {}});
    } else if (kind == engine::MetricSource::cpu && same && now > before->second.at) {
      const Duration span = now - before->second.at;
      samples.push_back({slot, load_between(before->second.usage, *usage, span), now, span});
    }
  }
  last_[{plan.name, slot}] = {instance.incarnation, now, *usage};
}

}  // namespace homeostat::daemon
