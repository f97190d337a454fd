// What a program tells a Healer (checks, remedies, prerequisites), and what it can read back (states, history).
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "homeostat/health.hpp"
#include "homeostat/observation.hpp"
#include "homeostat/remediation.hpp"
#include "homeostat/time.hpp"

namespace homeostat {

/// Looks at the target once: any callable that returns bool (true: well) or an Observation.
class Look {
 public:
  Look() = default;

  template <class F>
    requires(!std::same_as<F, Look> && std::invocable<F&> &&
             (std::same_as<std::invoke_result_t<F&>, bool> || std::same_as<std::invoke_result_t<F&>, Observation>))
  Look(F look) {  // NOLINT(google-explicit-constructor): a lambda is written where a look is meant
    if constexpr (std::same_as<std::invoke_result_t<F&>, Observation>) {
      call_ = std::move(look);
    } else {
      call_ = [look = std::move(look)]() mutable {
        return look() ? Observation{.result = Result::success}
                      : Observation{.result = Result::failure, .reason = Reason::other};
      };
    }
  }

  explicit operator bool() const { return static_cast<bool>(call_); }
  Observation operator()() const { return call_(); }

 private:
  std::function<Observation()> call_;
};

/// Asked anew before each run of its remedy.
struct Prerequisite {
  std::string name{};
  std::function<bool()> met{};
};

/// One rung of a check's ladder. It worked when the check says so afterwards, whatever it returns.
struct Remedy {
  std::string name{};
  std::function<bool()> repair{};  // false: it could not do its work
  /// In its place: a registered strategy, by its name, which is also the remedy's where that is empty.
  std::string strategy{};
  std::uint32_t attempts = 1;
  std::vector<Prerequisite> prerequisites{};  // all must be met, else the remedy is skipped with a reason
  /// For the prerequisites and the repair together.
  Duration timeout = std::chrono::seconds(30);
  /// How long after the repair the check may take to prove the recovery. 0: startup_grace + the successes needed at
  /// fast_interval + one timeout.
  Duration verify_within{};
};

/// One thing that is kept healthy. All callables of a Healer may run at the same time as each other, each of them
/// never at the same time as itself.
struct Check {
  std::string id{};    // unique in its Healer
  std::string name{};  // for people; empty: the id
  Look look{};
  /// startup_grace begins when a repair has been made.
  CheckPolicy policy{};
  std::vector<Remedy> remedies{};  // the ladder, tried in this order; empty: escalate at once
  BackoffPolicy backoff{};         // between tries; its max also between two rounds of the ladder
  /// Health for this long makes the next failure begin at the first rung again.
  Duration rearm_after = std::chrono::minutes(30);
};

/// A ladder is spent and the check still fails: somebody must look. The ladder begins again after the longest back-off.
struct Escalation {
  std::string check{};
  std::string name{};
  Instant failing_since{};
  std::uint32_t tries = 0;  // repairs tried since the ladder began at its first rung
  std::string detail{};     // the last thing that happened
};

enum class HealingStep : std::uint8_t {
  verdict,           // failure_threshold reached
  skipped,           // a remedy does not apply now; detail: why
  failed,            // a repair returned false or threw
  timed_out,         // a repair outlived its timeout
  repaired,          // a repair returned true; the check must now prove it
  unverified,        // the check did not prove it in time
  verified,          // the check proved it
  recovered,         // well again without a repair that could claim it
  escalated,         // the ladder is spent
  escalation_failed  // the escalation threw, or its previous call has not ended
};

std::string_view to_string(HealingStep step);

struct HealingEvent {
  Instant at{};
  std::string check{};
  HealingStep step = HealingStep::verdict;
  std::string remedy{};
  std::string detail{};
};

/// One check as it stands.
struct CheckState {
  std::string id{};
  std::string name{};
  Status status = Status::unknown;
  bool flapping = false;
  bool looking = false;  // its callable runs now
  std::uint32_t failures = 0;
  std::uint32_t successes = 0;
  Observation last{};
  std::string detail{};                     // what the last look threw, if it did
  std::optional<Instant> last_check{};      // when the last look ended or timed out
  std::optional<Instant> failing_since{};   // first failure; present from the verdict to the verified recovery
  std::string remedy{};                     // being run or verified now; else empty
  std::optional<Instant> next_remedy_at{};  // while waiting for the back-off
};

}  // namespace homeostat
