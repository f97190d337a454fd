// The exec runtime: the user's own commands do what the process runtime does itself.
#pragma once

#include <string>

#include "runtime/command_runner.hpp"
#include "runtime/exec_scale.hpp"
#include "runtime/outcome.hpp"
#include "runtime/spec.hpp"

namespace homeostat::runtime {

/// What is asked of one instance, or of the service as a whole (slot engine::kWhole).
struct ExecRequest {
  Target target;
  engine::Op op = engine::Op::start;
  engine::CommandId command{};  // {action}: the same when an outcome is asked for again
  std::string version{};        // {version}; empty: none
  std::uint32_t count = 0;      // {count}: scale, the number of instances wanted
  bool fewer = false;           // … and there may be more now
};

/// A command gets {service} {instance} {action} {version} {count}, also as HOMEOSTAT_SERVICE and so on. Exit status 0:
/// succeeded, another: failed; a command that had to be killed may or may not have acted: unknown. Of `scale` decides
/// what `count` prints, where there is one.
class ExecRuntime {
 public:
  explicit ExecRuntime(CommandRunner& runner) : runner_(runner), scale_(runner) {}

  /// An operation without a command: not_started, with the reason. One whose command asks for what is not known, a
  /// version or an instance, has failed.
  void perform(const ExecSpec& spec, const ExecRequest& request, Instant now, Done done);

  std::optional<Instant> next_deadline() const { return scale_.next_deadline(); }
  void advance(Instant now) { scale_.advance(now); }

 private:
  CommandRunner& runner_;
  ExecScale scale_;
};

}  // namespace homeostat::runtime
