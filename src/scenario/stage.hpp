// Where a scenario is played: the simulated world, and everything that happened in it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "sim/world.hpp"

namespace homeostat::scenario {

/// A check that ran.
struct Looked {
  std::string service;
  engine::Slot slot = 0;
  std::string check;
};
/// The loopback self-check was asked for.
struct SelfChecking {};
/// A notifier ran.
struct Notifying {
  engine::CommandId escalation;
};
/// The scenario made something happen.
struct Told {
  std::string text;
};

struct Moment {
  Instant at{};
  std::variant<engine::Record, sim::Effect, Looked, SelfChecking, Notifying, Told> what;
};

using Configs = std::map<std::string, config::Config>;

class Stage {
 public:
  Stage(const Configs& configs, std::uint64_t seed);

  const Configs& configs() const { return configs_; }
  /// Since the scenario began.
  Duration now() const { return world.now() - began_; }
  Duration since_start(Instant at) const { return at - began_; }
  bool alive() const { return world.alive(); }
  void boot() { world.boot(); }
  void kill();
  void tell(std::string text) { moments_.push_back({world.now(), Told{std::move(text)}}); }
  /// Takes what has happened since into `moments`.
  void collect();
  const std::vector<Moment>& moments() const { return moments_; }
  /// The intent of an action; null for an id that is none.
  const engine::Intent* intent(engine::CommandId id) const;
  /// The service of an escalation; empty: the engine itself, or none is known.
  std::string escalated_service(engine::CommandId id) const;
  /// Slots that a place's name stands for.
  std::vector<engine::Slot> slots(const std::string& service, engine::Slot slot) const;

  sim::World world;
  std::set<std::string> cured_by_exec;  // services

 private:
  void command(const engine::Command& command);

  const Configs& configs_;
  Instant began_;
  std::vector<Moment> moments_;
  std::size_t records_seen_ = 0;
  std::size_t effects_seen_ = 0;
  std::map<engine::CommandId, engine::Intent> intents_;
  std::map<engine::CommandId, std::string> escalations_;
};

}  // namespace homeostat::scenario
