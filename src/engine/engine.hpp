// The engine: everything that is decided, and nothing else. One thread, no I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gates.hpp"
#include "engine/state.hpp"

namespace homeostat::engine {

class Engine {
 public:
  /// `recovered` is the fold of the journal; empty for a first start.
  explicit Engine(Durable recovered = {}) { state_.durable = std::move(recovered); }
  Engine(const Engine&) = delete;  // its index points into its state
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) noexcept = default;
  Engine& operator=(Engine&&) noexcept = default;
  ~Engine() = default;

  /// Begins a new epoch with a first configuration. Nothing is acted on before the input Recovered.
  void start(Plan plan, std::string_view build, Instant now, Commands& out);

  /// Goes over to another configuration: all or nothing. Changed thresholds and intervals keep the streaks, changed
  /// targets forget them; services that are gone are released, still running.
  void reload(Plan plan, Instant now, Commands& out);

  /// One input at a time; `now` must not go backwards. Appends to `out`.
  void step(const Input& input, Instant now, Commands& out);

  /// When step(Tick) is due at the latest if nothing else happens.
  std::optional<Instant> next_deadline() const;

  /// What would be written down at once if this were given now; nothing is done.
  std::vector<Record> would(const Input& input, Instant now) const;

  /// Why an approval of this action would be in vain now: the gate that holds it, or without one why it is not wanted
  /// any more; nothing: it would be done.
  std::optional<Hold> not_to_approve(CommandId id, Instant now) const;

  /// The volatile and durable state as bytes for the same build and plan, and back (false: not such bytes). The plan's
  /// generation and shadow flag come from the bytes.
  std::string save() const;
  bool load(std::string_view bytes, Plan plan);
  /// A number that differs when the states differ, the same on every compiler.
  std::uint64_t hash() const;

  const Plan& plan() const { return state_.plan; }
  const Durable& durable() const { return state_.durable; }
  const State& state() const { return state_; }

  /// The release name behind an index in a command; empty for kNone.
  std::string_view version(std::uint32_t index) const;
  /// The release that the instance of a slot should run, empty without releases.
  std::string wanted_version(ServiceId service, Slot slot) const;
  /// True when the operator and the configuration want the instance to run.
  bool wanted(ServiceId service, Slot slot) const;
  std::optional<ServiceId> find_service(std::string_view name) const;
  /// Status of one instance by its `alive` checks.
  Status instance_status(ServiceId service, Slot slot) const;
  /// True when the operator's pause of this service or of everything is in force.
  bool paused(ServiceId service, Instant now) const;

 private:
  State state_;
};

/// The last observation of a check in words, such as "answered 500 (want another status)".
std::string explain(const Observation& seen);
/// How a process has ended; `out_of_memory`: its runtime says that this is why.
std::string explain_end(const Observation& seen, bool out_of_memory);

}  // namespace homeostat::engine
