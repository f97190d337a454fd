// Runs short-lived commands beside everything else: bounded output, a deadline, killed whole when it passes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "homeostat/time.hpp"
#include "os/cgroup.hpp"
#include "os/child.hpp"
#include "os/loop.hpp"

namespace homeostat::os {

using RunId = std::uint64_t;

struct RunSpec {
  ChildSpec child;  // stdout_fd, stderr_fd and cgroup are set by the runner
  Duration timeout = std::chrono::seconds(60);
  std::size_t capture = 64 << 10;  // so much of the output (stdout and stderr together) is kept, the rest is counted
  /// What the command left running in its process group or cgroup is killed when it ends. A command that starts a
  /// daemon wants false; at the time-out everything is killed either way.
  bool kill_leftovers = true;
};

enum class RunEnd : std::uint8_t { exited, signalled, timed_out };

struct RunResult {
  RunEnd end = RunEnd::exited;
  int code = 0;  // exit status or signal number
  std::string output;
  std::uint64_t dropped = 0;  // bytes of output that were not kept
};

/// Many commands at once on one loop; one thread. Give it the time by `advance` when `next_deadline` has come.
class Runner {
 public:
  /// Called once, from the loop or from `advance`, never from within `start`. It may start and cancel runs.
  using Done = std::move_only_function<void(RunResult)>;

  /// Each command gets a cgroup of its own below `cgroups` where that is given.
  explicit Runner(Loop& loop, std::optional<Cgroups> cgroups = std::nullopt);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// An error: nothing was started and `done` will not be called.
  std::expected<RunId, Error> start(RunSpec spec, Instant now, Done done);
  /// Kills the command; its `done` is not called. Harmless for a run that has ended.
  void cancel(RunId id);

  std::optional<Instant> next_deadline() const;
  /// Ends what is due: the result `timed_out` comes at once, even when the command cannot be killed yet.
  void advance(Instant now);

  /// Commands that have not ended, and those that were killed and are not gone yet.
  std::size_t size() const { return runs_.size(); }

 private:
  struct Run;

  void on_exit(Run& run);
  void on_output(Run& run);
  void kill(Run& run);
  void erase(Run& run);

  Loop& loop_;
  std::optional<Cgroups> cgroups_;
  RunId last_ = 0;
  std::map<RunId, std::unique_ptr<Run>> runs_;
  std::vector<std::string> old_cgroups_;  // to be removed once their last process has gone
};

}  // namespace homeostat::os
