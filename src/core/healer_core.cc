#include "core/healer_core.hpp"

#include <algorithm>
#include <utility>

#include "homeostat/schedule.hpp"

namespace homeostat {
namespace {

constexpr Duration kLongest = std::chrono::hours(24 * 366);

bool is_length(Duration span) { return span > Duration{} && span <= kLongest; }
bool is_length_or_zero(Duration span) { return span == Duration{} || is_length(span); }

Duration verify_within(const Check& check, const Remedy& remedy, const Health& health) {
  if (remedy.verify_within > Duration{}) return remedy.verify_within;
  const CheckPolicy& policy = check.policy;
  const std::int64_t most = kLongest / policy.fast_interval;  // keeps the sum representable
  const std::int64_t looks = std::min<std::int64_t>(health.needed(policy), most);
  return policy.startup_grace + policy.fast_interval * looks + policy.timeout;
}

std::string problem(const Check& check) {
  if (check.id.empty()) return "a check needs an id";
  const std::string where = "check " + check.id + ": ";
  if (!check.look) return where + "look is not set";
  const CheckPolicy& policy = check.policy;
  if (!is_length(policy.interval) || !is_length(policy.fast_interval) || !is_length(policy.timeout)) {
    return where + "interval, fast_interval and timeout must be greater than 0 and at most 366 days";
  }
  if (policy.failure_threshold == 0 || policy.success_threshold == 0) {
    return where + "failure_threshold and success_threshold must be at least 1";
  }
  if (!is_length_or_zero(policy.startup_grace) || !is_length_or_zero(check.backoff.initial) ||
      !is_length_or_zero(check.backoff.max) || !is_length_or_zero(check.rearm_after)) {
    return where + "startup_grace, backoff and rearm_after must not be negative or longer than 366 days";
  }
  for (const Remedy& remedy : check.remedies) {
    const std::string which = where + "remedy " + remedy.name + ": ";
    if (remedy.name.empty()) return where + "a remedy needs a name";
    if (!remedy.repair && remedy.strategy.empty()) return which + "neither repair nor strategy is set";
    if (remedy.repair && !remedy.strategy.empty()) return which + "repair and strategy are both set";
    if (remedy.attempts == 0) return which + "attempts must be at least 1";
    if (!is_length(remedy.timeout) || !is_length_or_zero(remedy.verify_within)) {
      return which + "timeout must be greater than 0, verify_within not negative, both at most 366 days";
    }
    for (const Prerequisite& prerequisite : remedy.prerequisites) {
      if (!prerequisite.met) return which + "prerequisite " + prerequisite.name + " is not set";
    }
  }
  return {};
}

}  // namespace

std::expected<void, std::string> HealerCore::add(std::shared_ptr<const Check> check) {
  if (std::string wrong = problem(*check); !wrong.empty()) return std::unexpected(std::move(wrong));
  const auto same_id = [&](const Watched& watched) { return watched.check->id == check->id; };
  if (std::ranges::any_of(watched_, same_id)) return std::unexpected("check " + check->id + ": the id is taken");
  Watched watched;
  for (const Remedy& remedy : check->remedies) watched.rungs.push_back({remedy.attempts});
  watched.runs.resize(check->remedies.size());
  watched.check = std::move(check);
  watched_.push_back(std::move(watched));
  return {};
}

Instant HealerCore::tick(Instant now) { return now_ = std::max(now_, now); }

void HealerCore::place(Instant now, bool spread) {
  now = tick(now);
  for (Watched& watched : watched_) {
    if (watched.anchor != kNever) continue;
    const Duration phase =
        spread ? phase_of(hash_name(watched.check->id), seed_, watched.check->policy.interval) : Duration{};
    watched.anchor = later(now, phase);
    watched.next_look = watched.anchor;
  }
}

std::vector<Call> HealerCore::due(Instant now) {
  now = tick(now);
  std::vector<Call> out;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    if (watched_[i].next_look <= now) start_look(i, now, out);
    heal(i, now, out);
  }
  return out;
}

