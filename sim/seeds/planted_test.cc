// A simulator that finds nothing proves nothing: every planted bug is found, by the invariant that is there for it.
#include "core/planted.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

#include "sim/campaign.hpp"

namespace homeostat::sim {
namespace {

constexpr std::uint64_t kMostSeeds = 2000;  // as many as the test of all seeds runs

struct Planted {
  Bug bug;
  const char* found_by;
};

class PlantedBug : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsFound) {
  planted_bug = GetParam().bug;
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  CampaignResult result = run_campaign(1, kMostSeeds, threads);
  // In one seed something else may break first.
  while (result.failed && result.failure.broken != GetParam().found_by) {
    const std::uint64_t next = result.failed->seed + 1;
    result = run_campaign(next, kMostSeeds + 1 - next, threads);
  }
  planted_bug = Bug::none;
  ASSERT_TRUE(result.failed) << "not found in " << kMostSeeds << " seeds";
  std::printf("found by seed %llu: %s\n", static_cast<unsigned long long>(result.failed->seed),
              result.failure.how.c_str());
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedBug,
    testing::Values(
        Planted{Bug::dispatch_at_once, "intent_before_effect"}, Planted{Bug::dispatch_twice, "action_done_once"},
        Planted{Bug::unknown_not_locked, "every_intent_ends_once"}, Planted{Bug::unsure_is_done, "truthful_outcomes"},
        Planted{Bug::stale_evidence, "fresh_evidence"}, Planted{Bug::verdict_at_once, "failures_reach_the_threshold"},
        Planted{Bug::no_tilt, "time_jumps_hold_back"}, Planted{Bug::no_doubt, "own_network_cut_disturbs_nothing"},
        Planted{Bug::budget_forgotten, "repairs_stay_within_the_budget"},
        Planted{Bug::capacity_ignored, "healthy_capacity_is_kept"},
        Planted{Bug::ladder_forgets, "attempts_are_bounded"}, Planted{Bug::pause_ignored, "stop_means_stop"},
        Planted{Bug::shadow_acts, "modes_are_respected"},
        Planted{Bug::removed_stays_open, "one_configuration_at_a_time"},
        Planted{Bug::record_lost, "journal_is_without_gaps"},
        Planted{Bug::epoch_reused, "each_life_is_newer_than_the_last"},
        Planted{Bug::numbered_backwards, "newer_orders_win"}, Planted{Bug::recovery_unnoticed, "approvals_do_not_last"},
        Planted{Bug::secret_told, "no_secret_is_told"}, Planted{Bug::unrecorded, "state_is_the_fold_of_the_journal"},
        Planted{Bug::acts_without_journal, "no_journal_no_action"}, Planted{Bug::runs_twice, "nothing_piles_up"},
        Planted{Bug::breaker_ignored, "breakers_hold"}, Planted{Bug::bounds_ignored, "scaling_stays_within_its_bounds"},
        Planted{Bug::fault_ignored, "what_cannot_be_read_takes_nothing_away"},
        Planted{Bug::speed_forgotten, "scaling_keeps_its_speed"}, Planted{Bug::freeze_ignored, "frozen_is_frozen"},
        Planted{Bug::repair_ignored, "repair_goes_before_scaling_down"},
        Planted{Bug::scaled_in_words, "scaled_to_the_need"}, Planted{Bug::scaled_unasked, "scaling_asks_first"},
        Planted{Bug::breaker_forgotten, "open_breakers_survive_a_crash"},
        Planted{Bug::ejects_all, "somebody_takes_the_requests"},
        Planted{Bug::unready_served, "only_who_is_ready_gets_requests"},
        Planted{Bug::traffic_left_behind, "no_requests_are_left_behind"},
        Planted{Bug::weights_unread, "weights_are_as_decided"}, Planted{Bug::gate_skipped, "no_gate_is_skipped"},
        Planted{Bug::gives_up, "comes_to_rest"}, Planted{Bug::dependency_ignored, "who_is_excused_is_left_alone"},
        Planted{Bug::target_widened, "every_action_has_its_target"},
        Planted{Bug::lock_ignored, "what_is_locked_is_left_alone"},
        Planted{Bug::resource_ignored, "what_is_shared_has_one_holder"},
        Planted{Bug::rolls_at_once, "what_rolls_goes_one_after_the_other"},
        Planted{Bug::raised_beyond, "what_is_raised_stays_within_its_bounds"},
        Planted{Bug::call_dropped, "calls_are_made_until_they_are_taken"},
        Planted{Bug::verified_unseen, "a_success_was_seen"}, Planted{Bug::hidden_state, "same_seed_same_trace"},
        Planted{Bug::maintenance_ignored, "maintenance_is_left_alone"},
        Planted{Bug::maintenance_unseen, "maintenance_ends_with_fresh_checks"},
        Planted{Bug::storm_ignored, "calm_follows_a_storm"}),
    [](const testing::TestParamInfo<Planted>& item) { return std::string(item.param.found_by); });

// What an invariant is there for can go wrong in more than one way.
INSTANTIATE_TEST_SUITE_P(OfTheSameKind, PlantedBug,
                         testing::Values(Planted{Bug::cure_is_success, "who_is_excused_is_left_alone"},
                                         Planted{Bug::fleet_budget_forgotten, "repairs_stay_within_the_budget"},
                                         Planted{Bug::approval_skipped, "modes_are_respected"},
                                         Planted{Bug::stop_ignored, "nothing_piles_up"},
                                         Planted{Bug::wait_ignored, "attempts_are_bounded"},
                                         Planted{Bug::down_for_ever, "comes_to_rest"}),
                         [](const testing::TestParamInfo<Planted>& item) { return std::string(item.param.found_by); });

// The guardrails that people set, each forgotten once.
INSTANTIATE_TEST_SUITE_P(OfGuardrails, PlantedBug,
                         testing::Values(Planted{Bug::instance_budget_forgotten, "repairs_stay_within_the_budget"},
                                         Planted{Bug::group_budget_forgotten, "repairs_stay_within_the_budget"},
                                         Planted{Bug::maintenance_forgotten, "maintenance_is_left_alone"},
                                         Planted{Bug::window_missed, "maintenance_is_left_alone"},
                                         Planted{Bug::pause_forgotten, "a_pause_stops_steps"},
                                         Planted{Bug::steps_go_on, "a_pause_stops_steps"},
                                         Planted{Bug::approval_lasts, "approvals_do_not_last"}),
                         [](const testing::TestParamInfo<Planted>& item) {
                           return std::string(item.param.found_by) + "_" + std::to_string(item.index);
                         });

}  // namespace
}  // namespace homeostat::sim
