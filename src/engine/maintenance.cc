#include "engine/maintenance.hpp"

#include <map>

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/looking.hpp"

namespace homeostat::engine {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr Duration kAskAgain = std::chrono::seconds(10);

/// A window that is open now.
struct Open {
  Instant until = kNever;
  std::string reason;
};

bool has_windows(const State& s) { return !s.plan.maintenance.empty() || !s.index.windowed.empty(); }

// Until when, if it is open. Whole minutes of the clock count, as in crontab.
std::optional<Instant> open_until(Turn& t, const MaintenanceWindow& window) {
  const WallClocks& clocks = t.s.clocks;
  const Duration wall(clocks.wall_ns);
  if (window.to != 0) {
    const Duration from = std::chrono::seconds(window.from), to = std::chrono::seconds(window.to);
    return from <= wall && wall < to ? std::optional(later(t.now, to - wall)) : std::nullopt;
  }
  const LocalMinutes local = clocks.local[window.zone];
  if (!between(window.start, window.end, local)) return std::nullopt;
  const Duration left = std::chrono::minutes(*next_match(window.end, local) - local);
  return later(t.now, left - wall % kMinute);
}

// When it opens next, by the clocks as they were read and the time since.
std::optional<Instant> opens_at(const WallClocks& clocks, const MaintenanceWindow& window, Instant now) {
  const Duration wall = Duration(clocks.wall_ns) + (now - clocks.at);
  const Duration from = std::chrono::seconds(window.from);
  if (window.to != 0) return wall < from ? std::optional(later(now, from - wall)) : std::nullopt;
  const auto passed = (Duration(clocks.wall_ns) % kMinute + (now - clocks.at)) / kMinute;
  const LocalMinutes local = clocks.local[window.zone] + passed;
  const auto next = next_match(window.start, local);
  if (!next) return std::nullopt;
  return later(now, std::chrono::minutes(*next - local) - wall % kMinute);
}

void add_next(const State& s, const std::string& service, const Few<MaintenanceWindow>& windows, Instant now,
              std::vector<PlannedMaintenance>& out) {
  std::optional<PlannedMaintenance> next;
  for (const MaintenanceWindow& window : windows) {
    const auto at = opens_at(s.clocks, window, now);
    if (at && (!next || *at < next->from)) next = PlannedMaintenance{service, *at, window.reason};
  }
  if (next) out.push_back(std::move(*next));
}

std::optional<Open> open_now(Turn& t, const Few<MaintenanceWindow>& windows) {
  std::optional<Open> open;
  for (const MaintenanceWindow& window : windows) {
    const auto until = open_until(t, window);
    if (until && (!open || open->until < *until)) open = Open{*until, window.reason};
  }
  return open;
}

template <class Use>
void for_each_of(Turn& t, const std::string& service, Use use) {
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (service.empty() || t.plan(id).name == service) use(id);
  }
}

// What has been decided and not begun is decided anew afterwards; what an operator wants goes on.
void withdraw_undone(Turn& t, ServiceId id, const std::string& why) {
  t.mark(id);
  for (Place& place : t.live(id).places) {
    const Intent* intent = undone(t, place);
    if (intent != nullptr && intent->by.empty() && intent->op != Op::stop) take_back(t, id, place, why);
  }
}

// How it was while somebody worked on it says nothing of how it is now.
void see_afresh(Turn& t, ServiceId id) {
  t.mark(id);
  if (planted(Bug::maintenance_unseen)) return;
  for (Place& place : t.live(id).places) {
    const auto suspect = t.s.suspects.find({id, place.slot});
    if (suspect != t.s.suspects.end()) suspect->second = kLongAgo;
    for (const TargetId one : place.targets) {
      forget_seen(t.s.targets[one], t.now);
      look_now(t, one);
    }
  }
}

void begin(Turn& t, MaintenanceBegan what) {
  const std::string service = what.service;
  t.record(std::move(what));
  for_each_of(t, service, [&](ServiceId id) { withdraw_undone(t, id, "maintenance has begun"); });
}

void end(Turn& t, MaintenanceEnded what) {
  const std::string service = what.service;
  t.record(std::move(what));
  for_each_of(t, service, [&](ServiceId id) { see_afresh(t, id); });
}

