// What the process runtime knows of one instance. For process_*.cc only.
#pragma once

#include "runtime/process_runtime.hpp"

namespace homeostat::runtime {

/// An instance on its way down, and perhaps up again.
struct ProcessRuntime::Ending {
  Instant kill_at{};     // SIGTERM's grace ends
  Instant give_up_at{};  // what has not ended by then will not
  Instant look_at{};     // after the main process has gone: when to look for leftovers again
  bool killed = false;
  std::optional<StartTag> then_start;
  Done done;
};

struct ProcessRuntime::Instance final : os::Watcher {
  Instance(ProcessRuntime& owner, Target where) : runtime(owner), target(std::move(where)) {}
  void ready(std::uint32_t) override { runtime.on_exit(*this); }

  Incarnation running() const { return child ? child->incarnation : Incarnation{}; }

  ProcessRuntime& runtime;
  Target target;
  std::optional<os::Child> child;
  StartTag tag;        // of the present or the last run
  std::string cgroup;  // of the present or the last run
  std::optional<Ending> ending;
};

}  // namespace homeostat::runtime
