// The engine's hands: its dispatches and notifications, carried out by the runtimes; the ends come back as inputs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "daemon/keepers.hpp"
#include "daemon/rotation.hpp"
#include "engine/engine.hpp"
#include "os/oom.hpp"
#include "runtime/command_runner.hpp"
#include "runtime/exec_runtime.hpp"
#include "runtime/process_runtime.hpp"

namespace homeostat::daemon {

class Hands {
 public:
  using Feed = std::function<void(engine::Input)>;

  static std::expected<std::unique_ptr<Hands>, Error> open(os::Loop& loop, const engine::Engine& engine,
                                                           const std::string& state_dir, Feed feed,
                                                           std::function<Instant()> now,
                                                           std::optional<os::Cgroups> cgroups);

  /// A configuration has been loaded. Services that `before` had and this one has not are forgotten.
  void configure(const config::Config& config, const config::Config* before);

  /// Looks for every instance that the journal or the configuration knows, and feeds what is found; then, perhaps
  /// later, calls `found`.
  void find_all(Instant now, std::function<void()> found);
  /// Tells the engine what it does not know yet of instances that others run. Only while no other input waits.
  void reconcile() { keepers_.reconcile(); }
  const Keepers& keepers() const { return keepers_; }

  /// What a command of a ladder is told beside the rest: of an alert of the service that fires.
  std::function<runtime::Values(engine::ServiceId, engine::Slot)> told_by_alerts;

  /// What is wrong with a service, or one place of it, in the words of its checks.
  std::function<std::string(engine::ServiceId, std::optional<engine::Slot>)> complaints;

  void dispatch(const engine::Dispatch& command, Instant now);
  void notify(const engine::Notify& command, Instant now);
  void ask_gate(const engine::AskGate& command, Instant now);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);
  void trim_logs() const { process_->trim_logs(); }

 private:
  Hands(os::Loop& loop, const engine::Engine& engine, Feed feed, std::function<Instant()> now,
        const std::optional<os::Cgroups>& cgroups)
      : engine_(engine),
        feed_(std::move(feed)),
        rotation_(loop, engine, std::move(now)),
        runner_(loop, cgroups),
        exec_(runner_),
        keepers_(loop, engine, feed_) {}
  void take_back(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run);
  std::string with_complaints(const std::string& summary, std::optional<engine::ServiceId> service,
                              std::optional<engine::Slot> slot) const;
  void run_strategy(const engine::Dispatch& command, Instant now);
  void run_instance(const engine::Dispatch& command, const runtime::Target& target, const std::string& version,
                    Instant now);
  /// After a wait in which the configuration may have become another. False: it is not done.
  bool run_later(engine::Dispatch command, const runtime::Target& target, const std::string& version,
                 std::optional<std::size_t> runtime, Instant now);
  void run_process(const engine::Dispatch& command, const runtime::Target& target, const std::string& version,
                   Instant now);
  runtime::Done done_of(const engine::Dispatch& command);
  void exited(const runtime::Target& target, const Incarnation& incarnation, const os::ExitStatus& status);

  const engine::Engine& engine_;
  Feed feed_;
  const config::Config* config_ = nullptr;
  Rotation rotation_;
  runtime::CommandRunner runner_;
  runtime::ExecRuntime exec_;
  Keepers keepers_;
  os::OomWatch oom_;
  std::unique_ptr<runtime::ProcessRuntime> process_;
};

}  // namespace homeostat::daemon
