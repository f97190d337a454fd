// Every state that can be expected.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/clock.hpp"
#include "api/status.hpp"
#include "engine/gates.hpp"
#include "engine/maintenance.hpp"
#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

const Seen kDead{false, "Homeostat does not run"};

const engine::ServiceState& durable_of(const Stage& stage, const std::string& service) {
  static const engine::ServiceState kNothing;
  const auto& services = stage.world.durable().services;
  const auto found = services.find(service);
  return found == services.end() ? kNothing : found->second;
}

/// `holds`, or the opposite where the claim says `not`.
Seen judged(const Captures& c, bool holds, std::string instead) { return {holds != c.has("not"), std::move(instead)}; }

Seen running(const Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  const auto slots = stage.slots(place.service, place.slot);
  std::size_t up = 0;
  std::string versions;
  for (const engine::Slot slot : slots) {
    if (!stage.world.running(place.service, slot)) continue;
    const std::string version = stage.world.version(place.service, slot);
    if (!version.empty()) versions += (versions.empty() ? " on " : ", ") + version;
    if (!c.has("version") || version == c.text("version")) ++up;
  }
  return judged(c, up == slots.size() && up > 0, fmt::format("{} of {} so{}", up, slots.size(), versions));
}

Seen counted(const Stage& stage, const Captures& c) {
  std::size_t up = 0;
  for (const engine::Slot slot : stage.slots(c.text("service"), -1))
    up += stage.world.running(c.text("service"), slot) ? 1 : 0;
  return judged(c, up == c.count("count"), fmt::format("{} run", up));
}

Seen flag(const Stage& stage, const Captures& c, const PlaceName& place) {
  const std::string wanted = c.text("state");
  const engine::ServiceState& service = durable_of(stage, place.service);
  if (place.slot >= 0 && wanted == "locked") return judged(c, service.locks.contains(place.slot), "");
  if (place.slot >= 0 && wanted == "drained") return judged(c, service.drained.contains(place.slot), "");
  if (place.slot >= 0 && wanted == "completed") {
    const auto found = service.instances.find(place.slot);
    const bool done = found != service.instances.end() && found->second.state == engine::RunState::completed;
    return judged(c, done, service.detail_of(place.slot));
  }
  if (place.slot >= 0 && wanted == "stopped") return judged(c, !service.wants_running(place.slot), "");
  const auto view = api::View::live(stage.world.engine(), {stage.world.now(), 0});
  const auto flags = api::flags_of(view, place.service);
  std::string all;
  for (const std::string_view one : flags) all += (all.empty() ? "" : ", ") + std::string(one);
  return judged(c, std::ranges::count(flags, wanted) > 0, "its flags: " + (all.empty() ? "none" : all));
}

Seen status(const Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  if (c.text("state") == "running") return running(stage, c);
  if (!stage.alive()) return kDead;
  const auto id = stage.world.engine().find_service(place.service);
  static constexpr std::array<std::string_view, 5> kStatuses{"healthy", "degraded", "unhealthy", "critical", "unknown"};
  if (std::ranges::count(kStatuses, c.text("state")) == 0) return flag(stage, c, place);
  if (!id) return {false, "it is not configured"};
  const Status now =
      place.slot < 0 ? stage.world.status(place.service) : stage.world.engine().instance_status(*id, place.slot);
  return judged(c, to_string(now) == c.text("state"), "it is " + std::string(to_string(now)));
}

Seen check_status(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const PlaceName place = c.place();
  const engine::State& state = stage.world.engine().state();
  const auto id = stage.world.engine().find_service(place.service);
  for (const engine::Target& target : state.targets) {
    if (!id || target.service != *id || target.check == engine::kNone) continue;
    if (state.plan.services[*id].checks[target.check].name != c.text("check")) continue;
    if (place.slot >= 0 && target.slot != place.slot) continue;
    const std::string_view now = to_string(target.health.status());
    return judged(c, now == c.text("state"), fmt::format("it is {} ({})", now, engine::explain(target.health.last())));
  }
  return {false, "there is no such check"};
}

Seen held(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const PlaceName place = c.place();
  std::string instead;
  bool any = false;
  for (const auto& [slot, hold] : durable_of(stage, place.service).holds) {
    if (place.slot >= 0 && slot != place.slot) continue;
    any = any || !c.has("gate") || hold.gate == c.text("gate");
    instead += (instead.empty() ? "held by " : ", ") + hold.gate + ": " + hold.detail;
  }
  return judged(c, any, instead.empty() ? "nothing holds it" : instead);
}

Seen incident(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const std::uint64_t open = durable_of(stage, c.text("service")).incident;
  return judged(c, open != 0, open != 0 ? fmt::format("incident {} is open", open) : "none is open");
}

Duration sum(const Few<engine::Interval>& intervals) {
  Duration all{};
  for (const engine::Interval& one : intervals) all += one.to - one.from;
  return all;
}

