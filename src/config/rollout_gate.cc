// Gates of a rollout's stage that somebody outside decides.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"
#include "config/told_argv.hpp"

namespace homeostat::config {
namespace {

// A window is looked at so often that it is not missed, and believed to be open for no longer.
constexpr Duration kLookEvery = std::chrono::seconds(5);
constexpr Duration kBeyondTimeout = std::chrono::seconds(30);

const Table<ScalingSchedule>& gate_window_table() {
  static const Table<ScalingSchedule> table = [] {
    Table<ScalingSchedule> rows("rollout.window", "The hours in which a stage may end.");
    rows.add("start", &ScalingSchedule::start, cron_type(),
             {.text = "From then: minute, hour, day, month, weekday, as crontab(5).",
              .example = "0 9 * * mon-fri",
              .required = true});
    rows.add("end", &ScalingSchedule::end, cron_type(),
             {.text = "Until then.", .example = "0 16 * * mon-fri", .required = true});
    rows.add("zone", &ScalingSchedule::zone, zone_type(),
             {.text = "The time zone of both, by its name in the system's zone data.",
              .fallback = "UTC",
              .example = "Europe/Berlin"});
    return rows;
  }();
  return table;
}

}  // namespace

const Table<GateDraft>& gate_table() {
  static const Table<GateDraft> table = [] {
    Table<GateDraft> rows("rollout.gate", "What a stage waits for: a command that agrees, or a time of day.");
    rows.add("exec", [](GateDraft& gate) -> auto& { return gate.command.argv; },
             filled_argv_type("service version from stage"),
             {.text = "Run when the stage has baked, never through a shell: 0 passes, 3 says \"not yet\", any other "
                      "exit status rolls back. Killed or too slow says nothing. It may run more than once. "
                      "`{service}`, `{version}`, `{from}` and `{stage}` are filled in within each argument.",
              .otherwise = "a `window`",
              .example = "[/usr/local/bin/smoke, '{version}']"});
    rows.add(
        "timeout", [](GateDraft& gate) -> auto& { return gate.command.timeout; },
        duration_type(std::chrono::milliseconds(1)),
        {.text = "A command that takes longer is killed with its whole group.", .fallback = "30s", .example = "10m"});
    rows.add("every", &GateDraft::every, duration_type(std::chrono::seconds(1)),
             {.text = "So long after it was asked the command is asked again, until it decides.",
              .fallback = "30s",
              .example = "1m"});
    rows.add("user", [](GateDraft& gate) -> auto& { return gate.command.user; }, text_type(),
             {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "deploy"});
    rows.add("cwd", [](GateDraft& gate) -> auto& { return gate.command.cwd; }, path_type(),
             {.text = "The folder to run in.", .fallback = ".", .example = "/srv/api"});
    rows.add("window", &GateDraft::window, maybe(gate_window_table().type()),
             {.text = "The stage ends only meanwhile; until then its deadline does not run.",
              .otherwise = "a command",
              .example = "{ start: 0 9 * * mon-fri, end: 0 16 * * mon-fri, zone: Europe/Berlin }"});
    return rows;
  }();
  return table;
}

std::vector<const Section*> gate_sections() { return {&gate_table().section(), &gate_window_table().section()}; }

void resolve_gates(const Resolution& in, const Node& stage, std::uint32_t number, StageDraft& draft,
                   std::vector<engine::GatePlan>& out) {
  for (Named<GateDraft>& gate : draft.gates) {
    const Node& node = *stage.find("gates")->find(gate.name);
    const bool command = node.find("exec") != nullptr;
    if (command == gate.value.window.has_value()) {
      in.reader.problem(node.at, "a gate is either `exec`, a command that agrees, or `window`, a time of day");
      continue;
    }
    if (gate.name == "checks" || gate.name == "judge" || gate.name == "approval") {
      in.reader.problem(node.at,
                        fmt::format("{} is a gate of Homeostat's own: give it another name", quote(gate.name)));
    }
    draft.stage.gates.push_back(gate.name);
    engine::GatePlan plan{.stage = number, .name = gate.name};
    if (command) {
      plan.every = gate.value.every;
      plan.reference = static_cast<std::uint32_t>(in.config.commands.size());
      plan.answers_within = gate.value.command.timeout + kBeyondTimeout;
      gate.value.command.name = gate.name;
      in.config.commands.push_back(std::move(gate.value.command));
    } else {
      plan.kind = engine::GatePlan::Kind::window;
      plan.every = kLookEvery;
      plan.window = std::move(*gate.value.window);
      if (plan.window.start == plan.window.end && plan.window.start != CronTime{}) {
        in.reader.problem(node.find("window")->where("end"), "it ends when it begins: it is never open");
      }
    }
    out.push_back(std::move(plan));
  }
}

}  // namespace homeostat::config
