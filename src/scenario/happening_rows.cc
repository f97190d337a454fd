// Everything that can be expected to happen: facts of the journal, and what was really done in the world.
#include <array>

#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

template <class Body>
const Body* record_of(const Moment& moment) {
  const auto* record = std::get_if<engine::Record>(&moment.what);
  return record == nullptr ? nullptr : std::get_if<Body>(&record->body);
}

/// The caught word is the same, or was not said.
bool same(const Captures& c, std::string_view name, std::string_view found) {
  return !c.has(name) || c.text(name) == found;
}

bool same_count(const Captures& c, std::string_view name, std::uint64_t found) {
  return !c.has(name) || c.count(name) == found;
}

bool says(const Captures& c, std::string_view text) {
  return !c.has("text") || text.find(c.text("text")) != std::string_view::npos;
}

/// A slot that was said is meant exactly; a service alone means all of its places.
bool same_place(const Captures& c, const std::string& service, engine::Slot slot) {
  if (!c.has("place")) return true;
  const PlaceName place = c.place();
  return place.service == service && (place.slot < 0 || place.slot == slot);
}

bool is_action(const Stage& stage, const Captures& c, const Moment& moment) {
  const auto* effect = std::get_if<sim::Effect>(&moment.what);
  if (effect == nullptr || !same_place(c, effect->service, effect->slot)) return false;
  // A restart stops and starts; it is one action.
  const engine::Intent* intent = stage.intent(effect->id);
  return intent == nullptr || intent->op == effect->op || effect->op != engine::Op::stop;
}

bool is_strategy(const Captures& c, const engine::Intent& intent) {
  if (c.has("name")) return intent.strategy == "exec" && c.text("name") == intent.name;
  return c.text("strategy") == intent.strategy;
}

bool is_step(const Captures& c, const engine::Intent& intent) {
  return is_strategy(c, intent) && same_place(c, intent.service, intent.slot) &&
         same_count(c, "rung", intent.rung + 1) && same_count(c, "attempt", intent.attempt) &&
         same(c, "version", intent.version) && same(c, "by", intent.by);
}

/// What an action's record, or its effect, is called; empty: this moment is none.
struct Step {
  std::string_view result;
  engine::CommandId id;
  std::string_view detail;
};

Step step_of(const Moment& moment) {
  if (const auto* r = record_of<engine::Intent>(moment)) {
    static constexpr std::array<std::string_view, 3> kDecided{"shadowed", "asked", "decided"};
    return {kDecided[static_cast<std::size_t>(r->mode)], r->id, r->evidence};
  }
  if (const auto* r = record_of<engine::Approved>(moment)) return {"approved", r->id, r->by};
  if (const auto* r = record_of<engine::Outcome>(moment)) return {name_of(r->outcome), r->id, r->detail};
  if (const auto* r = record_of<engine::Verified>(moment)) {
    return {r->ok ? "verified" : "unverified", r->id, r->detail};
  }
  const auto* effect = std::get_if<sim::Effect>(&moment.what);
  if (effect != nullptr) return {"done", effect->id, {}};
  return {};
}

bool is_strategy_step(const Stage& stage, const Captures& c, const Moment& moment) {
  const Step step = step_of(moment);
  const engine::Intent* intent = step.result.empty() ? nullptr : stage.intent(step.id);
  if (intent == nullptr || !is_step(c, *intent) || !says(c, step.detail)) return false;
  if (c.has("result"))
    return step.result == c.text("result") && (step.result != "done" || is_action(stage, {}, moment));
  return step.result == "shadowed" || step.result == "asked" || step.result == "decided";
}

bool is_incident(const Stage&, const Captures& c, const Moment& moment) {
  const std::string what = c.text("what");
  if (const auto* r = record_of<engine::IncidentClosed>(moment)) {
    return what == "closed" && same(c, "service", r->service) && same(c, "ending", name_of(r->how));
  }
  const auto* r = record_of<engine::IncidentFailing>(moment);
  if (r == nullptr || !same(c, "service", r->service)) return false;
  return what == "reopened" ? r->reopened : what == "opened" && !r->reopened;
}

