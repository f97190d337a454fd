#include "api/narrator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.hpp"
#include "homeostat/breaker_types.hpp"
#include "homeostat/rollout.hpp"

namespace homeostat::api {
namespace {

constexpr std::size_t kRememberedActions = 100'000;

std::string because(std::string_view reason) { return reason.empty() ? "" : fmt::format(": {}", reason); }
/// What a reason adds to `change`, with which it may begin.
std::string_view beyond(std::string_view change, std::string_view reason) {
  if (reason.starts_with(change)) reason.remove_prefix(change.size());
  return reason.substr(std::min(reason.find_first_not_of("; "), reason.size()));
}
std::string by(std::string_view who) { return who.empty() ? "" : fmt::format(" (by {})", who); }

std::string clock_text(const Clock& clock, Instant at) {
  const auto wall = clock.wall(at);
  return wall ? iso_time(*wall) : "ever";
}

std::string slots_text(const std::vector<std::int32_t>& slots) {
  std::string text;
  for (const std::int32_t slot : slots) text += (text.empty() ? "" : ", ") + std::to_string(slot);
  return text.empty() ? "none" : text;
}

std::string what_of(const engine::Intent& intent) {
  std::string what = intent.strategy.empty() ? std::string(name_of(intent.op)) : intent.strategy;
  if (!intent.name.empty()) what += " " + intent.name;
  return what;
}

std::string kind_text(engine::OperationKind kind) {
  return kind == engine::OperationKind::restart_all ? "rolling restart" : std::string(name_of(kind));
}

std::string intent_text(const engine::Intent& r, const std::string& place) {
  const bool shadow = r.mode == engine::Mode::shadow;
  std::string text = shadow ? "would " : r.mode == engine::Mode::approve ? "asks to " : "will ";
  const std::string_view op = name_of(r.op);
  std::string how = what_of(r);
  text += r.op == engine::Op::exec ? "run " + how + " for " : std::string(op) + " ";
  text += place;
  if (!r.version.empty()) text += " on " + r.version;
  if (r.op == engine::Op::scale) text += fmt::format(" to {}", r.count);
  if (r.origin == engine::Origin::ladder) {
    const std::string issue = r.issue.empty() ? "" : r.issue + ", ";
    text += fmt::format(" ({}rung {} {}, attempt {})", issue, r.rung + 1, r.strategy, std::max(r.attempt, 1U));
  } else if (r.origin != engine::Origin::manual) {
    text += fmt::format(" ({}, {})", how, r.origin == engine::Origin::desired ? "as it should run" : name_of(r.origin));
  }
  return fmt::format("{}{}{} [{}]", text, by(r.by), because(r.evidence), show_id(r.id));
}

}  // namespace

/// One overload a type of record; each returns the words and fills in what the line belongs to.
struct Teller {
  Narrator& story;
  Line& line;

  void belongs(const std::string& service, std::int32_t slot, std::uint64_t incident) {
    line.service = service;
    line.slot = slot;
    line.incident = incident;
  }
  std::uint64_t open(const std::string& service) const {
    const auto found = story.open_.find(service);
    return found == story.open_.end() ? 0 : found->second;
  }
  void remember(engine::CommandId id, Narrator::Action action) {
    story.actions_[id] = std::move(action);
    if (story.actions_.size() > kRememberedActions) story.actions_.erase(story.actions_.begin());
  }
  /// The action that `id` names; one that was compacted away is just "action".
  Narrator::Action action(engine::CommandId id, const std::string& service = {}, std::int32_t slot = -1) const {
    const auto found = story.actions_.find(id);
    return found != story.actions_.end() ? found->second : Narrator::Action{0, service, slot, "action"};
  }
  std::string place() const { return place_name(line.service, line.slot); }

