// The configuration as the engine sees it: typed, complete, with every default filled in. Made by `config`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/compact.hpp"
#include "engine/maintenance_window.hpp"
#include "engine/names.hpp"
#include "homeostat/breaker_types.hpp"
#include "homeostat/canary_types.hpp"
#include "homeostat/diagnosis_types.hpp"
#include "homeostat/health.hpp"
#include "homeostat/remediation.hpp"
#include "homeostat/rollout_types.hpp"
#include "homeostat/scaling_policy.hpp"
#include "homeostat/scaling_schedule.hpp"

namespace homeostat::engine {

/// Dense indices of one configuration generation. Never persisted: names are.
using ServiceId = std::uint32_t;
using CheckId = std::uint32_t;      // within its service
using Slot = std::int32_t;          // an instance's place, 0 … instances-1
inline constexpr Slot kWhole = -1;  // the service as a whole
inline constexpr std::uint32_t kNone = 0xffffffffU;

struct CheckPlan {
  std::string name;
  CheckPolicy policy;
  Role role = Role::alive;
  Scope scope = Scope::instance;
  /// True for the built-in check that the process is there: also fed by exits, never answered from the network.
  bool process = false;
  /// Index into Config::probes, for the shell.
  std::uint32_t probe = kNone;
  /// Changes when the target or the expectation changes: then streaks are forgotten at a reload.
  std::uint64_t identity = 0;
};

enum class StrategyKind : std::uint8_t { restart, rollback, scale_up, drain, exec, escalate };
inline constexpr std::array<std::string_view, 6> kStrategyNames{"restart", "rollback", "scale_up",
                                                                "drain",   "exec",     "escalate"};
constexpr std::span<const std::string_view> names_of(StrategyKind) { return kStrategyNames; }

/// Which instances a restart is about: the failing one; every one, one after the other; every one as soon as may be.
enum class Reach : std::uint8_t { one, rolling, all };

/// When a rung may be used: all that is set must hold; nothing set: always.
struct Condition {
  Duration changed_within{};                     // its version or what is run changed at most this long ago
  std::optional<std::uint32_t> failing_above{};  // more than so many percent of the instances fail
  std::int32_t killed_by = 0;                    // the instance was killed by this signal …
  bool out_of_memory = false;                    // … and its runtime says: for its memory
  bool ejected = false;                          // its traffic breaker is not closed
  friend bool operator==(const Condition&, const Condition&) = default;
};

/// How far `scale_up` raises the least number of instances, and for how long.
struct Raise {
  std::uint32_t percent = 150;  // of those there are
  std::uint32_t max = 0;        // 0: as many as scaling allows
  Duration hold = std::chrono::minutes(30);
  friend bool operator==(const Raise&, const Raise&) = default;
};

struct RungPlan {
  StrategyKind strategy = StrategyKind::restart;
  std::uint32_t attempts = 1;
  Duration verify_within{};  // 0: computed (startup_grace + success_threshold x fast_interval of the slowest check)
  Condition when;
  std::uint32_t skip_after = 0;     // tries in vain against the same kind of failure; 0: never
  Reach reach = Reach::one;         // restart
  Raise raise;                      // scale_up
  std::string version;              // rollback: to this one; empty: to the last one that was proved well
  std::string name;                 // exec: the command's name; escalate: the notifier's name; else empty
  std::uint32_t reference = kNone;  // exec: index into Config::commands; escalate: into Config::notifiers
  std::uint64_t identity = 0;       // exec: changes when the command does
  bool idempotent = false;          // exec: may be repeated when its outcome is unknown
  friend bool operator==(const RungPlan&, const RungPlan&) = default;
};

/// Most services have the same few ladders.
using LadderPlan = SharedList<RungPlan>;

/// What bounds a ladder as a whole.
struct LadderLimits {
  Duration within{};    // after so long a human is called; 0: when it is spent
  Duration cooldown{};  // so long after its end the next one begins; 0: its waits decide
  friend bool operator==(const LadderLimits&, const LadderLimits&) = default;
};

/// A kind of failure with a ladder of its own: what fails by these checks alone.
struct IssuePlan {
  std::string name;
  std::vector<CheckId> checks;
  LadderPlan ladder;
  LadderLimits limits;
};

/// A service that is meant to end: with one of these exit statuses it is done, and stays so.
struct Completion {
  std::vector<std::int32_t> ok{0};
  friend bool operator==(const Completion&, const Completion&) = default;
};

struct Prerequisite {
  enum class Kind : std::uint8_t { service_healthy, check_passing, file_exists, min_healthy };
  Kind kind = Kind::service_healthy;
  std::string text;             // as the user wrote it, for reasons
  ServiceId service = kNone;    // all but file_exists
  CheckId check = kNone;        // check_passing
  std::uint32_t count = 0;      // min_healthy
  std::uint32_t probe = kNone;  // file_exists: index into Config::probes, looked at on demand
};

/// What a service needs. A service by itself, as in `depends_on: [db]`, is needed for everything.
struct Need {
  ServiceId service = kNone;
  diagnosis::Tie tie = diagnosis::Tie::hard;
  std::uint32_t any_of = 0;  // those with the same number, not 0: one of them is enough
  Need() = default;
  Need(ServiceId on, diagnosis::Tie how = diagnosis::Tie::hard, std::uint32_t alternatives = 0)  // NOLINT: a short form
      : service(on), tie(how), any_of(alternatives) {}
  friend bool operator==(const Need&, const Need&) = default;
};

/// How many may be unavailable or acted on: an absolute number or a share, which rounds down but to at least one.
struct Share {
  std::uint32_t count = 0;
  std::uint32_t percent = 0;  // used when > 0
  constexpr std::uint32_t of(std::uint32_t total) const {
    const std::uint64_t share = percent > 0 ? std::uint64_t{total} * percent / 100 : count;
    return share < 1 ? 1 : static_cast<std::uint32_t>(share);
  }
};

struct Budget {
  std::uint32_t max_actions = 3;
  std::uint32_t percent = 0;  // of all instances; the larger of both counts
  Duration per = std::chrono::minutes(10);
};

/// Services that share a budget.
struct GroupPlan {
  std::string name;
  Budget budget;
};

/// What the service's runtime can do; a strategy that needs more is refused by `validate`.
struct RuntimePlan {
  bool managed = false;  // we start the instances (process runtime); false: the exec runtime's own commands
  bool restart = false;
  bool start_stop = false;
  bool scale = false;               // can be told how many instances there shall be (exec runtime)
  bool scale_again = false;         // … the same number again, when nobody knows what became of it
  bool releases = false;            // deploy and rollback have a meaning
  std::uint32_t reference = kNone;  // index into Config::services, for the shell
  /// Changes when what would be started changes; an instance started from another is `outdated`.
  std::uint64_t identity = 0;
  std::uint64_t commands = 0;  // changes when one of the exec runtime's commands does
  Duration stop_grace = std::chrono::seconds(10);
  bool stop_on_shutdown = false;  // on_shutdown: stop
};

/// Where a metric of the autoscaler comes from.
enum class MetricSource : std::uint8_t {
  cpu,      // of each instance, in percent of one processor
  memory,   // of each instance, in bytes
  outside,  // of a server or a command, whom the shell asks
};

struct SourcePlan {
  MetricSource kind = MetricSource::cpu;
  // Outside only.
  std::uint32_t reference = kNone;  // index into Config::sources
  std::uint64_t identity = 0;       // changes when what is asked does
  Duration fresh_within{};          // what is older is not used; 0: of any age
};

/// How the number of instances follows what is measured.
struct ScalingPlan {
  ScalingPolicy policy;
  std::vector<SourcePlan> sources{};  // of each metric of the policy
  Duration every = std::chrono::seconds(15);
};

/// Where a metric of the judge comes from.
enum class JudgeSource : std::uint8_t {
  pushed,         // somebody tells it
  errors,         // of all requests that the proxy has led to a version
  response_time,  // as the proxy measures it
  outside,        // of a server or a command, whom the shell asks
};

struct JudgedFrom {
  JudgeSource kind = JudgeSource::pushed;
  std::uint32_t reference = kNone;  // outside: index into Config::sources
  bool ratio = false;               // outside: two numbers that only grow, so much of the first in the second
};

/// What a stage of a rollout waits for beside its checks, its judge and an approval.
struct GatePlan {
  enum class Kind : std::uint8_t { command, window };
  Kind kind = Kind::command;
  std::uint32_t stage = 0;
  std::string name;                                   // among the stage's gates
  Duration every = std::chrono::seconds(30);          // it is asked again
  std::uint32_t reference = kNone;                    // command: index into Config::commands
  Duration answers_within = std::chrono::minutes(1);  // command: later nobody waits for it any more
  ScalingSchedule window{};                           // window: from its start to its end
  friend bool operator==(const GatePlan&, const GatePlan&) = default;
};

/// How a new version takes over.
struct RolloutPlan {
  rollout::Policy policy;
  std::vector<canary::Metric> metrics{};  // that the judge compares; none: no judge
  std::vector<JudgedFrom> sources{};      // of each of them; none: all are pushed
  std::uint64_t told_by = 0;              // changes when one of them does: what the judge was told before is void
  std::vector<GatePlan> gates{};
  JudgedFrom source_of(std::size_t metric) const { return metric < sources.size() ? sources[metric] : JudgedFrom{}; }
};

struct ServicePlan {
  std::string name;
  Mode mode = Mode::act;
  bool external = false;        // only looked at: nothing of it is ours to repair
  bool routed = false;          // a proxy leads requests to its instances
  std::uint32_t instances = 1;  // places: with `scaling` or `rollout` the most there may be
  std::uint32_t min_healthy = 1;
  std::uint32_t group = kNone;  // index into Plan::groups
  RuntimePlan runtime;
  std::shared_ptr<const ScalingPlan> scaling{};  // null: always so many
  std::shared_ptr<const RolloutPlan> rollout{};  // null: a deployment replaces one after the other
  Text release;                                  // the version to begin with; empty without releases
  Few<Need> depends_on;
  Few<Prerequisite> prerequisites;
  std::vector<CheckPlan> checks;
  LadderPlan ladder;
  LadderLimits limits;  // of that ladder
  Few<IssuePlan> issues{};
  Few<std::string> locks{};  // what only one service at a time may be worked on with
  Boxed<Completion> completion{};
  BackoffPolicy backoff;
  Budget budget;
  Few<MaintenanceWindow> maintenance;
  Share max_unavailable{1, 0};
  Duration stable_after = std::chrono::minutes(10);
  Duration reopen_within = std::chrono::minutes(10);
  Duration rearm_after = std::chrono::minutes(30);
};

/// A way to call a human.
struct NotifierPlan {
  std::string name;
  std::uint64_t identity = 0;  // changes when its command does
};

/// For commands and notifiers: calls are few, so it is failures in a row that count, and one probe that decides.
inline BreakerOptions dependency_breaker() {
  BreakerOptions options;
  options.consecutive_failures = 5;
  options.failure_rate = 0;
  options.min_calls = 1;
  options.open_factor = 2;
  options.open_cap = std::chrono::minutes(5);
  options.half_open_max_calls = 1;
  options.success_threshold = 1;
  options.half_open_for = std::chrono::hours(24);  // every call that the engine makes has ended long before
  options.events = 4;
  return options;
}

/// For the requests that a proxy leads to a place: they are many, so it is their failure rate that counts.
inline BreakerOptions traffic_breaker() {
  BreakerOptions options;
  options.window_time = std::chrono::seconds(30);
  options.open_factor = 2;
  options.open_cap = std::chrono::minutes(5);
  options.half_open_max_calls = 1;  // each is asked for and answered at once
  options.success_threshold = 20;
  options.half_open_by_rate = true;
  options.events = 4;
  return options;
}

/// When a place that fails the requests of a proxy gets none for a while.
struct EjectionPlan {
  BreakerOptions breaker = traffic_breaker();
  std::uint32_t trial = 10;  // percent of its usual share that it gets to prove itself
  Share max_ejected{0, 34};
  std::uint64_t identity = 0;  // changes when the proxy does
};

struct Plan {
  std::uint64_t generation = 0;
  std::uint64_t seed = 0;
  std::vector<ServicePlan> services;
  std::vector<NotifierPlan> notifiers;  // in the order of Config::notifiers
  Budget fleet{3, 10, std::chrono::minutes(10)};
  std::vector<GroupPlan> groups;
  std::optional<Budget> instance;      // of each instance by itself; absent: without bounds
  Few<MaintenanceWindow> maintenance;  // of everything
  std::vector<std::string> zones;      // the shell tells the time in them: MaintenanceWindow::zone points here
  Duration approval_within = std::chrono::minutes(30);  // so long somebody may take to approve something
  Duration storm_cool_down = std::chrono::seconds(30);  // so long nothing is done on indirect evidence after a storm
  /// The notifier for escalations that no ladder names one for; kNone: none.
  std::uint32_t default_notifier = kNone;
  bool shadow = false;  // all services decide and record only
  Duration tilt_least = std::chrono::seconds(30);
  Duration durable_within = std::chrono::seconds(5);
  Duration notified_within = std::chrono::minutes(1);  // the shell ends its notifiers before
  std::uint32_t doubt_roots = 5;
  std::uint32_t doubt_sample = 20;
  BreakerOptions breaker = dependency_breaker();
  std::map<std::string, EjectionPlan, std::less<>> ejections{};  // by service; most have none
};

}  // namespace homeostat::engine
