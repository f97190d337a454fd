#include "probe/exec_check.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "probe/fill.hpp"

namespace homeostat::probe {

std::string_view unfit(const ExecSpec& spec, const Place& place) {
  if (spec.argv.empty()) return "there is no command";
  const auto asks = [](std::string_view text) { return text.contains("{version}"); };
  const bool asked = std::ranges::any_of(spec.argv, asks) ||
                     std::ranges::any_of(spec.env, [&](const auto& one) { return asks(one.second); }) || asks(spec.cwd);
  return asked && place.version.empty() ? "its version is not known: `{version}` cannot be filled in" : "";
}

os::ChildSpec child_for(const ExecSpec& spec, const Place& place) {
  os::ChildSpec child;
  for (const std::string& argument : spec.argv) child.argv.push_back(fill(argument, place));
  for (const auto& [name, value] : spec.env) child.env.emplace_back(name, fill(value, place));
  child.cwd = fill(spec.cwd, place);
  child.user = spec.user;
  return child;
}

Finding judge(const os::RunResult& result) {
  std::string said = for_people(result.output);
  switch (result.end) {
    case os::RunEnd::timed_out:
      return {{Result::timeout, Reason::timed_out, 0, {}}, for_people("killed at its time-out " + said)};
    case os::RunEnd::signalled:
      return {{Result::failure, Reason::signalled, result.code, {}},
              for_people(fmt::format("ended by signal {} {}", result.code, said))};
    case os::RunEnd::exited:
      break;
  }
  switch (result.code) {
    case 0:
      return {{Result::success, Reason::none, 0, {}}, std::move(said)};
    case 1:
      return {{Result::degraded, Reason::exit_code, 1, {}}, std::move(said)};
    case 3:
      return {{Result::unknown, Reason::exit_code, 3, {}}, std::move(said)};
    default:
      return {{Result::failure, Reason::exit_code, result.code, {}}, std::move(said)};
  }
}

}  // namespace homeostat::probe
