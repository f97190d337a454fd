#include "runtime/process_runtime.hpp"

#include <fmt/core.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "os/incarnation.hpp"
#include "os/lock_file.hpp"
#include "runtime/instance.hpp"
#include "runtime/log_file.hpp"
#include "runtime/ports.hpp"

namespace homeostat::runtime {

using engine::OutcomeKind;

namespace {

std::string running_text(const Incarnation& running, std::uint16_t port) {
  return port == 0 ? fmt::format("pid {}", running.id) : fmt::format("pid {}, port {}", running.id, port);
}

}  // namespace

std::string instance_name(const Target& target) { return fmt::format("{}.{}", target.service, target.slot); }

ProcessRuntime::ProcessRuntime(os::Loop& loop, std::string state_dir, std::optional<os::Cgroups> cgroups,
                               OnExit on_exit)
    : loop_(loop), state_dir_(std::move(state_dir)), cgroups_(std::move(cgroups)), on_exit_(std::move(on_exit)) {}

ProcessRuntime::~ProcessRuntime() {
  for (const auto& [target, instance] : instances_) {
    if (instance->child) loop_.remove(instance->child->pidfd.get(), *instance);
  }
}

std::expected<std::unique_ptr<ProcessRuntime>, Error> ProcessRuntime::open(os::Loop& loop, std::string state_dir,
                                                                           std::optional<os::Cgroups> cgroups,
                                                                           OnExit on_exit) {
  for (const char* name : {"/run", "/log"}) {
    std::error_code error;
    std::filesystem::create_directories(state_dir + name, error);
    if (error) return fail(fmt::format("cannot make the directory {}{}: {}", state_dir, name, error.message()));
  }
  return std::unique_ptr<ProcessRuntime>(
      new ProcessRuntime(loop, std::move(state_dir), std::move(cgroups), std::move(on_exit)));
}

std::string ProcessRuntime::lock_path(const Target& target) const {
  return fmt::format("{}/run/{}.lock", state_dir_, instance_name(target));
}

std::string ProcessRuntime::log_path(const Target& target) const {
  return fmt::format("{}/log/{}.log", state_dir_, instance_name(target));
}

void ProcessRuntime::configure(const std::string& service, ProcessSpec spec) {
  specs_.insert_or_assign(service, std::move(spec));
}

void ProcessRuntime::forget(const std::string& service) {
  specs_.erase(service);
  std::vector<Done> left;
  std::erase_if(instances_, [&](const auto& entry) {
    Instance& instance = *entry.second;
    if (entry.first.service != service) return false;
    if (instance.ending) left.push_back(std::move(instance.ending->done));
    instance.ending.reset();
    return !instance.child;
  });
  for (Done& done : left) done({.kind = OutcomeKind::unknown, .detail = "the service was released meanwhile"});
}

ProcessRuntime::Instance& ProcessRuntime::at(const Target& target) {
  auto& instance = instances_[target];
  if (!instance) instance = std::make_unique<Instance>(*this, target);
  return *instance;
}

// The instance when something may be done to it now, its state being up to date; else a refusal.
ProcessRuntime::Instance* ProcessRuntime::admit(const Target& target, std::string& refusal) {
  if (!specs_.contains(target.service) || !valid_name(target.service) || target.slot < 0) {
    refusal = fmt::format("{} is not an instance of the process runtime", instance_name(target));
    return nullptr;
  }
  Instance& instance = at(target);
  refresh(instance);
  if (!instance.ending) return &instance;
  refusal = "it is being stopped already";
  return nullptr;
}

std::expected<void, Error> ProcessRuntime::watch(Instance& instance, os::Child child) {
  if (auto watched = loop_.add(child.pidfd.get(), EPOLLIN, instance); !watched) return watched;
  instance.child = std::move(child);
  return {};
}

// When we do not know of a run, the lock file may: of one that another life of this program started, even this moment.
void ProcessRuntime::refresh(Instance& instance) {
  if (instance.child) return;
  const os::LockState lock = os::look_at_lock(lock_path(instance.target));
  if (!lock.record) return;
  if (auto tag = parse_tag(lock.record->tag)) instance.tag = std::move(*tag);
  auto child = os::adopt(lock.record->holder);
  if (!child) return;
  // Only a cgroup with our name is the instance's own; it may be elsewhere than we would make it now.
  const std::string cgroup = os::cgroup_of(child->pid);
  instance.cgroup = cgroup.ends_with("/" + instance_name(instance.target)) ? cgroup : std::string();
  // Failing means that we are out of descriptors: seen as not running, and the lock still prevents a second start.
  static_cast<void>(watch(instance, std::move(*child)));
}

Recovered ProcessRuntime::recover(const Target& target) {
  Recovered found;
  Instance* const instance = admit(target, found.problem);
  if (instance == nullptr) return found;
  found.running = instance->running();
  found.started_by = instance->tag.command;
  found.port = instance->tag.port;
  found.version = instance->tag.version;
  if (instance->child) return found;
  const std::string path = lock_path(target);
  const os::LockState lock = os::look_at_lock(path);
  if (!lock.held) return found;
  for (const os::LockHolder& holder : os::lock_holders(path)) {
    found.problem = lock.record && lock.record->holder.id == static_cast<std::uint64_t>(holder.taker)
                        ? fmt::format("pid {} is left over from its last run", holder.pid)
                        : fmt::format("{} is held by pid {}, which is not known", path, holder.pid);
  }
  return found;
}

void ProcessRuntime::start(const Target& target, const std::string& version, engine::CommandId command, Instant now,
                           Done done) {
  std::string refusal;
  Instance* const instance = admit(target, refusal);
  if (instance == nullptr) return done({.kind = OutcomeKind::not_started, .detail = std::move(refusal)});
  if (instance->child) {
    return done({.kind = OutcomeKind::not_started,
                 .now_running = instance->running(),
                 .port = instance->tag.port,
                 .detail = "it runs already: " + running_text(instance->running(), instance->tag.port),
                 .version = instance->tag.version});
  }
  end(*instance, StartTag{.command = command, .version = version}, now, std::move(done));
}

void ProcessRuntime::stop(const Target& target, const Incarnation& expected, Instant now, Done done) {
  std::string refusal;
  Instance* const instance = admit(target, refusal);
  if (instance != nullptr && instance->running() == expected) {
    return end(*instance, std::nullopt, now, std::move(done));
  }
  Outcome outcome{.kind = OutcomeKind::not_started, .detail = std::move(refusal)};
  if (instance != nullptr) {
    outcome.now_running = instance->running();
    outcome.port = instance->tag.port;
    outcome.version = instance->tag.version;
    outcome.detail = outcome.now_running.none()
                         ? fmt::format("pid {} has ended already", expected.id)
                         : fmt::format("another run than the one meant is there: pid {}", outcome.now_running.id);
  }
  done(std::move(outcome));
}

void ProcessRuntime::restart(const Target& target, const Incarnation& expected, const std::string& version,
                             engine::CommandId command, Instant now, Done done) {
  std::string refusal;
  Instance* const instance = admit(target, refusal);
  if (instance == nullptr || instance->running() != expected) return stop(target, expected, now, std::move(done));
  StartTag tag{.command = command, .port = instance->tag.port, .version = version};
  // What cannot be started is known before anything is stopped.
  if (auto child = child_of(specs_.at(target.service), {target.service, target.slot, tag}); !child && instance->child) {
    return done({.kind = OutcomeKind::failed,
                 .now_running = instance->running(),
                 .port = instance->tag.port,
                 .detail = child.error().text + "; it was not stopped",
                 .version = instance->tag.version});
  }
  end(*instance, std::move(tag), now, std::move(done));
}

std::expected<std::uint16_t, Error> ProcessRuntime::port_for(const Instance& instance, const ProcessSpec& spec) const {
  const int usual = spec.first_port + instance.target.slot;
  PortWish wish{.first = spec.first_port,
                .last = spec.last_port,
                .preferred = instance.tag.port,
                .usual = static_cast<std::uint16_t>(usual <= spec.last_port ? usual : 0),
                .others = {}};
  std::set<std::uint16_t> in_use;
  for (const auto& [target, other] : instances_) {
    if (other.get() == &instance || other->tag.port == 0) continue;
    wish.others.insert(other->tag.port);
    if (other->child) in_use.insert(other->tag.port);
  }
  if (auto port = choose_port(wish)) return port;
  wish.others = std::move(in_use);  // a port that only waits for its instance to come back is better than none
  return choose_port(wish);
}

std::expected<void, Error> ProcessRuntime::launch(Instance& instance, StartTag tag) {
  const auto spec = specs_.find(instance.target.service);
  if (spec == specs_.end()) return fail("the service was released meanwhile");
  if (spec->second.first_port != 0) {
    const auto port = port_for(instance, spec->second);
    if (!port) return std::unexpected(port.error());
    tag.port = *port;
  }
  auto child = child_of(spec->second, {instance.target.service, instance.target.slot, tag});
  if (!child) return std::unexpected(child.error());
  const auto log = open_log(log_path(instance.target));
  if (!log) return std::unexpected(log.error());
  child->stdout_fd = log->get();
  child->lock_file = lock_path(instance.target);
  child->lock_tag = to_text(tag);
  if (cgroups_) child->cgroup = cgroups_->make(instance_name(instance.target));
  auto spawned = os::spawn(*child);
  if (!spawned) {
    os::remove_cgroup(child->cgroup);
    return std::unexpected(spawned.error());
  }
  instance.tag = std::move(tag);
  instance.cgroup = child->cgroup;
  const pid_t pid = spawned->pid;
  auto watched = watch(instance, std::move(*spawned));
  if (!watched) os::signal_group(pid, SIGKILL);  // a run that nobody watches would be worse than none
  return watched;
}

Outcome ProcessRuntime::outcome_of_launch(Instance& instance, const StartTag& tag) {
  const auto launched = launch(instance, tag);
  Outcome outcome{.kind = OutcomeKind::succeeded};
  if (!launched) {
    // Somebody else's child may have taken the lock first: one that our last life was just starting when it ended.
    refresh(instance);
    outcome.kind = instance.child ? OutcomeKind::not_started : OutcomeKind::failed;
    outcome.detail = launched.error().text;
  }
  outcome.now_running = instance.running();
  if (!instance.child) return outcome;
  outcome.port = instance.tag.port;
  outcome.version = instance.tag.version;
  if (launched) outcome.detail = running_text(outcome.now_running, outcome.port);
  return outcome;
}

void ProcessRuntime::trim_logs() const {
  for (const auto& [target, instance] : instances_) {
    const auto spec = specs_.find(target.service);
    if (spec != specs_.end()) trim_log(log_path(target), spec->second.log_bytes);
  }
}

}  // namespace homeostat::runtime
