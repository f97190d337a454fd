// A rollout as read.
#pragma once

#include <optional>
#include <vector>

#include "config/config.hpp"
#include "config/metric_source.hpp"
#include "config/types.hpp"
#include "engine/plan.hpp"
#include "homeostat/canary_types.hpp"
#include "homeostat/rollout_types.hpp"
#include "homeostat/scaling_schedule.hpp"

namespace homeostat::config {

/// What a stage waits for beside its checks: a command that agrees, or a time of day.
struct GateDraft {
  CommandSpec command;
  std::optional<ScalingSchedule> window;
  Duration every = std::chrono::seconds(30);
};

struct StageDraft {
  rollout::Stage stage;
  bool approval = false;
  std::vector<Named<GateDraft>> gates;
};

struct JudgedDraft {
  canary::Metric metric;
  std::optional<engine::JudgeSource> haproxy;
  std::optional<SourceDraft> http;
  std::optional<SourceDraft> promql;
  std::optional<SourceDraft> exec;
  std::optional<std::uint32_t> fail_above;  // percent
  std::uint32_t promote_below = 10;         // percent
};

enum class BaselineKind : std::uint8_t { stable, fresh };

struct RolloutDraft {
  rollout::Policy policy;
  BaselineKind baseline = BaselineKind::stable;
  std::vector<StageDraft> stages;
  std::vector<Named<JudgedDraft>> judge;
};

struct Resolution;
const Table<GateDraft>& gate_table();         // rollout_gate.cc
std::vector<const Section*> gate_sections();  // rollout_gate.cc
/// Adds what the gates of a stage are to the plan, and their commands to the configuration.
void resolve_gates(const Resolution& in, const Node& stage, std::uint32_t number, StageDraft& draft,
                   std::vector<engine::GatePlan>& out);  // rollout_gate.cc

}  // namespace homeostat::config
