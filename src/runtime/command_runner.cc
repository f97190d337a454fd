#include "runtime/command_runner.hpp"

#include <fmt/core.h>

#include <memory>

#include "core/text.hpp"
#include "core/variable.hpp"

namespace homeostat::runtime {

namespace {

using End = CommandResult::End;

constexpr std::size_t kLineShown = 200;

// The last line that says something, without what a terminal would act on.
std::string last_line(std::string_view output) {
  const std::size_t end = output.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  output = output.substr(0, end + 1);
  return printable(output.substr(output.find_last_of('\n') + 1), kLineShown);
}

End end_of(os::RunEnd end) {
  switch (end) {
    case os::RunEnd::exited:
      return End::exited;
    case os::RunEnd::signalled:
      return End::signalled;
    case os::RunEnd::timed_out:
      break;
  }
  return End::timed_out;
}

}  // namespace

std::string describe(const CommandResult& result) {
  std::string text;
  switch (result.end) {
    case End::exited:
      text = fmt::format("exit status {}", result.code);
      break;
    case End::signalled:
      text = fmt::format("killed by signal {}", result.code);
      break;
    case End::timed_out:
      text = "timed out and was killed";
      break;
    case End::not_started:
      return "not started: " + result.error;
  }
  const std::string line = last_line(result.output);
  return line.empty() ? text : text + ": " + line;
}

os::RunId CommandRunner::run(const CommandSpec& spec, const Values& values, Instant now, Done done) {
  os::RunSpec run;
  run.timeout = spec.timeout;
  run.kill_leftovers = false;
  for (const auto& [name, value] : values) run.child.env.emplace_back(variable_of(name), value);
  run.child.env.insert(run.child.env.end(), spec.env.begin(), spec.env.end());
  for (const std::string& argument : spec.argv) run.child.argv.push_back(fill(argument, values));
  run.child.user = spec.user;
  run.child.cwd = spec.cwd;
  // Shared, because a start that fails needs it as well.
  auto shared = std::make_shared<Done>(std::move(done));
  const auto id = runner_.start(std::move(run), now, [shared](os::RunResult ended) {
    (*shared)(
        {.end = end_of(ended.end), .code = ended.code, .output = std::move(ended.output), .dropped = ended.dropped});
  });
  if (id) return *id;
  (*shared)({.error = id.error().text});
  return 0;
}

}  // namespace homeostat::runtime
