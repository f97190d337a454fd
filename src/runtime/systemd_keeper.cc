#include "runtime/systemd_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "runtime/release_link.hpp"
#include "runtime/systemd_work.hpp"

namespace homeostat::runtime {

using engine::Op;
using engine::OutcomeKind;

namespace {

constexpr const char* kManager = "/org/freedesktop/systemd1";
constexpr const char* kManagerFace = "org.freedesktop.systemd1.Manager";

std::string in_words(const std::string& job_result) {
  if (job_result == "canceled") return "somebody has cancelled the job";
  if (job_result == "timeout") return "the job took longer than the unit allows";
  if (job_result == "dependency") return "a unit that it needs could not be started";
  return "the job has " + job_result;
}

/// systemd forgets a unit that has ended well as soon as nothing refers to it, and with it that it ran, and how it
/// ended. That was told when it ended.
void remember(const UnitState& told, UnitState& fresh) {
  if (!told.rests() || !fresh.rests() || !fresh.run.none()) return;
  fresh.run = told.run;
  fresh.result = told.result;
  fresh.exit_code = told.exit_code;
  fresh.exit_status = told.exit_status;
}

}  // namespace

SystemdKeeper::SystemdKeeper(os::Loop& loop, const std::string& address, OnSight on_sight)
    : on_sight_(std::move(on_sight)),
      bus_(loop, address,
           {.up = [this] { up(); },
            .down = [this](const std::string& why) { down(why); },
            .signal = [this](sd_bus_message& message) { signal(message); }}) {}

SystemdKeeper::~SystemdKeeper() = default;

void SystemdKeeper::keep(std::vector<Charge> charges) {
  std::set<Target> wanted;
  for (Charge& charge : charges) {
    wanted.insert(charge.target);
    auto& unit = units_[charge.target];
    if (unit && unit->charge == charge) continue;
    if (unit && unit->work) finish(*unit, OutcomeKind::unknown, "it is configured otherwise now");
    unit = std::make_unique<Unit>(std::move(charge));
  }
  for (auto& [target, unit] : units_) {
    if (!wanted.contains(target) && unit->work) finish(*unit, OutcomeKind::unknown, "it is not configured any more");
  }
  std::erase_if(units_, [&](const auto& item) { return !wanted.contains(item.first); });
  by_path_.clear();
  for (auto& [target, unit] : units_) {
    by_path_[unit->path] = unit.get();
    if (bus_.is_up() && !unit->read) watch(*unit);
  }
}

void SystemdKeeper::up() {
  bus_.match(fmt::format("type='signal',sender='org.freedesktop.systemd1',path='{}',interface='{}',member='JobRemoved'",
                         kManager, kManagerFace));
  bus_.call(kManager, kManagerFace, "Subscribe", {}, [](const auto&) {});
  for (auto& [target, unit] : units_) watch(*unit);
}

void SystemdKeeper::down(const std::string& why) {
  for (auto& [target, unit] : units_) {
    unit->read = false;
    if (unit->work) finish(*unit, unit->work->asked ? OutcomeKind::unknown : OutcomeKind::not_started, why);
    changed(*unit);
  }
}

void SystemdKeeper::watch(Unit& unit) {
  bus_.match(fmt::format(
      "type='signal',sender='org.freedesktop.systemd1',path='{}',interface='org.freedesktop.DBus.Properties'",
      unit.path));
  read(unit);
}

void SystemdKeeper::read(Unit& unit) {
  bus_.call(unit.path, "org.freedesktop.DBus.Properties", "GetAll", {""},
            [this, target = unit.charge.target, path = unit.path](std::expected<sd_bus_message*, Bus::Failure> reply) {
              const auto found = units_.find(target);
              if (found == units_.end() || found->second->path != path) return;
              Unit& one = *found->second;
              UnitState fresh;
              if (!reply || !read_properties(**reply, fresh)) {
                const std::string why = reply ? "its answer cannot be read" : reply.error().text;
                if (one.work) finish(one, one.work->asked ? OutcomeKind::unknown : OutcomeKind::not_started, why);
                return;
              }
              if (one.read)
                remember(one.state, fresh);
              else
                one.meet(fresh);
              one.state = fresh;
              one.read = true;
              if (one.work && !one.work->judged) return judge(one);
              if (one.work && one.work->all_done) return finish(one, OutcomeKind::succeeded, "");
              changed(one);
            });
}

void SystemdKeeper::signal(sd_bus_message& message) {
  if (sd_bus_message_is_signal(&message, kManagerFace, "JobRemoved") > 0) return job_removed(message);
  if (sd_bus_message_is_signal(&message, nullptr, "PropertiesChanged") > 0) properties_changed(message);
}

void SystemdKeeper::properties_changed(sd_bus_message& message) {
  const auto unit = by_path_.find(sd_bus_message_get_path(&message));
  const char* face = nullptr;
  if (unit == by_path_.end() || sd_bus_message_read_basic(&message, 's', &face) < 0) return;
  Unit& one = *unit->second;
  if (!one.read || !read_properties(message, one.state)) return;
  // What is special to services comes first, what all units have second: with that, all is told.
  if (std::string_view(face) != "org.freedesktop.systemd1.Unit") return;
  if (!one.work || one.work->all_done) notice_job(one);
  // On its way to being restarted a unit has failed for a moment; an answer comes when that is over.
  one.state.rests() ? read(one) : changed(one);
}

void SystemdKeeper::changed(Unit& unit) {
  if (unit.work) return;
  notice_job(unit);
  Sight sight = seen(unit);
  if (sight == unit.last) return;
  unit.last = sight;
  on_sight_(unit.charge.target, sight);
}

// A job that is not ours, while it goes down: somebody else stops it, unless it is known to be of another kind. Of
// those by which systemd restarts it, the last is gone before it can be asked for; it leaves a unit that has failed.
void SystemdKeeper::notice_job(Unit& unit) {
  const UnitState& state = unit.state;
  if (state.job != 0 && std::exchange(unit.seen_job, state.job) != state.job) ask_kind(unit);
  if (state.runs()) unit.restarts = state.restarts;
  unit.restarting = !state.runs() && (unit.restarting || state.sub == "auto-restart" || state.restarts > unit.restarts);
  const bool down = state.rests() || state.active == "deactivating";
  const bool given_up = unit.restarting && state.active == "failed";
  if (!down || given_up) {
    unit.forget_stop();
  } else if (state.job != 0) {
    unit.down_job = state.job;
  }
}

// A restart and a reload are jobs, too, and what dies of them was not stopped; nor was what is stopped because another
// one has died. The answer comes before that of any later look at the unit; of a job that is not there any more there
// is none.
void SystemdKeeper::ask_kind(Unit& unit) {
  ask_bound(unit);
  bus_.call(fmt::format("{}/job/{}", kManager, unit.state.job), "org.freedesktop.DBus.Properties", "Get",
            {"org.freedesktop.systemd1.Job", "JobType"},
            [this, target = unit.charge.target, job = unit.state.job](const auto& reply) {
              const auto found = units_.find(target);
              const char* kind = nullptr;
              if (found == units_.end()) return;
              Unit& one = *found->second;
              const bool told = reply && sd_bus_message_read(*reply, "v", "s", &kind) >= 0;
              if (told && std::string_view(kind) != "stop") {
                one.no_stop = job;
              } else if (one.fall_job == job || falls_with_another(one)) {
                one.no_stop = one.fall_job = job;
              }
            });
}

Sight SystemdKeeper::seen(const Unit& unit) const {
  if (!unit.read) return {.detail = fmt::format("systemd cannot be reached: {}", bus_.why_down())};
  const KeptSpec& spec = unit.charge.spec;
  if (unit.state.id != spec.unit) {
    return {.detail = fmt::format("{} is an alias of {}: name that one", spec.unit, unit.state.id)};
  }
  Sight sight = sight_of(unit.state, unit.stopped());
  // The status is that of a stop: it does not tell whether its work was done.
  if (sight.is == Sight::Is::ended && unit.fall_job != 0 && unit.down_job == unit.fall_job) {
    sight.known = sight.signalled = false;
  }
  if (!spec.releases.empty()) {
    const auto noted = noted_version(spec.link, unit.state.run);
    sight.version = noted ? *noted : linked_version(spec.link, spec.releases);
  }
  return sight;
}

void SystemdKeeper::perform(Order order, Instant now, Done done) {
  now_ = now;
  const auto found = units_.find(order.target);
  const auto refuse = [&](std::string why) { done({.kind = OutcomeKind::not_started, .detail = std::move(why)}); };
  if (found == units_.end()) return refuse("no such unit is configured");
  Unit& unit = *found->second;
  if (seen(unit).is == Sight::Is::unreachable) return refuse(seen(unit).detail);
  if (unit.work) return refuse("another order is being carried out");
  const Instant ends = later(now, unit.charge.spec.timeout);
  unit.work.emplace(Work{.id = ++works_, .order = std::move(order), .done = std::move(done), .ends = ends});
  read(unit);
}

std::string SystemdKeeper::refusal(const Unit& unit) const {
  const Order& order = unit.work->order;
  const UnitState& state = unit.state;
  if (state.job != 0 || (!state.runs() && !state.rests())) return sight_of(state, true).detail;
  if (order.expected.none() && state.runs() && order.op != Op::restart) return "it runs already";
  if (!order.expected.none() && (!state.runs() || state.run != order.expected)) {
    return state.runs() ? "another run than the one that was meant" : "the run that was meant has ended";
  }
  return {};
}

void SystemdKeeper::judge(Unit& unit) {
  if (std::string why = refusal(unit); !why.empty()) return finish(unit, OutcomeKind::not_started, why);
  Work& work = *unit.work;
  const KeptSpec& spec = unit.charge.spec;
  const std::string& version = work.order.version;
  const bool moves = !spec.releases.empty() && !version.empty() && linked_version(spec.link, spec.releases) != version;
  const bool starts = work.order.op != Op::stop;
  const bool runs = unit.state.runs();
  if (starts && moves) {  // nothing is stopped for what cannot be started
    if (auto found = find_release(spec.releases, version); !found) {
      return finish(unit, OutcomeKind::not_started, found.error().text);
    }
  }
  if (starts) {
    const auto mode = start_mode(unit);
    if (!mode) return finish(unit, OutcomeKind::not_started, mode.error());
    work.mode = *mode;
  }
  work.judged = true;
  work.before = unit.state.run;
  if (starts)
    unit.forget_stop();
  else
    unit.put_down = true;
  if (starts && moves) work.steps.push_back(Step::link);
  if (starts && runs) {
    // One job also for another version: systemd itself restarts what it has to stop for it. After a stop and a start
    // that would stay down.
    work.steps.push_back(Step::restart);
  } else {
    if (runs) work.steps.push_back(Step::stop);
    if (starts && unit.state.active == "failed") work.steps.push_back(Step::reset);  // or its start limit holds it
    if (starts) work.steps.push_back(Step::start);
  }
  next_step(unit);
}

void SystemdKeeper::next_step(Unit& unit) {
  Work& work = *unit.work;
  if (work.steps.empty()) {
    work.all_done = true;
    if (const KeptSpec& spec = unit.charge.spec; !spec.releases.empty()) forget_run(spec.link);
    return read(unit);
  }
  const Step step = work.steps.front();
  work.steps.pop_front();
  switch (step) {
    case Step::stop:
      return ask(unit, "StopUnit", "fail");
    case Step::reset:
      return ask(unit, "ResetFailedUnit", nullptr);
    case Step::start:
      return ask(unit, "StartUnit", work.mode);
    case Step::restart:
      return ask(unit, "RestartUnit", work.mode);
    case Step::link:
      if (const std::string why = link(unit); !why.empty()) return finish(unit, OutcomeKind::not_started, why);
      return next_step(unit);
  }
}

// Nothing has been asked of systemd yet. Empty: the link is set.
std::string SystemdKeeper::link(Unit& unit) {
  Work& work = *unit.work;
  const KeptSpec& spec = unit.charge.spec;
  const std::string before = linked_version(spec.link, spec.releases);
  if (unit.state.runs() && !noted_version(spec.link, unit.state.run)) {
    if (auto noted = note_run(spec.link, before, unit.state.run); !noted) return noted.error().text;
  }
  if (auto linked = link_version(spec.link, spec.releases, work.order.version); !linked) return linked.error().text;
  work.left = before;
  return {};
}

SystemdKeeper::Unit* SystemdKeeper::working(const Target& target, std::uint64_t work) {
  const auto found = units_.find(target);
  if (found == units_.end() || !found->second->work || found->second->work->id != work) return nullptr;
  return found->second.get();
}

void SystemdKeeper::ask(Unit& unit, const char* method, const char* mode) {
  const bool has_job = mode != nullptr;
  Work& work = *unit.work;
  const bool first = !std::exchange(work.asked, true);
  auto answer = [this, target = unit.charge.target, id = work.id, has_job,
                 first](std::expected<sd_bus_message*, Bus::Failure> reply) {
    Unit* one = working(target, id);
    if (one == nullptr) return;
    if (!reply) {
      const OutcomeKind kind = !reply.error().refused ? OutcomeKind::unknown
                               : first                ? OutcomeKind::not_started
                                                      : OutcomeKind::failed;
      // What systemd may start by itself later is what ran before.
      const KeptSpec& spec = one->charge.spec;
      if (kind == OutcomeKind::not_started && !one->work->left.empty()) {
        static_cast<void>(link_version(spec.link, spec.releases, one->work->left));
      }
      return finish(*one, kind, reply.error().text);
    }
    if (!has_job) return next_step(*one);
    const char* job = nullptr;
    if (sd_bus_message_read_basic(*reply, 'o', &job) >= 0) one->work->job = job;
  };
  if (has_job)
    bus_.call(kManager, kManagerFace, method, {unit.charge.spec.unit, mode}, std::move(answer));
  else
    bus_.call(kManager, kManagerFace, method, {unit.charge.spec.unit}, std::move(answer));
}

void SystemdKeeper::job_removed(sd_bus_message& message) {
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* name = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(&message, "uoss", &id, &job, &name, &result) < 0) return;
  for (auto& [target, unit] : units_) {
    if (unit->charge.spec.unit != name) continue;
    if (unit->work && unit->work->job == job) {
      unit->no_stop = id;  // by others: what is told of the unit next may still name this job
      return job_done(*unit, result);
    }
    if (unit->read) read(*unit);  // the last change of the unit was told while its job was still there
  }
}

