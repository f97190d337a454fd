// The scaling of a service that the user's own commands run: told how many there shall be, and looked at until there
// are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/command_runner.hpp"
#include "runtime/outcome.hpp"
#include "runtime/spec.hpp"

namespace homeostat::runtime {

/// Exit status 0: succeeded. What had to be killed at its time-out may have acted or not: unknown.
engine::OutcomeKind kind_of(const CommandResult& result);

/// What `count` printed: one number and nothing else.
std::expected<std::uint32_t, std::string> read_count(const CommandResult& result);

/// Single threaded, never waits. Call `advance` when `next_deadline` has come.
class ExecScale {
 public:
  explicit ExecScale(CommandRunner& runner) : runner_(runner) {}
  ~ExecScale();
  ExecScale(const ExecScale&) = delete;
  ExecScale& operator=(const ExecScale&) = delete;

  /// `fewer`: whoever leaves is drained first, where there is a command for it. Without `count` the exit status of
  /// `scale` decides; with it only what it prints: succeeded when it says `wanted` in time, failed when it says another
  /// number then, unknown when it says none.
  void begin(const ExecSpec& spec, Values values, std::uint32_t wanted, bool fewer, Instant now, Done done);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  struct Task;
  using TaskPtr = std::shared_ptr<Task>;

  void run(const TaskPtr& task, const std::vector<std::string>& argv, CommandRunner::Done done);
  void tell(const TaskPtr& task);
  void told(const TaskPtr& task, const CommandResult& result);
  void look(const TaskPtr& task);
  void seen(const TaskPtr& task, const std::expected<std::uint32_t, std::string>& running);
  static void end(const TaskPtr& task, engine::OutcomeKind kind, const std::string& detail);

  CommandRunner& runner_;
  std::vector<TaskPtr> tasks_;
  Instant now_ = kLongAgo;
};

}  // namespace homeostat::runtime
