// The way down of an instance: SIGTERM, grace, SIGKILL, leftovers; and up again when a start is to follow.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "os/incarnation.hpp"
#include "os/lock_file.hpp"
#include "runtime/instance.hpp"

namespace homeostat::runtime {

using engine::OutcomeKind;

namespace {

constexpr Duration kGiveUp = std::chrono::seconds(10);         // after SIGKILL: a process that cannot be killed
constexpr Duration kLookAgain = std::chrono::milliseconds(5);  // killed leftovers need a moment to go

// A group id cannot belong to others while its leader, dead or not, still has its number.
void kill_group(const os::Child& child) {
  const auto leader = os::stat_of(child.pid);
  if (!leader || leader->started == child.incarnation.started) os::signal_group(child.pid, SIGKILL);
}

}  // namespace

void ProcessRuntime::end(Instance& instance, std::optional<StartTag> then_start, Instant now, Done done) {
  const auto spec = specs_.find(instance.target.service);
  const Duration grace = instance.child ? spec->second.stop_grace : Duration{};
  instance.ending.emplace();
  instance.ending->kill_at = later(now, grace);
  instance.ending->give_up_at = later(instance.ending->kill_at, kGiveUp);
  instance.ending->look_at = now;
  instance.ending->then_start = std::move(then_start);
  instance.ending->done = std::move(done);
  if (instance.child) {
    os::signal_group(instance.child->pid, SIGTERM);
    os::signal_group(instance.child->pid, SIGCONT);  // a stopped process does not get the other one
  }
  advance_ending(instance, now);
}

void ProcessRuntime::on_exit(Instance& instance) {
  // What it left in its group or cgroup ends with it; before reaping, while the group id is surely its own.
  kill_group(*instance.child);
  os::kill_cgroup(instance.cgroup);
  const os::ExitStatus status = os::reap(*instance.child);
  const Incarnation ended = instance.running();
  loop_.remove(instance.child->pidfd.get(), instance);
  instance.child.reset();
  if (instance.ending) {
    instance.ending->look_at = kLongAgo;  // now, in other words
    if (cleared(instance)) finish(instance, std::nullopt);
    return;
  }
  os::remove_cgroup(instance.cgroup);
  const Target target = instance.target;
  if (specs_.contains(target.service)) {
    on_exit_(target, ended, status);
  } else {
    instances_.erase(target);
  }
}

bool ProcessRuntime::cleared(const Instance& instance) const {
  return os::remove_cgroup(instance.cgroup) && !os::look_at_lock(lock_path(instance.target)).held;
}

// Ends processes that left the group and still hold the lock. A text: somebody else holds it.
std::optional<std::string> ProcessRuntime::kill_leftovers(const Instance& instance) const {
  os::kill_cgroup(instance.cgroup);
  const std::string path = lock_path(instance.target);
  const os::LockState lock = os::look_at_lock(path);
  if (!lock.held) return std::nullopt;
  for (const os::LockHolder& holder : os::lock_holders(path)) {
    if (!lock.record || lock.record->holder.id != static_cast<std::uint64_t>(holder.taker)) {
      return fmt::format("{} is held by pid {}, which Homeostat did not start; end it first", path, holder.pid);
    }
    ::kill(holder.pid, SIGKILL);
  }
  return std::nullopt;
}

void ProcessRuntime::advance_ending(Instance& instance, Instant now) {
  Ending& ending = *instance.ending;
  if (instance.child) {
    if (now >= ending.kill_at && !ending.killed) {
      ending.killed = true;
      kill_group(*instance.child);
      os::kill_cgroup(instance.cgroup);
    }
    if (now < ending.give_up_at) return;
    return finish(instance, Outcome{.detail = fmt::format(
                                        "pid {} does not end, not even by SIGKILL (state {})", instance.child->pid,
                                        os::stat_of(instance.child->pid).value_or(os::ProcessStat{}).state)});
  }
  if (now < ending.look_at) return;
  if (cleared(instance)) return finish(instance, std::nullopt);
  if (auto other = kill_leftovers(instance)) return finish(instance, Outcome{.detail = std::move(*other)});
  if (now >= ending.give_up_at) {
    return finish(instance, Outcome{.detail = fmt::format("processes of its last run do not end: {} is still held",
                                                          lock_path(instance.target))});
  }
  ending.look_at = later(now, kLookAgain);
}

// With a failure, or because the old run has gone: then the new one is started, if there is to be one.
void ProcessRuntime::finish(Instance& instance, std::optional<Outcome> failure) {
  Ending ending = std::move(*instance.ending);
  instance.ending.reset();
  Outcome outcome{.kind = OutcomeKind::succeeded};
  if (failure) {
    outcome = std::move(*failure);
    outcome.now_running = instance.running();
    outcome.port = instance.child ? instance.tag.port : std::uint16_t{0};
  } else if (ending.then_start) {
    outcome = outcome_of_launch(instance, *ending.then_start);
  } else {
    outcome.detail = "stopped";
  }
  ending.done(std::move(outcome));  // last: it may make the next request
}

std::optional<Instant> ProcessRuntime::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& [target, instance] : instances_) {
    if (!instance->ending) continue;
    const Ending& ending = *instance->ending;
    const Instant due = !instance->child ? ending.look_at : ending.killed ? ending.give_up_at : ending.kill_at;
    next = next ? std::min(*next, due) : due;
  }
  return next;
}

void ProcessRuntime::advance(Instant now) {
  std::vector<Target> ending;
  for (const auto& [target, instance] : instances_) {
    if (instance->ending) ending.push_back(target);
  }
  for (const Target& target : ending) {
    const auto found = instances_.find(target);  // a completion may have changed everything
    if (found != instances_.end() && found->second->ending) advance_ending(*found->second, now);
  }
}

}  // namespace homeostat::runtime