void SystemdKeeper::job_done(Unit& unit, const std::string& result) {
  unit.work->job.clear();
  if (result == "done") return next_step(unit);
  unit.told_to_stop = unit.work->cancelled = result == "canceled";
  finish(unit, OutcomeKind::failed, in_words(result));
}

void SystemdKeeper::finish(Unit& unit, OutcomeKind kind, const std::string& detail) {
  Work work = std::move(*unit.work);
  unit.work.reset();
  Outcome outcome{.kind = kind, .detail = detail, .overruled = work.cancelled};
  const Sight sight = seen(unit);
  // A run that is over already, and well, was one none the less; its end is told next.
  const bool over = sight.is == Sight::Is::ended && unit.state.result == "success" && sight.run != work.before;
  const bool ran = sight.is == Sight::Is::running || (kind == OutcomeKind::succeeded && over);
  if (ran) outcome.now_running = sight.run;
  if (ran) outcome.version = sight.version;
  const bool should_run = work.order.op != Op::stop;
  if (kind == OutcomeKind::succeeded && should_run != ran) {
    outcome.kind = OutcomeKind::failed;
    outcome.detail = sight.detail;
  }
  changed(unit);
  work.done(std::move(outcome));
}

std::optional<Instant> SystemdKeeper::next_deadline() const {
  Instant next = bus_.next_deadline().value_or(kNever);
  for (const auto& [target, unit] : units_) {
    if (unit->work) next = std::min(next, unit->work->ends);
  }
  return next == kNever ? std::nullopt : std::optional(next);
}

void SystemdKeeper::advance(Instant now) {
  now_ = now;
  bus_.advance(now);
  for (auto& [target, unit] : units_) {
    if (!unit->work || now < unit->work->ends) continue;
    finish(*unit, unit->work->asked ? OutcomeKind::unknown : OutcomeKind::not_started,
           "systemd has not finished it in time");
  }
}

}  // namespace homeostat::runtime