  std::string operator()(const engine::EpochBegan& r) const {
    return fmt::format("Homeostat started: epoch {}, build {}", r.epoch, r.build);
  }
  std::string operator()(const engine::ConfigLoaded& r) const {
    return fmt::format("configuration generation {} with {} service{}", r.generation, r.services.size(),
                       r.services.size() == 1 ? "" : "s");
  }
  std::string operator()(const engine::StatusChanged& r) {
    belongs(r.service, r.slot, open(r.service));
    line.detail = true;
    const std::string what = r.check.empty() ? place() : place() + " " + r.check;
    return fmt::format("{}: {} -> {}{}{}", what, r.from, r.to, r.flapping ? " (flapping)" : "", because(r.reason));
  }
  std::string operator()(const engine::DownBegan& r) {
    belongs(r.service, -1, open(r.service));
    line.detail = true;
    return fmt::format("{} is down since {}", r.service, clock_text(line.clock, r.since));
  }
  std::string operator()(const engine::DownEnded& r) {
    belongs(r.service, -1, open(r.service));
    line.detail = true;
    return fmt::format("{} is up since {}", r.service, clock_text(line.clock, r.until));
  }
  std::string operator()(const engine::IncidentFailing& r) {
    belongs(r.service, r.slot, r.incident);
    story.open_[r.service] = r.incident;
    return fmt::format("{}{} failed {}{} ({} evidence, first failure {} before){}", r.reopened ? "again: " : "",
                       place(), r.check.empty() ? "to run" : "check " + r.check, because(r.reason),
                       r.direct ? "direct" : "indirect", in_words(line.clock.now - r.first_failure),
                       r.reopened ? fmt::format(", incident {} reopened", r.incident) : "");
  }
  std::string operator()(const engine::IncidentRecovering& r) {
    belongs(r.service, r.slot, r.incident);
    return fmt::format("{} is well again (first success {} before)", place(),
                       in_words(line.clock.now - r.first_success));
  }
  std::string operator()(const engine::IncidentClosed& r) {
    belongs(r.service, -1, r.incident);
    story.open_.erase(r.service);
    const bool by_itself = r.how == engine::Ending::by_itself;
    return fmt::format("incident {} closed: {}", r.incident, by_itself ? "recovered by itself" : name_of(r.how));
  }
  std::string operator()(const engine::LadderMoved& r) {
    belongs(r.service, r.slot, open(r.service));
    if (!r.walk.by.empty() && r.state.tries == 0 && r.state.rung == 0) {
      const std::string issue = r.walk.issue.empty() ? "" : " against " + r.walk.issue;
      return fmt::format("repair of {}{} asked for{}", place(), issue, by(r.walk.by));
    }
    line.detail = true;
    const Duration wait = r.state.not_before == kLongAgo ? Duration{} : r.state.not_before - line.clock.now;
    return fmt::format("{} stands on rung {}, {} tr{} so far, next not before {}", place(), r.state.rung + 1,
                       r.state.tries, r.state.tries == 1 ? "y" : "ies",
                       wait > Duration{} ? in_words(wait) + " from then" : "now");
  }
  std::string operator()(const engine::Intent& r) {
    belongs(r.service, r.slot, r.incident);
    remember(r.id, {r.incident, r.service, r.slot, what_of(r)});
    return intent_text(r, place());
  }
  std::string operator()(const engine::Approved& r) {
    const auto a = action(r.id);
    belongs(a.service, a.slot, a.incident);
    return fmt::format("{} of {} approved{} [{}]", a.what, place(), by(r.by), show_id(r.id));
  }
  std::string operator()(const engine::Outcome& r) {
    const auto a = action(r.id, r.service, r.slot);
    belongs(r.service, r.slot, a.incident);
    std::string result(name_of(r.outcome));
    if (r.outcome == engine::OutcomeKind::not_started) result = "was not started";
    if (r.outcome == engine::OutcomeKind::unknown) result = "ended nobody knows how";
    return fmt::format("{} of {} {}{} [{}]", a.what, place(), result, because(r.detail), show_id(r.id));
  }
  std::string operator()(const engine::Verified& r) {
    const auto a = action(r.id, r.service, r.slot);
    belongs(r.service, r.slot, a.incident);
    return fmt::format("{} of {} {}{} [{}]", a.what, place(), r.ok ? "verified" : "did not prove well",
                       because(r.detail), show_id(r.id));
  }
  std::string operator()(const engine::InstanceChanged& r) {
    belongs(r.service, r.slot, open(r.service));
    line.detail = true;
    std::string text = fmt::format("{} is {}", place(), name_of(r.state));
    if (r.state == engine::RunState::running && r.incarnation.pid() != 0)
      text += fmt::format(", pid {}", r.incarnation.pid());
    if (r.port != 0) text += fmt::format(", port {}", r.port);
    if (!r.version.empty()) text += ", version " + r.version;
    return text + because(r.detail);
  }
  std::string operator()(const engine::DesiredSet& r) {
    belongs(r.service, r.slot, 0);
    std::string text = fmt::format("{} is to {}", place(), r.running ? "run" : "stay stopped");
    if (r.version) text += r.version->empty() ? " as configured" : " on " + *r.version;
    return text + by(r.by);
  }
  std::string operator()(const engine::OperationMoved& r) {
    belongs(r.service, -1, r.incident);
    std::string text = kind_text(r.kind) + " of " + r.service;
    if (!r.version.empty()) text += " to " + r.version;
    if (r.phase == engine::OperationPhase::done) return text + " done" + because(r.detail);
    if (r.phase == engine::OperationPhase::stopped) {
      return fmt::format("{} stopped{} (moved: {}; not moved: {})", text, because(r.detail), slots_text(r.done),
                         slots_text(r.pending));
    }
    return fmt::format("{}: {} of {} moved{}{}", text, r.done.size(), r.done.size() + r.pending.size(),
                       because(r.detail), by(r.by));
  }
  std::string operator()(const engine::VersionMarked& r) {
    belongs(r.service, -1, open(r.service));
    return r.mark == engine::Mark::stable ? fmt::format("version {} of {} proved stable", r.version, r.service)
                                          : fmt::format("version {} of {} is quarantined", r.version, r.service);
  }
  std::string operator()(const engine::Held& r) {
    belongs(r.service, r.slot, r.incident);
    if (r.gate.empty()) return fmt::format("{} waits no more", place());
    return fmt::format("{} waits, gate {}{}", place(), r.gate, because(r.detail));
  }
  std::string operator()(const engine::Skipped& r) {
    belongs(r.service, r.slot, r.incident);
    return fmt::format("rung {} {} skipped{}", r.rung + 1, r.strategy, because(r.reason));
  }
  std::string operator()(const engine::Escalated& r) {
    belongs(r.service, -1, r.incident);
    remember(r.id, {r.incident, r.service, -1, r.notifier.empty() ? "nobody" : r.notifier});
    return fmt::format("escalated{}{} [{}]", r.notifier.empty() ? ", to nobody" : " to " + r.notifier,
                       because(r.summary), show_id(r.id));
  }
  std::string operator()(const engine::Notified& r) {
    const auto a = action(r.id);
    belongs(a.service, a.slot, a.incident);
    return fmt::format("{} {} (attempt {}){} [{}]", a.what, r.ok ? "notified" : "could not be notified", r.attempt,
                       because(r.detail), show_id(r.id));
  }
  std::string operator()(const engine::Acknowledged& r) {
    const auto a = action(r.id);
    belongs(a.service, a.slot, a.incident);
    return fmt::format("escalation {} acknowledged{}", show_id(r.id), by(r.by));
  }
  std::string operator()(const engine::Paused& r) {
    belongs(r.service, -1, 0);
    const auto until = line.clock.wall(r.until);
    return fmt::format("{} paused {}{}", r.service.empty() ? "everything" : r.service,
                       until ? "until " + iso_time(*until) : "for ever", by(r.by));
  }
  std::string operator()(const engine::Resumed& r) {
    belongs(r.service, -1, 0);
    return fmt::format("{} resumed{}", r.service.empty() ? "everything" : r.service, by(r.by));
  }
  std::string operator()(const engine::MaintenanceBegan& r) {
    belongs(r.service, -1, 0);
    const auto until = line.clock.wall(r.until);
    return fmt::format("maintenance of {}{} {}{}", r.service.empty() ? "everything" : r.service,
                       r.scheduled ? ", as scheduled," : "", until ? "until " + iso_time(*until) : "for ever",
                       because(r.reason) + by(r.by));
  }
  std::string operator()(const engine::MaintenanceEnded& r) {
    belongs(r.service, -1, 0);
    return fmt::format("maintenance of {} is over{}{}", r.service.empty() ? "everything" : r.service,
                       r.early ? " before its time" : "", by(r.by));
  }
  std::string operator()(const engine::CautionChanged& r) const {
    return r.on ? fmt::format("the engine holds back ({}){}", name_of(r.caution), because(r.reason))
                : fmt::format("the engine holds back no more ({}){}", name_of(r.caution), because(r.reason));
  }
  std::string operator()(const engine::BreakerChanged& r) const {
    const auto is = [](const std::string& state, BreakerState one) { return state == to_string(one); };
    const std::string name = "breaker " + r.breaker;
    const bool counted = r.breaker.starts_with("traffic:");
    if (is(r.to, BreakerState::open)) {
      const bool again = is(r.from, BreakerState::half_open);
      const std::string why =
          counted ? fmt::format("opens{}: {} of {} requests failed", again ? " again" : "", r.failed, r.calls)
          : again ? "opens again: it still fails"
                  : fmt::format("opens after {} failures in a row", r.failures);
      return fmt::format("{} {}; next try at {}", name, why, clock_text(line.clock, r.probe_at));
    }
    if (is(r.to, BreakerState::half_open))
      return name + (counted ? " is half open: a few requests are tried" : " is half open: one call is tried");
    if (r.reason == to_string(BreakerReason::proved)) return name + " closes: it works again";
    if (r.reason == to_string(BreakerReason::forced)) return name + " is closed by hand: somebody wants it tried";
    return name + " is forgotten: what it stood before has changed or is not configured any more";
  }
  std::string operator()(const engine::Scaled& r) {
    belongs(r.service, -1, open(r.service));
    const std::string change = fmt::format("from {} to {} instances", r.from, r.to);
    return fmt::format("{} {} ({}){}", place(), change, r.rule, because(beyond(change, r.reason)));
  }
  std::string operator()(const engine::ScalingAsked& r) {
    belongs(r.service, -1, open(r.service));
    const std::string change = fmt::format("from {} to {} instances", r.from, r.to);
    remember(r.id, {line.incident, r.service, -1, "scaling"});
    return fmt::format("{} asks to go {} until {}{} [{}]", place(), change, clock_text(line.clock, r.until),
                       because(beyond(change, r.reason)), show_id(r.id));
  }
  std::string operator()(const engine::ScalingDropped& r) {
    belongs(r.service, -1, open(r.service));
    return fmt::format("scaling of {} is not asked for any more{} [{}]", place(), because(r.reason), show_id(r.id));
  }
  std::string operator()(const engine::RolloutMoved& r) {
    belongs(r.service, -1, open(r.service));
    return fmt::format("rollout of {}: {}{}", place(), r.detail, by(r.by));
  }
  std::string operator()(const engine::RouteSet& r) {
    belongs(r.service, -1, open(r.service));
    if (!r.route) return fmt::format("the proxy divides the requests of {} by itself again", place());
    const std::string trial = r.route->trial.empty() ? std::string()
                                                     : fmt::format(", {} % of its usual share to {}", r.route->part,
                                                                   slots_text(r.route->trial));
    if (r.route->share == 0)
      return fmt::format("the requests of {}: to {}{}", place(), slots_text(r.route->stable), trial);
    const std::string compared =
        r.route->baseline.empty() ? std::string() : ", as much to each of " + slots_text(r.route->baseline);
    return fmt::format("the requests of {}: {} to {}{}, the others to {}{}", place(), rollout::percent(r.route->share),
                       slots_text(r.route->fresh), compared, slots_text(r.route->stable), trial);
  }
  std::string operator()(const engine::JudgeKept& r) {
    belongs(r.service, -1, 0);
    return {};
  }
  // Every few seconds one, and nothing that people would look for.
  std::string operator()(const engine::ScalingSeen& r) {
    belongs(r.service, -1, 0);
    return {};
  }
  std::string operator()(const engine::ScalingFrozen& r) {
    using engine::Freeze;
    belongs(r.service, -1, open(r.service));
    if (r.direction == Freeze::none) return fmt::format("{} is not frozen any more{}", place(), by(r.by));
    const std::string_view what = r.direction == Freeze::up     ? "gets no more instances"
                                  : r.direction == Freeze::down ? "loses no instances"
                                                                : "keeps its number of instances";
    return fmt::format("{} {} until {}{}", place(), what, clock_text(line.clock, r.until), by(r.by));
  }
  std::string operator()(const engine::ScaleHeld& r) {
    belongs(r.service, -1, open(r.service));
    if (r.count < 0) return fmt::format("{} is scaled by its metrics again{}", place(), by(r.by));
    return fmt::format("{} is held at {} instances until {}{}", place(), r.count, clock_text(line.clock, r.until),
                       by(r.by));
  }
  std::string operator()(const engine::ScalingRaised& r) {
    belongs(r.service, -1, open(r.service));
    return fmt::format("{} has at least {} instances until {} [{}]", place(), r.count, clock_text(line.clock, r.until),
                       show_id(r.id));
  }
  std::string operator()(const engine::Drained& r) {
    belongs(r.service, r.slot, open(r.service));
    return fmt::format("{} {}{}", place(), r.drained ? "is taken out of the traffic" : "gets requests again",
                       because(r.reason));
  }
  std::string operator()(const engine::ResourceMoved& r) {
    belongs(r.service, -1, r.service.empty() ? 0 : open(r.service));
    line.detail = true;
    return r.service.empty() ? r.lock + " is free" : fmt::format("{} is worked on with {}", r.service, r.lock);
  }
  std::string operator()(const engine::Diagnosed& r) {
    belongs(r.service, -1, r.incident);
    const std::string part = r.part_of == 0 ? "" : fmt::format(", part of incident {}", r.part_of);
    return fmt::format("diagnosis of {}: {}{}", place(), printable(r.reason), part);
  }
  std::string operator()(const engine::ChangeNoted& r) {
    belongs(r.service, -1, 0);
    return fmt::format("{} was changed to {}{}", place(), printable(r.version), by(r.by));
  }
  std::string operator()(const engine::LockChanged& r) {
    belongs(r.service, r.slot, open(r.service));
    return fmt::format("{} {}{}", place(), r.locked ? "locked" : "unlocked", because(r.reason));
  }
};

Line Narrator::tell(const journal::EntryView& entry, const engine::Body& body) {
  return tell(entry.seq, {Instant(Duration(entry.at_ns)), entry.wall_ns}, body);
}

Line Narrator::tell(const engine::Record& record, Duration wall) {
  return tell(record.seq, {record.at, wall.count()}, record.body);
}

Line Narrator::tell(std::uint64_t seq, const Clock& clock, const engine::Body& body) {
  Line line;
  line.seq = seq;
  line.clock = clock;
  line.kind = engine::type_of(body);
  line.text = printable(std::visit(Teller{*this, line}, body));
  return line;
}

}  // namespace homeostat::api