void judge_windows(Turn& t) {
  std::map<std::string, Open> open;
  if (!planted(Bug::window_missed)) {
    if (const auto all = open_now(t, t.s.plan.maintenance)) open.emplace("", *all);
    for (const ServiceId id : t.s.index.windowed) {
      if (const auto one = open_now(t, t.plan(id).maintenance)) open.emplace(t.plan(id).name, *one);
    }
  }
  const auto known = t.s.durable.windows;
  for (const auto& [service, state] : known) {
    if (!open.contains(service)) end(t, {service, true, false, "the window's end"});
  }
  for (const auto& [service, one] : open) {
    const auto found = known.find(service);
    if (found != known.end() && std::chrono::abs(found->second.until - one.until) < kMinute) continue;
    // What is left of one that somebody has ended stays ended; what goes on for longer is another one.
    if (found != known.end() && found->second.over && one.until < found->second.until) continue;
    begin(t, {service, true, one.until, one.reason, "the configuration"});
  }
}

}  // namespace

const MaintenanceState* maintenance_of(const Durable& d, const std::string& service) {
  const MaintenanceState* longest = nullptr;
  static const std::string kAll;
  for (const std::string* name : {&kAll, &service}) {
    for (const auto* all : {&d.maintenance, &d.windows}) {
      const auto found = all->find(*name);
      if (found == all->end() || found->second.over) continue;
      if (longest == nullptr || longest->until < found->second.until) longest = &found->second;
    }
  }
  return longest;
}

const MaintenanceState* works_longer(const Durable& d, const std::string& service, Instant until) {
  const auto found = d.maintenance.find(service);
  return found == d.maintenance.end() || found->second.until <= until ? nullptr : &found->second;
}

std::optional<Hold> maintenance_gate(Turn& t, ServiceId id) {
  if (planted(Bug::maintenance_ignored)) return {};
  if (const MaintenanceState* state = maintenance_of(t.s.durable, t.plan(id).name)) {
    const std::string why = state->reason.empty() ? "somebody works on it" : state->reason;
    return Hold{"maintenance", why + (state->by.empty() ? "" : " (by " + state->by + ")"), state->until};
  }
  const bool depends = !t.s.plan.maintenance.empty() || !t.plan(id).maintenance.empty();
  if (!depends || t.s.clocks.known || planted(Bug::window_missed)) return {};
  return Hold{"clock", "waits to be told whether it is the time of its maintenance"};
}

std::vector<PlannedMaintenance> planned_maintenance(const State& s, Instant now) {
  std::vector<PlannedMaintenance> out;
  if (!s.clocks.known) return out;
  add_next(s, "", s.plan.maintenance, now, out);
  for (const ServiceId id : s.index.windowed)
    add_next(s, s.plan.services[id].name, s.plan.services[id].maintenance, now, out);
  return out;
}

void begin_maintenance(Turn& t, const Operator& in) {
  const Instant until = in.length == Duration{} ? kNever : later(t.now, in.length);
  if (works_longer(t.s.durable, in.service, until) != nullptr) return;
  begin(t, {in.service, false, until, in.reason, in.by});
}

void end_maintenance(Turn& t, const Operator& in) {
  if (t.s.durable.maintenance.contains(in.service)) end(t, {in.service, false, false, in.by});
  const auto window = t.s.durable.windows.find(in.service);
  if (window != t.s.durable.windows.end() && !window->second.over) end(t, {in.service, true, true, in.by});
}

void maintenance_due(Turn& t) {
  std::vector<std::string> over;
  for (const auto& [service, state] : t.s.durable.maintenance) {
    if (t.now < state.until)
      t.wake_at(state.until);
    else
      over.push_back(service);
  }
  for (const std::string& service : over) end(t, {service, false, false, "its end"});
  if (!has_windows(t.s)) return t.s.durable.windows.empty() ? void() : judge_windows(t);
  WallClocks& clocks = t.s.clocks;
  const Instant due = clocks.asked ? later(clocks.asked_at, kAskAgain) : clocks.next_at;
  if (t.now < due) return t.wake_at(due);
  clocks.asked = true;
  clocks.asked_at = t.now;
  t.command(ReadClocks{++clocks.round});
  t.wake_at(later(t.now, kAskAgain));
}

void clocks_read(Turn& t, const ClocksRead& in) {
  WallClocks& clocks = t.s.clocks;
  if (!clocks.asked || in.round != clocks.round) return;
  clocks.asked = false;
  clocks.next_at = later(t.now, kAskAgain);
  if (in.wall_ns < 0 || in.local.size() != t.s.plan.zones.size()) return;
  const bool news = !clocks.known;
  clocks.known = true;
  clocks.at = t.now;
  clocks.wall_ns = in.wall_ns;
  clocks.local = in.local;
  clocks.next_at = later(t.now, kMinute - Duration(in.wall_ns) % kMinute);
  judge_windows(t);
  if (news) for_each_of(t, "", [&](ServiceId id) { t.mark(id); });
}

void forget_clocks(Turn& t) {
  const std::uint32_t round = t.s.clocks.round;
  t.s.clocks = {};
  t.s.clocks.round = round;  // an answer that is still to come belongs to no later round
}

}  // namespace homeostat::engine
