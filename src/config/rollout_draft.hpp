// A rollout as read.
#pragma once

#include <optional>
#include <vector>

#include "config/metric_source.hpp"
#include "config/types.hpp"
#include "engine/plan.hpp"
#include "homeostat/canary_types.hpp"
#include "homeostat/rollout_types.hpp"

namespace homeostat::config {

struct StageDraft {
  rollout::Stage stage;
  bool approval = false;
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

struct RolloutDraft {
  rollout::Policy policy;
  std::vector<StageDraft> stages;
  std::vector<Named<JudgedDraft>> judge;
};

}  // namespace homeostat::config
