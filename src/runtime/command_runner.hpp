// Runs configured commands: exec strategies, notifiers, the commands of the exec runtime.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/run.hpp"
#include "runtime/fill.hpp"

namespace homeostat::runtime {

struct CommandSpec {
  std::vector<std::string> argv;  // {placeholders} are filled in within each argument; never through a shell
  std::vector<std::pair<std::string, std::string>> env;  // as it is
  std::string user;
  std::string cwd;
  Duration timeout = std::chrono::seconds(60);
};

struct CommandResult {
  enum class End : std::uint8_t { exited, signalled, timed_out, not_started };
  End end = End::not_started;
  int code = 0;             // exit status or signal number
  std::string output{};     // the head of stdout and stderr
  std::uint64_t dropped{};  // bytes of output that were not kept
  std::string error{};      // not_started: why

  bool ok() const { return end == End::exited && code == 0; }
};

/// "exit status 3: disk not found": how it ended and its last line of output, for people.
std::string describe(const CommandResult& result);

/// Single threaded, never waits. What a command leaves running goes on (it may have started a daemon); at the time-out
/// all of it is killed.
class CommandRunner {
 public:
  /// Called exactly once, possibly before `run` returns (not_started only). It may run the next command.
  using Done = std::move_only_function<void(CommandResult)>;

  explicit CommandRunner(os::Loop& loop, std::optional<os::Cgroups> cgroups = std::nullopt)
      : runner_(loop, std::move(cgroups)) {}

  /// 0: it was not started. `values` become environment variables too: HOMEOSTAT_<NAME>.
  os::RunId run(const CommandSpec& spec, const Values& values, Instant now, Done done);
  /// Kills it; its `done` is not called.
  void cancel(os::RunId id) { runner_.cancel(id); }

  std::optional<Instant> next_deadline() const { return runner_.next_deadline(); }
  void advance(Instant now) { runner_.advance(now); }

 private:
  os::Runner runner_;
};

}  // namespace homeostat::runtime