Seen within(const Captures& c, Duration found) {
  const Spans wanted = c.spans("spans");
  return {found >= wanted.least && found <= wanted.most, "it is " + api::in_words(found)};
}

Seen downtime(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const engine::ServiceState& service = durable_of(stage, c.text("service"));
  return within(c, sum(service.downs) + (service.down_since ? stage.world.now() - *service.down_since : Duration{}));
}

Seen unknown_time(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const engine::ServiceState& service = durable_of(stage, c.text("service"));
  const bool now = service.status == "unknown" && service.status_since != kLongAgo;
  return within(c, sum(service.unknowns) + (now ? stage.world.now() - service.status_since : Duration{}));
}

Seen budget(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const engine::State& state = stage.world.engine().state();
  engine::BudgetUse use;
  if (c.text("service") == "everything") {
    use = engine::fleet_budget(state, stage.world.now());
  } else {
    const auto id = stage.world.engine().find_service(c.text("service"));
    if (!id) return {false, "it is not configured"};
    use = engine::service_budget(state, *id, stage.world.now());
  }
  return {use.used == c.count("count"), fmt::format("{} of {} are used", use.used, use.limit)};
}

Seen group_budget(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const engine::State& state = stage.world.engine().state();
  for (engine::ServiceId id = 0; id < state.plan.services.size(); ++id) {
    const std::uint32_t group = state.plan.services[id].group;
    if (group == engine::kNone || state.plan.groups[group].name != c.text("group")) continue;
    const auto use = engine::group_budget(state, id, stage.world.now());
    return {use->used == c.count("count"), fmt::format("{} of {} are used", use->used, use->limit)};
  }
  return {false, "no service is of that group"};
}

Seen maintained(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const bool now = engine::maintenance_of(stage.world.durable(), c.text("service")) != nullptr;
  return judged(c, now, now ? "somebody works on it" : "nobody works on it");
}

Seen ladder(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const PlaceName place = c.place();
  const auto& ladders = durable_of(stage, place.service).ladders;
  const auto found = ladders.find(place.slot);
  const std::uint64_t rung = found == ladders.end() ? 1 : found->second.rung + 1;
  return {rung == c.count("count"), fmt::format("it stands on rung {}", rung)};
}

Seen caution(const Stage& stage, const Captures& c) {
  if (!stage.alive()) return kDead;
  const engine::State& state = stage.world.engine().state();
  const std::string which = c.text("caution");
  const bool on = which == "tilt"    ? state.tilt_since.has_value()
                  : which == "doubt" ? state.doubt.doubtful
                                     : !state.observe_only.empty();
  return judged(c, on, state.observe_only.empty() ? state.doubt.reason : state.observe_only);
}

}  // namespace

const std::vector<StateRow>& state_rows() {
  static const std::vector<StateRow> kRows{
      {Pattern("<place> is [<not:not>] "
               "<state:healthy|degraded|unhealthy|critical|unknown|running|paused|stopped|flapping|outdated|"
               "quarantined|suppressed|locked|shadow|drained|completed|ejecting>"),
       "A status, or a flag as in `homeostat status`; `running`: the processes really are there; of an instance also "
       "`drained` and `completed`.",
       status},
      {Pattern("<place> is [<not:not>] on <version>"), "It runs that release, all of it.", running},
      {Pattern("<service> runs <count> instance(s)"), "So many of its processes really are there.", counted},
      {Pattern("check <check> of <place> is [<not:not>] <state:healthy|degraded|unhealthy|critical|unknown>"),
       "What one check makes of it.", check_status},
      {Pattern("<place> is [<not:not>] held "
               "[by <gate:paused|locked|dependency|prerequisite|evidence|budget|max_unavailable|doubt|tilt|journal|"
               "recovering|shutdown|breaker|diagnosis|recovery|maintenance|clock|storm|resource|cooldown>]"),
       "Its repair waits, for that gate.", held},
      {Pattern("<service> is [<not:not>] in maintenance"), "Somebody works on it.", maintained},
      {Pattern("incident of <service> is [<not:not>] open"), "An incident of it is open.", incident},
      {Pattern("downtime of <service> is <spans>"), "All downtime so far.", downtime},
      {Pattern("unknown time of <service> is <spans>"), "All time so far in which its status was unknown.",
       unknown_time},
      {Pattern("budget of <service> is used <count> times"),
       "Disruptive actions that count now; `everything` for the fleet.", budget},
      {Pattern("budget of group <group> is used <count> times"), "The same of the services of a group.", group_budget},
      {Pattern("ladder of <place> is at rung <count>"), "The rung that comes next.", ladder},
      traffic_state(),
      {Pattern("homeostat is [<not:not>] in <caution:tilt|doubt|observe_only>"),
       "It holds back: time has jumped; its own network is in doubt; its journal cannot be written.", caution},
  };
  return kRows;
}

}  // namespace homeostat::scenario
