// Bugs that are planted on purpose, so that the simulator can prove that it finds them: one for each thing that always
// holds. They exist only in a build with HOMEOSTAT_PLANTED_BUGS; in every other one `planted` is false at compile time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace homeostat {

enum class Bug : std::uint8_t {
  none,
  dispatch_at_once,
  dispatch_twice,
  unknown_not_locked,
  unsure_is_done,
  stale_evidence,
  verdict_at_once,
  no_tilt,
  no_doubt,
  budget_forgotten,
  capacity_ignored,
  ladder_forgets,
  pause_ignored,
  shadow_acts,
  removed_stays_open,
  record_lost,
  unrecorded,
  acts_without_journal,
  runs_twice,
  gives_up,
  hidden_state,
  breaker_ignored,
  breaker_forgotten,
  gate_skipped,
  bounds_ignored,
  fault_ignored,
  speed_forgotten,
  freeze_ignored,
  repair_ignored,
  scaled_in_words,
  dependency_ignored,
  scaled_unasked,
  epoch_reused,
  target_widened,
  lock_ignored,
  call_dropped,
  verified_unseen,
  cure_is_success,
  fleet_budget_forgotten,
  approval_skipped,
  stop_ignored,
  wait_ignored,
  down_for_ever,
  instance_budget_forgotten,
  group_budget_forgotten,
  maintenance_ignored,
  maintenance_forgotten,
  window_missed,
  maintenance_unseen,
  pause_forgotten,
  steps_go_on,
  storm_ignored,
  approval_lasts,
  resource_ignored,
  raised_beyond,
  rolls_at_once,
  ejects_all,
  weights_unread,
  unready_served,
  traffic_left_behind,
  numbered_backwards,
  recovery_unnoticed,
  secret_told,
};

#ifdef HOMEOSTAT_PLANTED_BUGS
/// The one that is alive; chosen before any engine runs.
inline Bug planted_bug = Bug::none;
inline bool planted(Bug bug) { return planted_bug == bug; }
/// What no engine may have: a number that is different every time.
inline std::uint64_t planted_chance() {
  static std::uint64_t times = 0;
  return ++times;
}
#else
constexpr bool planted(Bug) { return false; }
constexpr std::uint64_t planted_chance() { return 0; }
#endif

}  // namespace homeostat
