#include "scenario/stage.hpp"

#include <algorithm>

namespace homeostat::scenario {

Stage::Stage(const Configs& configs, std::uint64_t seed)
    : world(configs.at("").plan, sim::WorldOptions{.seed = seed}), configs_(configs), began_(world.now()) {
  world.on_command([this](const engine::Command& one) { command(one); });
}

// What was not durable is lost with the engine: it never happened.
void Stage::kill() {
  collect();
  world.kill_engine();
  const std::size_t left = world.records().size();
  std::size_t lost = records_seen_ - left;
  while (lost > 0) {
    const auto last = std::find_if(moments_.rbegin(), moments_.rend(), [](const Moment& moment) {
      return std::holds_alternative<engine::Record>(moment.what);
    });
    moments_.erase(std::next(last).base());
    --lost;
  }
  records_seen_ = left;
}

void Stage::command(const engine::Command& command) {
  collect();
  const engine::State& state = world.engine().state();
  if (const auto* probe = std::get_if<engine::Probe>(&command)) {
    const engine::Target& target = state.targets[probe->target];
    const engine::ServicePlan& plan = world.engine().plan().services[target.service];
    if (target.check == engine::kNone) return;
    moments_.push_back({world.now(), Looked{plan.name, target.slot, plan.checks[target.check].name}});
  } else if (const auto* notify = std::get_if<engine::Notify>(&command)) {
    moments_.push_back({world.now(), Notifying{notify->escalation}});
  } else if (std::holds_alternative<engine::SelfCheck>(command)) {
    moments_.push_back({world.now(), SelfChecking{}});
  } else if (const auto* dispatch = std::get_if<engine::Dispatch>(&command)) {
    const std::string& service = world.engine().plan().services[dispatch->service].name;
    if (dispatch->op != engine::Op::exec || !cured_by_exec.contains(service)) return;
    for (const engine::Slot slot : slots(service, dispatch->slot)) world.answers(service, slot, "", std::nullopt);
  }
}

void Stage::collect() {
  const auto& records = world.records();
  for (; records_seen_ < records.size(); ++records_seen_) {
    const engine::Record& record = records[records_seen_];
    if (const auto* intent = std::get_if<engine::Intent>(&record.body)) intents_[intent->id] = *intent;
    if (const auto* call = std::get_if<engine::Escalated>(&record.body)) escalations_[call->id] = call->service;
    moments_.push_back({record.at, record});
  }
  const auto& effects = world.effects();
  for (; effects_seen_ < effects.size(); ++effects_seen_) {
    moments_.push_back({effects[effects_seen_].at, effects[effects_seen_]});
  }
}

const engine::Intent* Stage::intent(engine::CommandId id) const {
  const auto found = intents_.find(id);
  return found == intents_.end() ? nullptr : &found->second;
}

std::string Stage::escalated_service(engine::CommandId id) const {
  const auto found = escalations_.find(id);
  return found == escalations_.end() ? std::string() : found->second;
}

std::vector<engine::Slot> Stage::slots(const std::string& service, engine::Slot slot) const {
  if (slot >= 0) return {slot};
  std::vector<engine::Slot> all;
  for (const engine::ServicePlan& plan : world.plan().services) {
    for (engine::Slot s = 0; plan.name == service && s < static_cast<engine::Slot>(plan.instances); ++s) {
      all.push_back(s);
    }
  }
  return all;
}

}  // namespace homeostat::scenario