void HealerCore::start_look(std::size_t index, Instant now, std::vector<Call>& out) {
  Watched& watched = watched_[index];
  watched.scheduled = watched.next_look;
  if (watched.look != 0) {  // still hanging: this run times out like the one before
    take(watched, {.result = Result::timeout, .reason = Reason::timed_out}, next_id_++, now);
    schedule_look(watched, now);
    return;
  }
  watched.look = next_id_++;
  watched.look_overdue = false;
  watched.next_look = kNever;
  out.push_back({watched.look, CallKind::look, index, 0});
}

void HealerCore::schedule_look(Watched& watched, Instant now) {
  const CheckPolicy& policy = watched.check->policy;
  if (watched.health.wants_fast(policy) || watched.phase == Phase::verifying) {
    watched.next_look = next_on_grid(watched.scheduled, std::min(policy.fast_interval, policy.interval), now);
  } else {
    watched.next_look = next_on_grid(watched.anchor, policy.interval, now);
  }
}

void HealerCore::take(Watched& watched, const Observation& seen, std::uint64_t id, Instant now) {
  watched.last_check = now;
  if (id >= watched.proof_from) watched.health.observe(watched.check->policy, seen, now);
}

void HealerCore::look_done(const Call& call, const Observation& seen, std::string detail, Instant now) {
  now = tick(now);
  Watched& watched = watched_[call.check];
  watched.look = 0;
  if (watched.look_overdue) return;
  watched.detail = std::move(detail);
  take(watched, seen, call.id, now);
  schedule_look(watched, now);
}

void HealerCore::timed_out(const Call& call, Instant now) {
  now = tick(now);
  Watched& watched = watched_[call.check];
  if (call.kind == CallKind::look && call.id == watched.look && !watched.look_overdue) {
    watched.look_overdue = true;
    watched.detail.clear();
    take(watched, {.result = Result::timeout, .reason = Reason::timed_out}, call.id, now);
    schedule_look(watched, now);
  } else if (call.kind == CallKind::remedy && call.id == watched.repair) {
    watched.repair = 0;
    ladder::begin_try(watched.ladder);
    record(watched, HealingStep::timed_out, watched.check->remedies[call.remedy].name, "", now);
    give_up_try(watched, now);
  }
}

void HealerCore::remedy_done(const Call& call, RemedyAnswer answer, const std::string& detail, Instant now) {
  now = tick(now);
  Watched& watched = watched_[call.check];
  const Remedy& remedy = watched.check->remedies[call.remedy];
  watched.runs[call.remedy] = 0;
  if (call.id != watched.repair) return;  // given up before
  watched.repair = 0;
  if (answer == RemedyAnswer::not_met) {
    record(watched, HealingStep::skipped, remedy.name, detail, now);
    ladder::skip(watched.ladder);
    watched.phase = Phase::waiting;
    return;
  }
  ladder::begin_try(watched.ladder);
  if (answer == RemedyAnswer::failed) {
    record(watched, HealingStep::failed, remedy.name, detail, now);
    give_up_try(watched, now);
    return;
  }
  record(watched, HealingStep::repaired, remedy.name, detail, now);
  watched.health.begin_startup(now);
  watched.proof_from = next_id_;
  watched.phase = Phase::verifying;
  watched.verify_until = later(now, verify_within(*watched.check, remedy, watched.health));
  if (watched.look == 0 || watched.look_overdue) schedule_look(watched, now);
}

void HealerCore::give_up_try(Watched& watched, Instant now) {
  ladder::try_failed(watched.ladder, watched.rungs, watched.check->backoff, now, random_);
  watched.ladder.not_before = std::max(watched.ladder.not_before, now + Duration(1));  // time must pass between tries
  watched.phase = Phase::waiting;
}

