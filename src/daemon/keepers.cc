#include "daemon/keepers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/places.hpp"
#include "os/incarnation.hpp"
#include "runtime/fill.hpp"

namespace homeostat::daemon {
namespace {

using Is = runtime::Sight::Is;

constexpr Duration kFindWithin = std::chrono::seconds(2);

std::string key_of(const runtime::KeptSpec& spec) {
  return fmt::format("{} {} {}", static_cast<int>(spec.by), spec.peer, spec.login);
}

/// Who told an instance to start or to stop, when it was not us.
std::string others_by(const runtime::KeptSpec& spec) {
  constexpr std::array kNames{"systemd", "supervisord", "docker", "podman"};
  return fmt::format("others, by {}", kNames[static_cast<std::size_t>(spec.by)]);
}

bool runs(const engine::InstanceState* instance) {
  return instance != nullptr && instance->state == engine::RunState::running;
}

/// The action under way that starts the instance.
engine::CommandId beginner_of(const engine::Engine& engine, const std::string& service, engine::Slot slot) {
  for (const auto& [id, action] : engine.durable().actions) {
    const engine::Intent& intent = action.intent;
    const bool starts = intent.op == engine::Op::start || intent.op == engine::Op::restart;
    if (starts && intent.service == service && intent.slot == slot) return id;
  }
  return {};
}

/// Its keeper is at work on it, or does not tell: nothing is known of it that could be acted on.
bool is_held(const runtime::Sight& sight) { return sight.is == Is::unreachable || sight.is == Is::busy; }

/// Somebody has stopped it, us or others: it is not that fewer are needed.
bool is_stopped(const engine::Engine& engine, const std::string& service, engine::Slot slot) {
  const auto known = engine.durable().services.find(service);
  return known != engine.durable().services.end() &&
         (known->second.stopped || known->second.stopped_slots.contains(slot));
}

/// We died in the middle of an action on the instance. One that had succeeded, and was being verified, stops nothing.
bool is_interrupted(const engine::Engine& engine, const std::string& service, engine::Slot slot) {
  return std::ranges::any_of(engine.durable().actions, [&](const auto& item) {
    const engine::ActionState& action = item.second;
    return action.intent.service == service && action.intent.slot == slot && !action.succeeded_at;
  });
}

}  // namespace

const runtime::KeptSpec* Keepers::spec_of(engine::ServiceId service) const {
  return std::get_if<runtime::KeptSpec>(&config_->runtimes[engine_.plan().services[service].runtime.reference]);
}

runtime::Keeper* Keepers::keeper_of(const runtime::KeptSpec& spec) {
  auto& keeper = keepers_[key_of(spec)];
  if (keeper) return keeper.get();
  const auto on_sight = [this](const runtime::Target& target, const runtime::Sight& sight) { saw(target, sight); };
  keeper = runtime::make_keeper(loop_, spec, on_sight);
  return keeper.get();
}

void Keepers::configure(const config::Config& config) {
  const bool reloaded = std::exchange(config_, &config) != nullptr;
  std::map<runtime::Keeper*, std::vector<runtime::Charge>> charges;
  std::map<runtime::Target, Known> known;
  for (engine::ServiceId id = 0; id < engine_.plan().services.size(); ++id) {
    const runtime::KeptSpec* spec = spec_of(id);
    if (spec == nullptr) continue;
    for (const engine::Slot slot : slots_of(engine_, id)) {
      runtime::Charge charge{{engine_.plan().services[id].name, slot}, *spec};
      charge.spec.unit = runtime::fill(spec->unit, {{"instance", std::to_string(slot)}});
      Known& one = known[charge.target];
      const std::string whose = key_of(*spec) + " " + charge.spec.unit;
      // What was seen of another unit says nothing of this one.
      if (const auto before = known_.find(charge.target); before != known_.end() && before->second.whose == whose)
        one = before->second;
      else
        one.moved = reloaded && runs(instance_in(engine_, id, slot));
      one.whose = whose;
      one.told = false;
      one.held.clear();
      charges[keeper_of(*spec)].push_back(std::move(charge));
    }
  }
  known_ = std::move(known);
  std::erase_if(keepers_, [&](const auto& item) { return !charges.contains(item.second.get()); });
  for (auto& [keeper, its] : charges) keeper->keep(std::move(its));
}

void Keepers::saw(const runtime::Target& target, const runtime::Sight& sight) {
  const auto known = known_.find(target);
  if (known == known_.end()) return;
  const auto id = engine_.find_service(target.service);
  // What was coming up before it was told to stop is not what others have started after that.
  if (sight.is == Is::busy && known->second.sight.is != Is::busy)
    known->second.came_wanted = id && engine_.wanted(*id, target.slot);
  else if (sight.is == Is::stopped || sight.is == Is::ended)
    known->second.came_wanted = false;
  known->second.sight = sight;
  known->second.told = false;
  if (sight.is != Is::unreachable) known->second.restarts.saw(sight.restarts, now_);
}

void Keepers::find_all(Instant now, std::function<void()> found) {
  found_ = std::move(found);
  find_until_ = later(now, kFindWithin);
  if (known_.empty()) end_finding();
}

bool Keepers::all_seen() const {
  return std::ranges::none_of(known_, [](const auto& item) { return item.second.sight.is == Is::unreachable; });
}

void Keepers::end_finding() {
  for (auto& [target, known] : known_) {
    const auto id = engine_.find_service(target.service);
    if (id) find(*id, target.slot, known);
  }
  std::exchange(found_, nullptr)();
}

void Keepers::find(engine::ServiceId service, engine::Slot slot, Known& known) {
  const runtime::Sight& sight = known.sight;
  if (is_held(sight)) return hold(service, slot, known);
  const engine::InstanceState* instance = instance_in(engine_, service, slot);
  if (finished(service, slot, sight)) return;
  known.heard = sight.run;
  const bool ran = instance != nullptr && !instance->incarnation.none();
  const bool unheard = ran && !sight.run.none() && sight.run != instance->incarnation;
  // In the middle of an action of ours it is that which has stopped it, if not the run that came of it.
  const bool by_us = !unheard && is_interrupted(engine_, engine_.plan().services[service].name, slot);
  if (sight.is == Is::stopped && (runs(instance) || unheard) && !by_us) return feed_(at_rest(service, slot, known));
  engine::Found found{service, slot, {}, {}, 0, sight.version, {}};
  if (sight.is == Is::running) found.running = sight.run;
  // Who starts what was stopped wants it, whether we look or not. What comes up with the machine is nobody's wish.
  const bool again = unheard && !by_us && sight.run.boot == instance->incarnation.boot;
  if (sight.is == Is::running && again && is_stopped(engine_, engine_.plan().services[service].name, slot))
    found.told = others_by(*spec_of(service));
  feed_(std::move(found));
}

// While nobody looked, a run that was meant to end has ended, and its keeper knows how: one that ended well is at rest
// like one that was stopped.
bool Keepers::finished(engine::ServiceId service, engine::Slot slot, const runtime::Sight& sight) {
  const engine::InstanceState* instance = instance_in(engine_, service, slot);
  const auto& completion = engine_.plan().services[service].completion;
  const bool told = sight.is == Is::ended && sight.known;
  if (!completion || completion->ok.empty()) return false;
  Incarnation run;
  if (runs(instance)) {
    run = instance->incarnation;
    if (run.boot != os::boot_number() || (sight.is != Is::stopped && !told)) return false;
  } else {
    // Nobody has heard of that run: an action of ours had begun it, and died with us before it could say so.
    const engine::CommandId began = beginner_of(engine_, engine_.plan().services[service].name, slot);
    run = sight.run;
    if (began.none() || (instance != nullptr && instance->incarnation == run)) return false;
    // systemd forgets a unit that has ended well: then nobody can tell whether it was begun.
    if (run.none() && sight.is == Is::stopped) {
      feed_(engine::Found{service, slot, {}, began, 0, {}, {}});
      return true;
    }
    if (run.none() || !told) return false;
    feed_(engine::Found{service, slot, run, began, 0, sight.version, {}});
  }
  const std::int32_t code = sight.is == Is::stopped ? completion->ok.front() : sight.code;
  feed_(engine::Exited{service, slot, run, true, sight.signalled, code, sight.out_of_memory});
  return true;
}

// What ran in this boot was stopped by somebody; after another it has not been started yet, nor has what it is to be
// now if it was something else when it ran.
engine::Found Keepers::at_rest(engine::ServiceId service, engine::Slot slot, const Known& known) const {
  const engine::InstanceState* instance = instance_in(engine_, service, slot);
  const Incarnation last = known.sight.run.none() && instance != nullptr ? instance->incarnation : known.sight.run;
  const bool stopped = known.overruled || (!known.moved && last.boot == os::boot_number());
  return {service, slot, {}, {}, 0, {}, stopped ? others_by(*spec_of(service)) : std::string()};
}

void Keepers::hold(engine::ServiceId service, engine::Slot slot, Known& known) {
  const bool blind = known.sight.is == Is::unreachable;
  std::string why = is_held(known.sight) ? known.sight.detail : std::string();
  if (blind && why.empty()) why = spec_of(service)->unit + " has not been told of yet";
  if (why == known.held) return;
  known.held = why;
  feed_(engine::RuntimeHeld{service, slot, why, blind});
}

void Keepers::tell(engine::ServiceId service, engine::Slot slot, Known& known) {
  const runtime::Sight& sight = known.sight;
  if (is_held(sight)) return;
  const bool unheard = known.heard && !sight.run.none() && sight.run != *known.heard;
  if (!known.heard || unheard) known.heard = sight.run;
  const engine::InstanceState* instance = instance_in(engine_, service, slot);
  if (sight.is == Is::running) {
    known.overruled = known.moved = false;
    if (runs(instance) && instance->incarnation == sight.run) return;
    const bool wanted = engine_.wanted(service, slot) || std::exchange(known.came_wanted, false);
    if (begun_by_others && !is_acted_on(engine_, engine_.plan().services[service].name, slot))
      begun_by_others(service, slot, sight.run);
    return feed_(
        engine::Found{service, slot, sight.run, {}, 0, sight.version, wanted ? "" : others_by(*spec_of(service))});
  }
  if (sight.is == Is::stopped && (runs(instance) || ((unheard || known.overruled) && engine_.wanted(service, slot)))) {
    feed_(at_rest(service, slot, known));
    return void(known.overruled = known.moved = false);
  }
  if (!runs(instance) || sight.is != Is::ended) return;
  feed_(engine::Exited{service, slot, instance->incarnation, sight.known, sight.signalled, sight.code,
                       sight.out_of_memory});
}

void Keepers::reconcile() {
  if (found_) return;
  for (auto& [target, known] : known_) {
    if (known.told || known.ordered) continue;
    known.told = true;
    const auto id = engine_.find_service(target.service);
    if (!id) continue;
    tell(*id, target.slot, known);
    hold(*id, target.slot, known);  // after it: what is held back may act as soon as it is not
  }
}

void Keepers::perform(const engine::Dispatch& command, const runtime::Target& target, const std::string& version,
                      Instant now, runtime::Done done) {
  const runtime::KeptSpec* spec = spec_of(command.service);
  now_ = now;
  Known& ordered = known_[target];
  ordered.ordered = true;
  ordered.overruled = false;
  auto ended = [this, target, stops = command.op == engine::Op::stop,
                done = std::move(done)](runtime::Outcome outcome) mutable {
    if (const auto known = known_.find(target); known != known_.end()) {
      known->second.ordered = known->second.told = false;
      known->second.overruled = outcome.overruled;
      // Whatever else is there, or is coming up, was begun before it was to stop.
      const bool there = known->second.sight.is == Is::busy || known->second.sight.is == Is::running;
      if (stops && there && outcome.kind == engine::OutcomeKind::not_started) known->second.came_wanted = true;
      // Before that it was not done: it is given back then, and what ran is not taken for dead.
      const auto id = engine_.find_service(target.service);
      if (id && outcome.kind == engine::OutcomeKind::not_started && is_held(known->second.sight))
        hold(*id, target.slot, known->second);
    }
    done(std::move(outcome));
  };
  keeper_of(*spec)->perform({target, command.op, command.expected, version}, now, std::move(ended));
}

Incarnation Keepers::running(engine::ServiceId service, engine::Slot slot) const {
  const auto known = known_.find({engine_.plan().services[service].name, slot});
  if (known == known_.end()) return {};
  const runtime::Sight& sight = known->second.sight;
  if (sight.is == Is::running) return sight.run;
  const engine::InstanceState* instance = instance_in(engine_, service, slot);
  return sight.is == Is::unreachable && runs(instance) ? instance->incarnation : Incarnation{};
}

probe::Finding Keepers::says(engine::ServiceId service, engine::Slot slot, const probe::RuntimeSpec& spec) const {
  const auto found = known_.find({engine_.plan().services[service].name, slot});
  if (found == known_.end() || found->second.sight.is == Is::unreachable) {
    const std::string why = found == known_.end() ? "nothing is known of it" : found->second.sight.detail;
    return {Observation{Result::unknown, Reason::internal, 0, {}}, why};
  }
  const runtime::Sight& sight = found->second.sight;
  const Observation bad{Result::failure, Reason::other, 0, {}};
  if (sight.is == Is::ended || sight.is == Is::stopped) return {bad, sight.detail};
  const std::uint32_t restarts = spec.restarts == 0 ? 0 : found->second.restarts.within(spec.within, now_);
  if (spec.restarts != 0 && restarts >= spec.restarts) {
    return {bad, fmt::format("restarted {} times by its runtime lately", restarts)};
  }
  if (!sight.unwell.empty()) return {bad, sight.unwell};
  if (sight.is == Is::busy) return {Observation{Result::unknown, Reason::internal, 0, {}}, sight.detail};
  return {Observation{Result::success}, {}};
}

std::optional<Instant> Keepers::next_deadline() const {
  Instant next = found_ ? find_until_ : kNever;
  for (const auto& [key, keeper] : keepers_) next = std::min(next, keeper->next_deadline().value_or(kNever));
  return next == kNever ? std::nullopt : std::optional(next);
}

void Keepers::advance(Instant now) {
  now_ = now;
  for (auto& [key, keeper] : keepers_) keeper->advance(now);
  if (found_ && (all_seen() || now >= find_until_)) end_finding();
}

}  // namespace homeostat::daemon
