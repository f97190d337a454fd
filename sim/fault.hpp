// The faults that a trial is made of, and the people who meddle.
#pragma once

#include <array>
#include <string_view>

#include "sim/arena.hpp"

namespace homeostat::sim {

enum class Fault : std::uint8_t {
  crash,
  crash_loop,
  hang,
  slow,
  wrong,
  refuse,
  unreachable,
  blind,
  lost_answers,
  flap,
  action_fails,
  action_hangs,
  action_late,
  reply_lost,
  kill,
  kill_between_records,
  kill_in_action,
  reboot,
  pause,
  clock_jump,
  disk_stalls,
  disk_full,
  network_cut,
  network_cut_in_part,
  network_loses,
  self_check_fails,
  self_check_hangs,
  notifier_fails,
  commands_fail,
  file_missing,
  bad_release,
  operator_pauses,
  operator_resumes,
  operator_stops,
  operator_starts,
  operator_restarts,
  operator_deploys,
  operator_approves,
  operator_unlocks,
  operator_maintains,
  operator_ends_maintenance,
  operator_checks,
  load_changes,
  metric_fails,
  metric_silent,
  metric_lies,
  metric_late,
  operator_scales,
  operator_freezes,
  proxy_gone,
  proxy_hangs,
  proxy_refuses,
  proxy_lies,
  proxy_reloads,
  requests_fail,
  reload,
};
inline constexpr std::array<std::string_view, 56> kFaultNames{"crash",
                                                              "crash_loop",
                                                              "hang",
                                                              "slow",
                                                              "wrong_answer",
                                                              "refuse",
                                                              "unreachable",
                                                              "blind",
                                                              "lost_answers",
                                                              "flap",
                                                              "action_fails",
                                                              "action_hangs",
                                                              "action_late",
                                                              "reply_lost",
                                                              "engine_killed",
                                                              "killed_between_records",
                                                              "killed_in_action",
                                                              "reboot",
                                                              "pause",
                                                              "clock_jump",
                                                              "disk_stalls",
                                                              "disk_full",
                                                              "network_cut",
                                                              "network_cut_in_part",
                                                              "network_loses",
                                                              "self_check_fails",
                                                              "self_check_hangs",
                                                              "notifier_fails",
                                                              "commands_fail",
                                                              "file_missing",
                                                              "bad_release",
                                                              "operator_pauses",
                                                              "operator_resumes",
                                                              "operator_stops",
                                                              "operator_starts",
                                                              "operator_restarts",
                                                              "operator_deploys",
                                                              "operator_approves",
                                                              "operator_unlocks",
                                                              "operator_maintains",
                                                              "operator_ends_maintenance",
                                                              "operator_checks",
                                                              "load_changes",
                                                              "metric_fails",
                                                              "metric_silent",
                                                              "metric_lies",
                                                              "metric_late",
                                                              "operator_scales",
                                                              "operator_freezes",
                                                              "proxy_gone",
                                                              "proxy_hangs",
                                                              "proxy_refuses",
                                                              "proxy_lies",
                                                              "proxy_reloads",
                                                              "requests_fail",
                                                              "reload"};
inline constexpr std::size_t kFaults = kFaultNames.size();
constexpr std::string_view name_of(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

/// One fault at one time. What the numbers mean depends on the fault.
struct FaultEvent {
  Duration at{};
  Fault fault = Fault::crash;
  std::uint32_t service = 0;
  Slot slot = 0;
  Duration span{};
  std::uint64_t amount = 0;
};

/// Lets it happen. False: nothing came of it (what should crash does not run …).
bool strike(Arena& arena, const FaultEvent& event);

/// The event in words, for a trace: "12.3s hang web/1 for 20s".
std::string words(const FaultEvent& event, std::string_view service);

}  // namespace homeostat::sim
