// What can be read from a HealerCore.
#include <algorithm>
#include <ranges>

#include "core/healer_core.hpp"

namespace homeostat {

CheckState HealerCore::describe(const Watched& watched) const {
  const Check& check = *watched.check;
  const Health& health = watched.health;
  CheckState state{.id = check.id, .name = check.name.empty() ? check.id : check.name};
  state.status = health.status();
  if (watched.escalated && state.status == Status::unhealthy) state.status = Status::critical;
  state.flapping = health.flapping();
  state.looking = watched.look != 0;
  state.failures = health.failures();
  state.successes = health.successes();
  state.last = health.last();
  state.detail = watched.detail;
  if (watched.last_check != kLongAgo) state.last_check = watched.last_check;
  if (watched.phase == Phase::quiet) return state;
  state.failing_since = watched.failing_since;
  if (watched.phase != Phase::waiting) {
    state.remedy = check.remedies[watched.remedy].name;
  } else if (watched.ladder.not_before > now_) {
    state.next_remedy_at = watched.ladder.not_before;
  }
  return state;
}

std::vector<CheckState> HealerCore::states() const {
  std::vector<CheckState> out;
  out.reserve(watched_.size());
  for (const Watched& watched : watched_) out.push_back(describe(watched));
  return out;
}

std::optional<CheckState> HealerCore::state(std::string_view id) const {
  const auto found = std::ranges::find_if(watched_, [&](const Watched& watched) { return watched.check->id == id; });
  if (found == watched_.end()) return std::nullopt;
  return describe(*found);
}

RepairContext HealerCore::repair_context(std::size_t index) const {
  const Watched& watched = watched_[index];
  return {watched.check->id, watched.ladder.tries, watched.failing_since, watched.health.last()};
}

Escalation HealerCore::escalation(std::size_t index) const {
  const Watched& watched = watched_[index];
  const Check& check = *watched.check;
  Escalation out{.check = check.id, .name = check.name.empty() ? check.id : check.name};
  out.failing_since = watched.failing_since;
  out.tries = watched.ladder.tries;
  for (const HealingEvent& event : std::views::reverse(history_)) {
    if (event.check != check.id || event.step == HealingStep::escalated) continue;
    out.detail = std::string(to_string(event.step));
    if (!event.remedy.empty()) out.detail = event.remedy + ": " + out.detail;
    if (!event.detail.empty()) out.detail += ": " + event.detail;
    break;
  }
  return out;
}

}  // namespace homeostat
