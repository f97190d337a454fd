// The runtime `exec`: the user's own commands.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/told_argv.hpp"

namespace homeostat::config {
namespace {

using runtime::ExecSpec;

// What is filled in: of a command about an instance, and of one about how many there are.
constexpr std::string_view kOfOne = "service instance action version";
constexpr std::string_view kOfAll = "service action count";

const Table<ExecSpec>& exec_table() {
  static const Table<ExecSpec> table = [] {
    Table<ExecSpec> rows(
        "run.exec",
        "Your own commands, never through a shell; exit status 0 is success. What has no command cannot be "
        "done. Filled in within each argument are `{service}` and `{action}`; `{instance}` and `{version}`, except "
        "where "
        "it is about how many there are: without an instance, or a version that is known, a command that needs it is "
        "not "
        "run; `{count}` where it is about that.");
    const auto add = [&](std::string key, auto member, std::string_view names, std::string_view text,
                         std::string_view example) {
      rows.add(std::move(key), member, filled_argv_type(names),
               {.text = text, .otherwise = "cannot be done", .example = example});
    };
    add("start", &ExecSpec::start, kOfOne, "Starts it.", "[/usr/local/bin/ctl, start]");
    add("stop", &ExecSpec::stop, kOfOne, "Stops it.", "[/usr/local/bin/ctl, stop]");
    add("restart", &ExecSpec::restart, kOfOne, "Restarts it.", "[/usr/local/bin/ctl, restart]");
    add("rollback", &ExecSpec::rollback, kOfOne,
        "Goes back to the version before, or to `{version}`: then each `rollback` of a ladder says which, by `to`.",
        "[/usr/local/bin/ctl, rollback]");
    add("scale", &ExecSpec::scale, kOfAll, "Makes it as many instances as it is told.",
        "[/usr/local/bin/ctl, scale, '{count}']");
    rows.add("count", &ExecSpec::count, filled_argv_type(kOfAll),
             {.text = "Prints how many run, and nothing else. Then `scale` has succeeded when it prints that number, "
                      "and failed when it prints another one after `count_within`.",
              .otherwise = "the exit status of `scale` is believed",
              .example = "[/usr/local/bin/ctl, count]"});
    rows.add("count_within", &ExecSpec::count_within, duration_type(std::chrono::milliseconds(1)),
             {.text = "So long it may take until there are as many as `scale` was told.",
              .fallback = "60s",
              .example = "5m"});
    rows.add("drain", &ExecSpec::drain, filled_argv_type(kOfAll),
             {.text = "Run before `scale` makes it fewer, with the same `{count}`: who leaves gets no new work and "
                      "finishes what it has. Where it fails, `scale` is run all the same.",
              .otherwise = "nobody is told before",
              .example = "[/usr/local/bin/ctl, drain, '{count}']"});
    rows.add("status", &ExecSpec::status, looking_argv_type("instance"),
             {.text = "Tells how it is: exit status 0 success, 1 degraded, 2 failure, 3 unknown. Without another alive "
                      "check it is run as the check `status`. Only `{instance}` is filled in.",
              .otherwise = "cannot be done",
              .example = "[/usr/local/bin/ctl, status]"});
    rows.add("user", &ExecSpec::user, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "deploy"});
    rows.add("cwd", &ExecSpec::cwd, path_type(),
             {.text = "The folder to run in.", .fallback = ".", .example = "/srv/legacy"});
    rows.add(
        "timeout", &ExecSpec::timeout, duration_type(std::chrono::milliseconds(1)),
        {.text = "A command that takes longer is killed with its whole group.", .fallback = "60s", .example = "5m"});
    rows.add("idempotent", &ExecSpec::idempotent, bool_type(),
             {.text = "Whether a command may be repeated when nobody knows what became of it.",
              .fallback = "false",
              .example = "true"});
    return rows;
  }();
  return table;
}

}  // namespace

Component<RunDraft> exec_run() {
  return {
      "exec",
      "Your own commands.",
      "{ restart: [/usr/local/bin/ctl, restart], status: [/usr/local/bin/ctl, status] }",
      {&exec_table().section()},
      [](const Node& node, Reader& reader, RunDraft& out) {
        ExecSpec spec;
        exec_table().read(node, reader, spec);
        const bool start_stop = !spec.start.empty() && !spec.stop.empty();
        Fingerprint print;
        print.add("exec").add(spec.start).add(spec.user).add(spec.cwd);
        Fingerprint commands;
        for (const auto* argv : {&spec.start, &spec.stop, &spec.restart, &spec.rollback, &spec.scale, &spec.count}) {
          commands.add(*argv);
        }
        commands.add(spec.user).add(spec.cwd).add(static_cast<std::uint64_t>(spec.timeout.count()));
        for (const char* key : {"count", "drain"}) {
          if (node.find(key) != nullptr && spec.scale.empty())
            reader.problem(node.where(key), fmt::format("`{}` means something beside `scale` only", key));
        }
        // All that one action may take: drained, told, counted until the limit, and once more.
        const Duration whole = spec.scale.empty() ? spec.timeout : spec.timeout * 3 + spec.count_within;
        out.plan = {.managed = false,
                    .restart = !spec.restart.empty(),
                    .start_stop = start_stop,
                    .scale = !spec.scale.empty(),
                    .scale_again = !spec.count.empty() || spec.idempotent,
                    .releases = !spec.rollback.empty(),
                    .identity = print.value(),
                    .commands = commands.value(),
                    .stop_grace = whole};
        out.spec = std::move(spec);
      }};
}

}  // namespace homeostat::config
