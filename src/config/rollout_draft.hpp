// A rollout as read.
#pragma once

#include <vector>

#include "homeostat/rollout_types.hpp"

namespace homeostat::config {

struct StageDraft {
  rollout::Stage stage;
  bool approval = false;
};

struct RolloutDraft {
  rollout::Policy policy;
  std::vector<StageDraft> stages;
};

}  // namespace homeostat::config