bool is_failure(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::IncidentFailing>(moment);
  return r != nullptr && same_place(c, r->service, r->slot) && same(c, "check", r->check) &&
         same(c, "evidence", r->direct ? "direct" : "indirect") && says(c, r->reason);
}

bool is_recovery(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::IncidentRecovering>(moment);
  return r != nullptr && same_place(c, r->service, r->slot);
}

bool is_change(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::StatusChanged>(moment);
  return r != nullptr && r->check.empty() && r->service == c.text("service") && r->to == c.text("status");
}

bool is_skip(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::Skipped>(moment);
  return r != nullptr && same_place(c, r->service, r->slot) && r->rung + 1 == c.count("count") && says(c, r->reason);
}

bool is_hold(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::Held>(moment);
  return r != nullptr && !r->gate.empty() && same_place(c, r->service, r->slot) && same(c, "gate", r->gate) &&
         says(c, r->detail);
}

bool is_escalation(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::Escalated>(moment);
  if (r == nullptr) return false;
  const std::string service = r->service.empty() ? "homeostat" : r->service;
  return same(c, "service", service) && same(c, "notifier", r->notifier) && says(c, r->summary);
}

bool is_notification(const Stage& stage, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::Notified>(moment);
  if (r == nullptr) return false;
  const std::string service = stage.escalated_service(r->id);
  return same(c, "service", service.empty() ? "homeostat" : service) && same(c, "how", r->ok ? "delivered" : "failed");
}

bool is_breaker(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::BreakerChanged>(moment);
  if (r == nullptr || r->breaker != c.text("breaker")) return false;
  return (r->to == "open" ? "opens" : r->to == "half_open" ? "half_opens" : "closes") == c.text("edge");
}

bool is_mark(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::VersionMarked>(moment);
  return r != nullptr && r->service == c.text("service") && r->version == c.text("version") &&
         name_of(r->mark) == c.text("mark");
}

bool is_operation(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::OperationMoved>(moment);
  if (r == nullptr || r->service != c.text("service") || name_of(r->kind) != c.text("kind")) return false;
  const bool begins = r->phase == engine::OperationPhase::running && r->done.empty();
  const std::string phase = begins ? "begins" : r->phase == engine::OperationPhase::done ? "ends" : "stops";
  if (r->phase == engine::OperationPhase::running && !begins) return false;
  return phase == c.text("phase") && says(c, r->detail);
}

bool is_scaling(const Stage&, const Captures& c, const Moment& moment) {
  const auto is = [&](std::string_view what, const std::string& service, const std::string& why) {
    return c.text("what") == what && c.text("service") == service && says(c, why);
  };
  if (const auto* asked = record_of<engine::ScalingAsked>(moment)) return is("asked", asked->service, asked->reason);
  if (const auto* dropped = record_of<engine::ScalingDropped>(moment))
    return is("dropped", dropped->service, dropped->reason);
  const auto* scaled = record_of<engine::Scaled>(moment);
  return scaled != nullptr && is("decided", scaled->service, scaled->reason);
}

bool is_caution(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::CautionChanged>(moment);
  return r != nullptr && name_of(r->caution) == c.text("caution") && r->on == (c.text("edge") == "begins") &&
         says(c, r->reason);
}

bool is_lock(const Stage&, const Captures& c, const Moment& moment) {
  const auto* r = record_of<engine::LockChanged>(moment);
  return r != nullptr && r->locked == (c.text("what") == "lock") && same_place(c, r->service, r->slot) &&
         says(c, r->reason);
}

bool is_look(const Stage&, const Captures& c, const Moment& moment) {
  const auto* look = std::get_if<Looked>(&moment.what);
  return look != nullptr && look->check == c.text("check") && same_place(c, look->service, look->slot);
}

