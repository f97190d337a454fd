// The engine's enums and their names in JSON, in the journal and on the screen.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace homeostat::engine {

/// What a runtime is asked to do to one instance (slot), or to the service as a whole (kWhole; exec strategies,
/// scale, route, adjust). `rollback` and `scale` exist for the exec runtime only: the process runtime restarts with
/// another version. `route`: the proxy divides the requests among the instances. `adjust` is the engine's own: what it
/// wants itself (how many instances, who gets requests) changes, and it follows that.
enum class Op : std::uint8_t { start, stop, restart, rollback, scale, exec, route, adjust };
/// What became of an action. `unknown`: nobody can tell; the target is locked until it is known to be well.
enum class OutcomeKind : std::uint8_t { succeeded, failed, not_started, unknown };
/// Who wanted an action: a ladder, a rolling operation, the desired state, an operator.
enum class Origin : std::uint8_t { ladder, operation, desired, manual };
/// What the engine may do with a service: `shadow` decides and records only, `approve` asks an operator first.
enum class Mode : std::uint8_t { shadow, approve, act };
/// What is known of an instance's process. `completed`: it was meant to end, and did so well.
enum class RunState : std::uint8_t { absent, running, stopped, dead, released, completed };
/// A rolling change of several instances, one after the other.
enum class OperationKind : std::uint8_t { deploy, rollback, restart_all };
enum class OperationPhase : std::uint8_t { running, done, stopped };
enum class Mark : std::uint8_t { stable, quarantined };
/// Why the whole engine holds back.
enum class Caution : std::uint8_t { tilt, doubt, observe_only };
/// How an incident ended.
enum class Ending : std::uint8_t { open, recovered, by_itself, withdrawn, stopped };

inline constexpr std::array<std::string_view, 8> kOpNames{"start", "stop", "restart", "rollback",
                                                          "scale", "exec", "route",   "adjust"};
constexpr std::span<const std::string_view> names_of(Op) { return kOpNames; }

inline constexpr std::array<std::string_view, 4> kOutcomeKindNames{"succeeded", "failed", "not_started", "unknown"};
constexpr std::span<const std::string_view> names_of(OutcomeKind) { return kOutcomeKindNames; }

inline constexpr std::array<std::string_view, 4> kOriginNames{"ladder", "operation", "desired", "manual"};
constexpr std::span<const std::string_view> names_of(Origin) { return kOriginNames; }

inline constexpr std::array<std::string_view, 3> kModeNames{"shadow", "approve", "act"};
constexpr std::span<const std::string_view> names_of(Mode) { return kModeNames; }

inline constexpr std::array<std::string_view, 6> kRunStateNames{"absent", "running",  "stopped",
                                                                "dead",   "released", "completed"};
constexpr std::span<const std::string_view> names_of(RunState) { return kRunStateNames; }

inline constexpr std::array<std::string_view, 3> kOperationKindNames{"deploy", "rollback", "restart_all"};
constexpr std::span<const std::string_view> names_of(OperationKind) { return kOperationKindNames; }

inline constexpr std::array<std::string_view, 3> kOperationPhaseNames{"running", "done", "stopped"};
constexpr std::span<const std::string_view> names_of(OperationPhase) { return kOperationPhaseNames; }

inline constexpr std::array<std::string_view, 2> kMarkNames{"stable", "quarantined"};
constexpr std::span<const std::string_view> names_of(Mark) { return kMarkNames; }

inline constexpr std::array<std::string_view, 3> kCautionNames{"tilt", "doubt", "observe_only"};
constexpr std::span<const std::string_view> names_of(Caution) { return kCautionNames; }

inline constexpr std::array<std::string_view, 5> kEndingNames{"open", "recovered", "by_itself", "withdrawn", "stopped"};
constexpr std::span<const std::string_view> names_of(Ending) { return kEndingNames; }

template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

}  // namespace homeostat::engine
