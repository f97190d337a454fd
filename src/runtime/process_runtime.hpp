// The process runtime: instances are children of ours, and outlive us.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "os/cgroup.hpp"
#include "os/loop.hpp"
#include "runtime/launch.hpp"
#include "runtime/outcome.hpp"

namespace homeostat::runtime {

/// What `recover` found.
struct Recovered {
  Incarnation running;           // none: nothing runs
  engine::CommandId started_by;  // of the present or the last run; none: unreadable
  std::uint16_t port = 0;
  std::string version;
  std::string problem;  // for people: what stands in the way of a start; empty: nothing
};

/// What files and the cgroup of an instance are called.
std::string instance_name(const Target& target);

/// Single threaded, never waits. Give it the time by `advance` when `next_deadline` has come.
///
/// STATE_DIR/run/SERVICE.SLOT.lock is locked by every process of the instance and says who was started for what;
/// STATE_DIR/log/SERVICE.SLOT.log is its output.
class ProcessRuntime {
 public:
  /// An exit that was not asked for; called from the loop as soon as it happens.
  using OnExit = std::move_only_function<void(const Target&, const Incarnation&, const os::ExitStatus&)>;

  /// Makes the directories it needs below `state_dir`. `cgroups`: where each instance gets one of its own, if anywhere.
  static std::expected<std::unique_ptr<ProcessRuntime>, Error> open(os::Loop& loop, std::string state_dir,
                                                                    std::optional<os::Cgroups> cgroups, OnExit on_exit);
  ~ProcessRuntime();  // the instances go on running
  ProcessRuntime(const ProcessRuntime&) = delete;
  ProcessRuntime& operator=(const ProcessRuntime&) = delete;

  /// Adds a service or changes how it is run from the next start on.
  void configure(const std::string& service, ProcessSpec spec);
  /// The service is no longer ours: its instances go on running, their exits are not told.
  void forget(const std::string& service);

  /// Looks for a run that an earlier life of this program has left, and watches it from now on.
  Recovered recover(const Target& target);

  /// Starts an instance that does not run. `command` is kept in the lock file for `recover`.
  void start(const Target& target, const std::string& version, engine::CommandId command, Instant now, Done done);
  /// Ends the run `expected` with all its processes; with `expected` none it must not run, and leftovers are ended.
  void stop(const Target& target, const Incarnation& expected, Instant now, Done done);
  /// Stops the run `expected`, then starts `version`.
  void restart(const Target& target, const Incarnation& expected, const std::string& version, engine::CommandId command,
               Instant now, Done done);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

  /// Cuts output files that have become too long. Reads and writes up to half of `log_bytes` for each.
  void trim_logs() const;

 private:
  struct Ending;
  struct Instance;

  ProcessRuntime(os::Loop& loop, std::string state_dir, std::optional<os::Cgroups> cgroups, OnExit on_exit);

  std::string lock_path(const Target& target) const;
  std::string log_path(const Target& target) const;
  Instance* admit(const Target& target, std::string& refusal);
  Instance& at(const Target& target);
  void refresh(Instance& instance);
  std::expected<void, Error> watch(Instance& instance, os::Child child);
  std::expected<std::uint16_t, Error> port_for(const Instance& instance, const ProcessSpec& spec) const;
  std::expected<void, Error> launch(Instance& instance, StartTag tag);
  Outcome outcome_of_launch(Instance& instance, const StartTag& tag);

  void end(Instance& instance, std::optional<StartTag> then_start, Instant now, Done done);
  void on_exit(Instance& instance);
  void advance_ending(Instance& instance, Instant now);
  bool cleared(const Instance& instance) const;
  std::optional<std::string> kill_leftovers(const Instance& instance) const;
  void finish(Instance& instance, std::optional<Outcome> failure);

  os::Loop& loop_;
  std::string state_dir_;
  std::optional<os::Cgroups> cgroups_;
  OnExit on_exit_;
  std::map<std::string, ProcessSpec> specs_;
  // An instance without a spec is one of a forgotten service: kept to collect its exit.
  std::map<Target, std::unique_ptr<Instance>> instances_;
};

}  // namespace homeostat::runtime