bool is_self_check(const Stage&, const Captures&, const Moment& moment) {
  return std::holds_alternative<SelfChecking>(moment.what);
}

}  // namespace

const std::vector<HappeningRow>& happening_rows() {
  static const std::vector<HappeningRow> kRows{
      {Pattern("action(s) [on <place>]"), "Anything really done to a service or instance, whoever wanted it.",
       is_action},
      {Pattern(
           "<strategy:start|stop|restart|rollback|scale|scale_up|drain|deploy|restart_all>(s) of <place> "
           "[<result:decided|shadowed|asked|approved|done|succeeded|failed|not_started|unknown|verified|unverified>]"
           " [at rung <rung>] [attempt <attempt>] [to <version>] [by <by>] [because <text>]"),
       "An action; without a result, that it was decided (or, by the mode, would be or is asked for).",
       is_strategy_step},
      {Pattern(
           "exec <name> of <place> "
           "[<result:decided|shadowed|asked|approved|done|succeeded|failed|not_started|unknown|verified|unverified>]"
           " [at rung <rung>] [attempt <attempt>] [because <text>]"),
       "The same of the user's own command of that name.", is_strategy_step},
      {Pattern("incident(s) [of <service>] <what:opened|reopened|closed> "
               "[as <ending:recovered|by_itself|withdrawn|stopped>]"),
       "An incident begins (or an instance joins it), comes back, ends.", is_incident},
      {Pattern("failure(s) of <place> [by <check>] [on <evidence:direct|indirect> evidence] [because <text>]"),
       "The verdict that it fails.", is_failure},
      {Pattern("recovery of <place>"), "The verdict that it is well again.", is_recovery},
      {Pattern("change(s) of <service> to <status:healthy|degraded|unhealthy|critical|unknown>"),
       "Its status becomes that.", is_change},
      {Pattern("skip(s) of rung <count> of <place> [because <text>]"), "A rung does not apply.", is_skip},
      {Pattern("hold(s) of <place> "
               "[by <gate:paused|locked|dependency|prerequisite|evidence|budget|max_unavailable|doubt|tilt|journal|"
               "recovering|shutdown|breaker|diagnosis|recovery|resource|cooldown>] [because <text>]"),
       "Its repair begins to wait for a gate.", is_hold},
      {Pattern("escalation(s) [of <service>] [to <notifier>] [because <text>]"),
       "Somebody is called; `of homeostat`: about Homeostat itself.", is_escalation},
      {Pattern("notification(s) [of <service>] [<how:delivered|failed>]"), "A notifier ended.", is_notification},
      {Pattern("breaker <breaker> <edge:opens|half_opens|closes>"),
       "The circuit breaker before a command, such as exec:web/restart, or a notifier, such as notify:oncall.",
       is_breaker},
      {Pattern("version <version> of <service> turns <mark:stable|quarantined>"), "What is thought of a release.",
       is_mark},
      {Pattern("operation <kind:deploy|rollback|restart_all> of <service> <phase:begins|ends|stops> [because <text>]"),
       "A rolling change of several instances.", is_operation},
      {Pattern("scaling(s) of <service> <what:asked|dropped|decided> [because <text>]"),
       "In mode `approve` the autoscaler asks; it does not ask any more; the number is another from now on.",
       is_scaling},
      {Pattern("<caution:tilt|doubt|observe_only> <edge:begins|ends> [because <text>]"),
       "Homeostat begins to hold back, or ends it.", is_caution},
      {Pattern("<what:lock|unlock> of <place> [because <text>]"),
       "Nobody knows what became of its last action; it is known to be well again.", is_lock},
      {Pattern("run(s) of check <check> of <place>"), "The check looks.", is_look},
      {Pattern("self_check(s)"), "Homeostat looks at its own network.", is_self_check},
  };
  return kRows;
}

}  // namespace homeostat::scenario
