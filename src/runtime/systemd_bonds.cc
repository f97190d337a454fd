// Units that need each other: which go down with one, and which come up with it.
#include <fmt/core.h>

#include <algorithm>
#include <deque>

#include "runtime/systemd_work.hpp"

namespace homeostat::runtime {

// How those are that it is bound to and that are not ours, before they can be started again.
void SystemdKeeper::ask_bound(const Unit& unit) {
  for (const std::string& name : unit.state.bound_to) {
    if (kept(name) != nullptr) continue;
    bus_.call(unit_path(name), "org.freedesktop.DBus.Properties", "GetAll", {""},
              [this, target = unit.charge.target, job = unit.state.job](const auto& reply) {
                const auto found = units_.find(target);
                UnitState other;
                if (found == units_.end() || !reply || !read_properties(**reply, other)) return;
                if (has_ended(other)) found->second->fall_job = job;
              });
  }
}

const SystemdKeeper::Unit* SystemdKeeper::kept(const std::string& name) const {
  const auto found = by_path_.find(unit_path(name));
  return found == by_path_.end() ? nullptr : found->second;
}

// When a unit that others are bound to ends by itself, systemd stops them, and what needs or belongs to those. They are
// bound to something that rests although nobody has stopped it; what a person stops goes down before what it needs.
bool SystemdKeeper::falls_with_another(const Unit& unit) const {
  std::set<const Unit*> looked{&unit};
  std::deque<const Unit*> left{&unit};
  for (; !left.empty(); left.pop_front()) {
    const UnitState& state = left.front()->state;
    for (const std::string& name : state.bound_to) {
      const Unit* other = kept(name);
      if (other != nullptr && other->fell()) return true;
    }
    for (const auto* names : {&state.bound_to, &state.requires_, &state.part_of}) {
      for (const std::string& name : *names) {
        const Unit* other = kept(name);
        if (other != nullptr && other->state.job != 0 && looked.insert(other).second) left.push_back(other);
      }
    }
  }
  return false;
}

/// What systemd starts along with it, of ours; by way of others, too.
std::set<const SystemdKeeper::Unit*> SystemdKeeper::pulled_in(const Unit& unit, bool also_wanted) const {
  std::set<const Unit*> all;
  std::deque<const Unit*> left{&unit};
  for (; !left.empty(); left.pop_front()) {
    const UnitState& state = left.front()->state;
    for (const auto* names : {&state.requires_, &state.bound_to, &state.wants}) {
      if (names == &state.wants && !also_wanted) continue;
      for (const std::string& name : *names) {
        const Unit* other = kept(name);
        if (other != nullptr && other != &unit && all.insert(other).second) left.push_back(other);
      }
    }
  }
  return all;
}

// Mode `fail`: a job that somebody else has queued is never pushed aside. But a unit that a person has stopped must not
// come back because another one is started: then that one is started without what it wants, as long as it has what it
// needs. That mode would push a job aside; there was none a moment ago.
std::expected<const char*, std::string> SystemdKeeper::start_mode(const Unit& unit) const {
  const auto needed = pulled_in(unit, false);
  for (const Unit* other : needed) {
    if (!other->stays_down()) continue;
    return std::unexpected(fmt::format("it needs {}, which is to stay stopped", other->charge.spec.unit));
  }
  if (std::ranges::none_of(pulled_in(unit, true), &Unit::stays_down)) return "fail";
  for (const Unit* other : needed) {
    if (other->state.runs()) continue;
    return std::unexpected(fmt::format("it needs {}, which does not run", other->charge.spec.unit));
  }
  return "ignore-requirements";
}

}  // namespace homeostat::runtime
