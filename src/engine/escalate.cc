#include "engine/escalate.hpp"

#include "core/planted.hpp"
#include "engine/breakers.hpp"

namespace homeostat::engine {
namespace {

constexpr std::size_t kCallsAtOnce = 8;  // of one notifier

std::uint32_t notifier_index(const Plan& plan, const std::string& name) {
  for (std::uint32_t i = 0; i < plan.notifiers.size(); ++i) {
    if (plan.notifiers[i].name == name) return i;
  }
  return plan.default_notifier;
}

void raise(Turn& t, Escalated what) {
  what.id = t.next_id();
  const std::uint64_t seq = t.record(what);
  if (what.notifier.empty()) return;
  // Without a journal a human is called all the same: better twice than never.
  if (!t.s.observe_only.empty()) return escalation_durable(t, what.id);
  t.s.waiting.push_back(Waiting{seq, what.id, t.now, true});
}

void failed(Turn& t, CommandId id, Notifying& notifying, std::uint32_t attempt, const std::string& detail) {
  t.record(Notified{id, attempt, false, detail});
  breaker_result(t, id, CallOutcome::failure);
  notifying = Notifying{false, later(t.now, backoff(BackoffPolicy{}, attempt, t.s.random))};
}

// A notifier that fails again and again is left alone; who is to be told waits for it, and is told after. False: so
// many calls of it are under way that this one's turn comes when one of them has ended.
bool call(Turn& t, CommandId id, Notifying& notifying, const EscalationState& escalation) {
  const std::uint32_t notifier = notifier_index(t.s.plan, escalation.what.notifier);
  if (notifier < t.s.plan.notifiers.size()) {
    const Dependency behind = dependency_of(t.s.plan.notifiers[notifier]);
    if (calls_under_way(t, behind) >= kCallsAtOnce) return false;
    const auto admitted = breaker_admits(t, behind, id);
    if (!admitted) {
      notifying.next_at = later(t.now, admitted.error().retry_after);
      return true;
    }
  }
  notifying = Notifying{true, later(t.now, t.s.plan.notified_within)};
  t.command(Notify{id, notifier, escalation.attempts + 1});
  return true;
}

}  // namespace

bool calls_nobody(const Turn& t, ServiceId id) { return t.s.plan.shadow || t.plan(id).mode == Mode::shadow; }

std::string default_notifier(const Turn& t) {
  const std::uint32_t index = t.s.plan.default_notifier;
  return index < t.s.plan.notifiers.size() ? t.s.plan.notifiers[index].name : std::string();
}

bool tells_of(const Turn& t, const EscalationState& call, std::uint64_t incident) {
  if (incident == 0 || call.what.incident != incident) return false;
  const auto known = t.s.durable.incidents.find(incident);
  return known == t.s.durable.incidents.end() || call.at >= began_last(known->second) ||
         t.now < later(call.at, kCalledLately);
}

bool escalated(const Turn& t, std::uint64_t incident) {
  const auto& all = t.s.durable.escalations;
  return std::ranges::any_of(all, [&](const auto& item) { return tells_of(t, item.second, incident); });
}

void escalate(Turn& t, ServiceId id, std::uint64_t incident, const std::string& notifier, std::string summary) {
  const std::string called = calls_nobody(t, id) ? std::string() : notifier;
  for (const auto& [known, escalation] : t.s.durable.escalations) {
    if (escalation.what.notifier == called && tells_of(t, escalation, incident)) return;
  }
  escalate_anew(t, id, incident, notifier, std::move(summary));
}

void escalate_anew(Turn& t, ServiceId id, std::uint64_t incident, const std::string& notifier, std::string summary) {
  const bool shadow = calls_nobody(t, id);
  if (shadow) summary = "shadow, nobody is called: " + summary;
  raise(t, Escalated{{}, incident, t.plan(id).name, shadow ? std::string() : notifier, std::move(summary)});
}

void call_for_answer(Turn& t, ServiceId id, CommandId asks_for, std::string summary) {
  if (calls_nobody(t, id)) return;
  raise(t, Escalated{{}, 0, t.plan(id).name, default_notifier(t), std::move(summary), asks_for});
}

void escalate_engine(Turn& t, std::string summary) {
  raise(t, Escalated{{}, 0, "", t.s.plan.shadow ? std::string() : default_notifier(t), std::move(summary)});
}

void escalation_durable(Turn& t, CommandId id) {
  t.s.notifying[id] = Notifying{false, t.now};
  notify_due(t);
}

void notify_done(Turn& t, const NotifyDone& in) {
  const auto notifying = t.s.notifying.find(in.escalation);
  const auto known = t.s.durable.escalations.find(in.escalation);
  if (notifying == t.s.notifying.end() || known == t.s.durable.escalations.end()) return;
  const std::uint32_t attempt = known->second.attempts + 1;
  if (!in.ok && planted(Bug::call_dropped)) return void(t.s.notifying.erase(notifying));
  if (!in.ok) return failed(t, in.escalation, notifying->second, attempt, in.detail);
  t.s.notifying.erase(notifying);
  t.record(Notified{in.escalation, attempt, true, in.detail});
  breaker_result(t, in.escalation, CallOutcome::success);
}

void notify_due(Turn& t) {
  const auto& known = t.s.durable.escalations;
  // What was lost comes first: it may open a breaker.
  for (auto& [id, notifying] : t.s.notifying) {
    const auto escalation = known.find(id);
    if (escalation == known.end() || !notifying.in_flight || notifying.next_at > t.now) continue;
    failed(t, id, notifying, escalation->second.attempts + 1, "nobody told how it ended");
  }
  for (auto& [id, notifying] : t.s.notifying) {
    const auto escalation = known.find(id);
    if (escalation == known.end()) continue;
    const bool due = !notifying.in_flight && notifying.next_at <= t.now;
    if (due && !call(t, id, notifying, escalation->second)) continue;
    t.wake_at(notifying.next_at);
  }
}

}  // namespace homeostat::engine
