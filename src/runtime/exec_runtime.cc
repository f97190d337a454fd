#include "runtime/exec_runtime.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "runtime/launch.hpp"

namespace homeostat::runtime {

using engine::Op;
using engine::OutcomeKind;

namespace {

struct Verb {
  const char* name;
  std::vector<std::string> ExecSpec::* command;
};

std::optional<Verb> verb_of(Op op) {
  switch (op) {
    case Op::start:
      return Verb{"start", &ExecSpec::start};
    case Op::stop:
      return Verb{"stop", &ExecSpec::stop};
    case Op::restart:
      return Verb{"restart", &ExecSpec::restart};
    case Op::rollback:
      return Verb{"rollback", &ExecSpec::rollback};
    case Op::scale:
      return Verb{"scale", &ExecSpec::scale};
    case Op::exec:
    case Op::route:
    case Op::adjust:
      break;
  }
  return std::nullopt;
}

CommandSpec command_of(const ExecSpec& spec, std::vector<std::string> argv) {
  return {.argv = std::move(argv), .env = {}, .user = spec.user, .cwd = spec.cwd, .timeout = spec.timeout};
}

Values values_of(const Target& target) {
  Values values{{"service", target.service}};
  if (target.slot != engine::kWhole) values.emplace_back("instance", std::to_string(target.slot));
  return values;
}

/// The first placeholder of which nobody knows what it stands for now, so that the command would get it as it is
/// written; empty: there is none.
std::string_view unknown_in(const std::vector<std::string>& argv, const Values& values) {
  for (const auto& [name, text] :
       {std::pair<std::string_view, std::string_view>{"version", "{version}"}, {"instance", "{instance}"}}) {
    const bool used = std::ranges::any_of(argv, [&](const std::string& argument) { return argument.contains(text); });
    if (used && std::ranges::find(values, name, &Values::value_type::first) == values.end()) return text;
  }
  return {};
}

}  // namespace

void ExecRuntime::perform(const ExecSpec& spec, const ExecRequest& request, Instant now, Done done) {
  const auto refuse = [&](std::string why) { done({.kind = OutcomeKind::not_started, .detail = std::move(why)}); };
  const auto verb = verb_of(request.op);
  if (!verb) return refuse(fmt::format("the exec runtime cannot do this for {}", request.target.service));
  const auto& argv = spec.*verb->command;
  if (argv.empty()) return refuse(fmt::format("{} has no command for {}", request.target.service, verb->name));
  if (!request.version.empty() && !valid_name(request.version)) {
    return refuse(fmt::format("\"{}\" is not a version", request.version.substr(0, 80)));
  }
  Values values = values_of(request.target);
  values.emplace_back("action", fmt::format("{}.{}", request.command.epoch, request.command.counter));
  if (!request.version.empty()) values.emplace_back("version", request.version);
  if (const std::string_view unknown = unknown_in(argv, values); !unknown.empty()) {
    // A try that failed: it would be refused again and again.
    return done({.kind = OutcomeKind::failed,
                 .detail = fmt::format("{}: not started: nobody knows which {} is meant", verb->name, unknown)});
  }
  if (request.op == Op::scale) {
    values.emplace_back("count", std::to_string(request.count));
    return scale_.begin(spec, std::move(values), request.count, request.fewer, now, std::move(done));
  }
  runner_.run(command_of(spec, argv), values, now,
              [done = std::move(done), name = verb->name](CommandResult result) mutable {
                done({.kind = kind_of(result), .detail = fmt::format("{}: {}", name, describe(result))});
              });
}

}  // namespace homeostat::runtime
