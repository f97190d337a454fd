#include "daemon/eyes.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/text.hpp"
#include "daemon/places.hpp"
#include "daemon/time_keeper.hpp"

namespace homeostat::daemon {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);
constexpr std::size_t kMostComplaints = 600;  // bytes

/// Which of the configuration's probes a target stands for.
std::uint32_t spec_of(const engine::Engine& engine, engine::TargetId id) {
  const engine::Target& target = engine.state().targets[id];
  const engine::ServicePlan& plan = engine.plan().services[target.service];
  if (target.check != engine::kNone) return plan.checks[target.check].probe;
  const auto& looks = engine.state().services[target.service].prerequisites;
  return plan.prerequisites[static_cast<std::size_t>(std::ranges::find(looks, id) - looks.begin())].probe;
}

}  // namespace

std::expected<std::unique_ptr<Eyes>, Error> Eyes::open(os::Loop& loop, const engine::Engine& engine, Feed feed,
                                                       Around around, std::optional<os::Cgroups> cgroups) {
  auto eyes = std::unique_ptr<Eyes>(new Eyes(engine, std::move(feed), std::move(around)));
  probe::Prober::Hooks hooks;
  hooks.now = eyes->around_.now;
  hooks.wall_ns = [] { return TimeKeeper::wall_ns(); };
  hooks.known = [self = eyes.get()](std::uint32_t target) { return self->known(target); };
  hooks.done = [self = eyes.get()](std::uint32_t target, std::uint32_t run, const Observation& seen,
                                   std::string_view words) {
    if (words.empty()) {
      self->last_words_.erase(target);
    } else {
      std::string& said = self->last_words_[target];
      said = words;
      self->around_.hide_secrets(said);
    }
    self->feed_(engine::Observed{target, run, seen});
  };
  auto prober = probe::Prober::open(loop, std::move(hooks), std::move(cgroups));
  if (!prober) return std::unexpected(prober.error());
  eyes->prober_ = std::move(*prober);
  return eyes;
}

void Eyes::configure(const config::Config& config) {
  config_ = &config;
  const auto count = static_cast<engine::TargetId>(engine_.state().targets.size());
  std::vector<std::uint32_t> was(count, probe::Prober::kNew);
  std::map<Name, engine::TargetId> remembering;
  for (engine::TargetId target = 0; target < count; ++target) {
    const std::optional<Name> name = remembered(target);
    if (!name) continue;
    if (const auto before = remembering_.find(*name); before != remembering_.end()) was[target] = before->second;
    remembering.emplace(*name, target);
  }
  remembering_ = std::move(remembering);
  prober_->renumber(was);
  last_words_.clear();
  for (engine::TargetId target = 0; target < count; ++target) prepare(target);
}

std::optional<Eyes::Name> Eyes::remembered(engine::TargetId id) const {
  const engine::Target& target = engine_.state().targets[id];
  const std::uint32_t spec = spec_of(engine_, id);
  if (target.check == engine::kNone || spec >= config_->probes.size()) return std::nullopt;
  const probe::Spec& kind = config_->probes[spec];
  if (!std::holds_alternative<probe::PromqlSpec>(kind) && !std::holds_alternative<probe::HaproxySpec>(kind))
    return std::nullopt;
  const engine::ServicePlan& plan = engine_.plan().services[target.service];
  return Name{plan.name, plan.checks[target.check].name, target.slot};
}

std::string_view Eyes::last_words(engine::TargetId target) const {
  const auto found = last_words_.find(target);
  return found == last_words_.end() ? std::string_view() : found->second;
}

std::string Eyes::complaints(engine::ServiceId service, std::optional<engine::Slot> slot) const {
  std::vector<std::string> all;  // instances often say the same
  for (const engine::Place& place : engine_.state().services[service].places) {
    if (slot && place.slot != *slot) continue;
    for (const engine::TargetId id : place.targets) {
      const engine::Target& target = engine_.state().targets[id];
      const engine::CheckPlan& check = engine_.plan().services[service].checks[target.check];
      const std::string_view said = last_words(id);
      if (said.empty() || !target.active || target.health.last().good() || check.role != Role::alive) continue;
      std::string one = fmt::format("{}: {}", check.name, said);
      if (std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
    }
  }
  return printable(fmt::format("{}", fmt::join(all, "; ")), kMostComplaints);
}

void Eyes::place_changed(engine::ServiceId service, engine::Slot slot) {
  for (const engine::Place& place : engine_.state().services[service].places) {
    if (place.slot != slot && place.slot >= 0) continue;
    for (const engine::TargetId target : place.targets) prepare(target);
  }
}

void Eyes::prepare(engine::TargetId id) {
  const engine::Target& target = engine_.state().targets[id];
  const std::uint32_t spec = spec_of(engine_, id);
  const probe::Place place = place_of(engine_, *config_, target.service, std::max<engine::Slot>(target.slot, 0));
  const probe::Spec process_check = probe::ProcessSpec{};
  prober_->prepare(id, spec < config_->probes.size() ? config_->probes[spec] : process_check, place);
}

probe::Finding Eyes::known(engine::TargetId id) const {
  const engine::Target& target = engine_.state().targets[id];
  const engine::Slot slot = std::max<engine::Slot>(target.slot, 0);
  const std::uint32_t spec = spec_of(engine_, id);
  const auto* runtime =
      spec < config_->probes.size() ? std::get_if<probe::RuntimeSpec>(&config_->probes[spec]) : nullptr;
  if (runtime != nullptr) return around_.runtime_says(target.service, slot, *runtime);
  const probe::AlertSpec* alert = alert_spec(*config_, spec);
  if (alert != nullptr)
    return around_.alerts_say(filled(alert->labels, place_of(engine_, *config_, target.service, slot)));
  const auto hold = engine_.state().runtime_holds.find({target.service, slot});
  if (hold != engine_.state().runtime_holds.end() && hold->second.blind) {
    return {Observation{Result::unknown, Reason::internal, 0, {}}, hold->second.why};
  }
  const engine::InstanceState* instance = instance_in(engine_, target.service, slot);
  if (instance != nullptr && instance->state == engine::RunState::running) return {Observation{Result::success}, {}};
  return {Observation{Result::failure, Reason::exited, -1, {}}, "the process does not run"};
}

void Eyes::look(const engine::Probe& probe, Instant now) {
  const engine::Target& target = engine_.state().targets[probe.target];
  const bool check = target.check != engine::kNone;
  const Duration timeout = check ? engine_.plan().services[target.service].checks[target.check].policy.timeout : kLook;
  prober_->start(probe.target, probe.run, timeout, now);
}

void Eyes::self_check(const engine::SelfCheck& check, Instant now) {
  prober_->self_check([this, round = check.round](bool ok) { feed_(engine::SelfChecked{round, ok}); }, kLook, now);
}

}  // namespace homeostat::daemon
