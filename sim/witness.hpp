// What there is to see in the simulated world, for those who judge it.
#pragma once

#include "engine/command.hpp"
#include "engine/input.hpp"

namespace homeostat::sim {

/// Something that an action really did to the world.
struct Deed {
  Instant at{};
  engine::CommandId id;
  engine::Op op = engine::Op::start;  // restarts of processes are two deeds: a stop and a start
  std::uint32_t service = 0;          // of the arena
  engine::Slot slot = 0;
  bool was_well = false;  // the truth before it: it ran and answered well
};

/// Told of everything as it happens. An engine's step is: given, recorded …, commanded …, stepped.
class Witness {
 public:
  Witness() = default;
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  virtual ~Witness() = default;

  virtual void given(const engine::Input&) {}
  virtual void recorded(const engine::Record&) {}
  virtual void commanded(const engine::Command&) {}
  virtual void stepped() {}
  /// The record survives whatever happens from now on.
  virtual void durable(const engine::Record&) {}
  virtual void did(const Deed&) {}
  /// The process of this place ended without us.
  virtual void ended(std::uint32_t /*service*/, engine::Slot) {}
  /// The engine is gone; what was not durable is lost.
  virtual void died() {}
  virtual void booted() {}
  virtual void reloaded() {}
  /// The faults have ended, and the world has had its time to come to rest.
  virtual void rested() {}
};

}  // namespace homeostat::sim