void HealerCore::heal(std::size_t index, Instant now, std::vector<Call>& out) {
  Watched& watched = watched_[index];
  if (watched.phase == Phase::quiet && watched.health.failing()) {
    record(watched, HealingStep::verdict, "", std::to_string(watched.health.failures()) + " failures in a row", now);
    watched.failing_since = watched.health.first_failure();
    ladder::failed_again(watched.ladder, watched.rungs, watched.check->backoff, watched.check->rearm_after, now,
                         random_);
    watched.phase = Phase::waiting;
  }
  if (watched.phase == Phase::verifying) {
    if (watched.health.confirmed()) return close(watched, HealingStep::verified, now);
    if (now < watched.verify_until) return;
    record(watched, HealingStep::unverified, watched.check->remedies[watched.remedy].name, "", now);
    give_up_try(watched, now);
  }
  if (watched.phase != Phase::waiting) return;
  if (watched.health.confirmed()) return close(watched, HealingStep::recovered, now);
  if (!watched.health.failing()) return;
  while (now >= watched.ladder.not_before) {
    if (ladder::spent(watched.ladder, watched.rungs)) return escalate(index, now, out);
    if (start_try(index, now, out)) return;
  }
}

bool HealerCore::start_try(std::size_t index, Instant now, std::vector<Call>& out) {
  Watched& watched = watched_[index];
  const std::size_t rung = watched.ladder.rung;
  if (watched.runs[rung] != 0) {
    record(watched, HealingStep::skipped, watched.check->remedies[rung].name, "its previous run has not ended", now);
    ladder::skip(watched.ladder);
    return false;
  }
  watched.remedy = rung;
  watched.repair = watched.runs[rung] = next_id_++;
  watched.phase = Phase::repairing;
  out.push_back({watched.repair, CallKind::remedy, index, rung});
  return true;
}

void HealerCore::escalate(std::size_t index, Instant now, std::vector<Call>& out) {
  Watched& watched = watched_[index];
  watched.escalated = true;
  record(watched, HealingStep::escalated, "", std::to_string(watched.ladder.tries) + " repairs tried", now);
  ladder::rearm(watched.ladder, watched.check->backoff, now, random_);
  watched.ladder.not_before = std::max(watched.ladder.not_before, now + Duration(1));
  if (watched.escalation != 0) {
    record(watched, HealingStep::escalation_failed, "", "the previous escalation has not ended", now);
    return;
  }
  watched.escalation = next_id_++;
  out.push_back({watched.escalation, CallKind::escalation, index, 0});
}

void HealerCore::escalation_done(const Call& call, bool ok, const std::string& detail, Instant now) {
  now = tick(now);
  Watched& watched = watched_[call.check];
  watched.escalation = 0;
  if (!ok) record(watched, HealingStep::escalation_failed, "", detail, now);
}

void HealerCore::close(Watched& watched, HealingStep step, Instant now) {
  const bool claimed = step == HealingStep::verified;
  record(watched, step, claimed ? watched.check->remedies[watched.remedy].name : "", "", now);
  ladder::recovered(watched.ladder, watched.health.first_success());
  watched.phase = Phase::quiet;
  watched.escalated = false;
}

void HealerCore::record(const Watched& watched, HealingStep step, std::string remedy, std::string detail, Instant now) {
  history_.push_back({now, watched.check->id, step, std::move(remedy), std::move(detail)});
  while (history_.size() > limit_) history_.pop_front();
}

Instant HealerCore::next_deadline() const {
  Instant next = kNever;
  for (const Watched& watched : watched_) {
    if (watched.anchor == kNever) return now_;
    next = std::min(next, watched.next_look);
    if (watched.phase == Phase::waiting && watched.health.failing()) next = std::min(next, watched.ladder.not_before);
    if (watched.phase == Phase::verifying) next = std::min(next, watched.verify_until);
  }
  return next;
}

}  // namespace homeostat
