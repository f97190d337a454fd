// A service and the file: the tables that hold all others.
#include <algorithm>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using engine::ServicePlan;

Type<std::uint32_t> version_type() {
  return {{"1", R"({"const":1})"}, [](const Node& node, Reader& reader, std::uint32_t& out) {
            if (node.text == "1") {
              out = 1;
            } else {
              reader.problem(node.at, quote(node.text) + " is not a version of this format that this program knows: 1");
            }
          }};
}

Type<CheckDraft> check_type() {
  Type<CheckDraft> type = check_table().type();
  type.read = [](const Node& node, Reader& reader, CheckDraft& out) {
    out.policy = node.find("process") != nullptr ? process_timing(reader.timing)
                 : node.find("alert") != nullptr ? alert_timing(reader.timing)
                                                 : reader.timing;
    check_table().read(node, reader, out);
  };
  return type;
}

void add_core(Table<ServiceDraft>& rows) {
  rows.add("run", &ServiceDraft::run, run_table().type(),
           {.text = "What runs the service.",
            .otherwise = "it is not ours: only looked at, and never acted on",
            .example = "{ process: { command: [/srv/api/serve] } }"});
  rows.add("mode", [](ServiceDraft& service) -> auto& { return service.plan.mode; },
           word_type<engine::Mode>(
               "shadow, approve or act",
               {{"shadow", engine::Mode::shadow}, {"approve", engine::Mode::approve}, {"act", engine::Mode::act}}),
           {.text = "`act` repairs, `approve` asks an operator first, `shadow` decides and records only.",
            .fallback = "act",
            .example = "shadow"});
  rows.add("instances", [](ServiceDraft& service) -> auto& { return service.plan.instances; }, count_type(0, 10'000),
           {.text = "How many copies run.", .fallback = "1", .example = "2"});
  rows.add("min_healthy", &ServiceDraft::min_healthy, maybe(count_type(0, 10'000)),
           {.text = "With fewer healthy instances the service is unhealthy.",
            .otherwise = "1 (unhealthy when all are down)",
            .example = "2"});
  rows.add("depends_on", &ServiceDraft::depends_on, list_type(need_table().type()),
           {.text = "Services this one needs: their failure explains its own, and they are repaired first.",
            .otherwise = "none",
            .example = "[db, { soft: cache }, { any_of: [search-a, search-b] }]"});
  rows.add("prerequisites", &ServiceDraft::prerequisites, list_type(placed(prerequisite_table().type())),
           {.text = "What must hold before a repair.",
            .otherwise = "none",
            .example = "[{ file: /srv/api/enabled }, { healthy: db }]"});
  rows.add("checks", &ServiceDraft::checks, map_type("check", check_type()),
           {.text = "How the service is observed. The process runtime adds the check `process`.",
            .otherwise = "only the built-in one",
            .example = "{ alive: { http: { path: /livez } } }"});
}

void add_healing(Table<ServiceDraft>& rows) {
  rows.add("remediation", &ServiceDraft::remediation, ladder_type(),
           {.text = "The ladder: what is tried, in this order.",
            .otherwise = "`restart` with 3 attempts when the runtime can, then `escalate`",
            .example = "[{ restart: { attempts: 2 } }, { escalate: { notify: oncall } }]"});
  rows.add("issues", &ServiceDraft::issues, list_type(placed(name_type("issue"))),
           {.text = "Kinds of failure that have a ladder of their own, by their names under `issues` of the file.",
            .otherwise = "none",
            .example = "[high_latency]"});
  rows.add("locks", [](ServiceDraft& service) -> auto& { return service.plan.locks; },
           converted<Few<std::string>>(names_type("lock")),
           {.text = "What it shares with other services, by any names: of those that share one, only one at a time is "
                    "repaired, rolled out or made smaller.",
            .otherwise = "nothing",
            .example = "[db-migration]"});
  rows.add("completion", [](ServiceDraft& service) -> auto& { return service.plan.completion; },
           maybe<Boxed>(completion_table().type()),
           {.text = "It is meant to end.", .otherwise = "every end is a failure", .example = "{ ok: [0] }"});
  rows.add("backoff", [](ServiceDraft& service) -> auto& { return service.plan.backoff; }, backoff_table().type(),
           {.text = "The wait between repairs.", .fallback = "{}", .example = "{ initial: 2s, max: 1m }"});
  rows.add("budget", [](ServiceDraft& service) -> auto& { return service.plan.budget; }, budget_table().type(),
           {.text = "How many repairs there may be.", .fallback = "{}", .example = "{ max_actions: 5, per: 10m }"});
  rows.add("group", &ServiceDraft::group, name_type("group"),
           {.text = "One of the `groups` of `guardrails`, whose budget it shares.",
            .otherwise = "only its own budget and the fleet's count",
            .example = "payments"});
  rows.add("maintenance", &ServiceDraft::maintenance, list_type(placed(window_table().type())),
           {.text = "When somebody works on it.",
            .otherwise = "never",
            .example = "[{ start: 0 2 * * sun, end: 0 4 * * sun }]"});
  rows.add("max_unavailable", &ServiceDraft::max_unavailable, maybe(share_type()),
           {.text = "How many instances may be down or acted on at once.",
            .otherwise = "that of `guardrails`",
            .example = "34%"});
  const auto time = [&](std::string key, Duration ServicePlan::* member, std::string_view text,
                        std::string_view fallback) {
    rows.add(std::move(key), [member](ServiceDraft& service) -> auto& { return service.plan.*member; },
             duration_type(Duration{}), {.text = text, .fallback = fallback, .example = "20m"});
  };
  rows.add("scaling", &ServiceDraft::scaling, maybe(scaling_table().type()),
           {.text = "How many instances run, by what is measured.",
            .otherwise = "always `instances`",
            .example = "{ min: 2, max: 10, metrics: { cpu: { cpu: 60% } } }"});
  rows.add("rollout", &ServiceDraft::rollout, maybe(rollout_table().type()),
           {.text = "How a new version takes over.",
            .otherwise = "`deploy` replaces one instance after the other",
            .example = "{ stages: [{ traffic: 5%, bake: 10m }], watch_after: 1h }"});
  rows.add("traffic", &ServiceDraft::traffic, maybe(traffic_table().type()),
           {.text = "What leads requests to the instances.",
            .otherwise = "nothing that Homeostat would know of",
            .example = "{ haproxy: { socket: /run/haproxy/admin.sock, backend: web, server: \"m{port}\" } }"});
  time("stable_after", &ServicePlan::stable_after,
       "A version that was healthy for this long is stable: rollback returns to it.", "10m");
  time("reopen_within", &ServicePlan::reopen_within,
       "A recurrence within this time reopens the incident at the same rung.", "10m");
  time("rearm_after", &ServicePlan::rearm_after, "Only this much health makes the ladder begin anew.", "30m");
}

}  // namespace

const Table<ServiceDraft>& service_table() {
  static const Table<ServiceDraft> table = [] {
    Table<ServiceDraft> rows("service", "A thing that is kept healthy.");
    add_core(rows);
    add_healing(rows);
    return rows;
  }();
  return table;
}

const Table<FileDraft>& file_table() {
  static const Table<FileDraft> table = [] {
    Table<FileDraft> rows(
        "configuration",
        "The whole file: one YAML document of at most 4 MiB, 200,000 values and 32 levels, without anchors, "
        "aliases and tags. Relative paths start at the folder of the file.");
    rows.add("homeostat", &FileDraft::version, version_type(),
             {.text = "The version of this format.", .example = "1", .required = true});
    Type<CheckPolicy> defaults = timing_table().type();
    defaults.read = [](const Node& node, Reader& reader, CheckPolicy& out) {
      timing_table().read(node, reader, out);
      // An interval shortened alone takes the fast one with it.
      if (node.find("fast_interval") == nullptr) out.fast_interval = std::min(out.fast_interval, out.interval);
      reader.timing = out;
    };
    rows.add("defaults", &FileDraft::defaults, defaults,
             {.text = "Timing of every check that does not say otherwise.",
              .fallback = "{}",
              .example = "{ interval: 10s }"});
    rows.add("services", &FileDraft::services, map_type("service", service_table().type()),
             {.text = "The services by name.",
              .example = "{ api: { run: { process: { command: [/srv/api/serve] } } } }",
              .required = true});
    rows.add("notify", &FileDraft::notifiers, map_type("notifier", notifier_table().type()),
             {.text = "The notifiers by name.",
              .otherwise = "escalations are only recorded",
              .example = "{ oncall: { exec: [/usr/local/bin/page, '{summary}'] } }"});
    rows.add("issues", &FileDraft::issues, map_type("issue", issue_table().type()),
             {.text = "Kinds of failure with ladders of their own, by name.",
              .otherwise = "none",
              .example = "{ high_latency: { checks: [latency], ladder: [scale_up, restart] } }"});
    rows.add("alerts", &FileDraft::alerts, maybe(alerts_table().type()),
             {.text = "Where alerts are received.", .otherwise = "nowhere", .example = "{ listen: '127.0.0.1:9096' }"});
    rows.add("breakers", &FileDraft::breakers, breakers_table().type(),
             {.text = "When commands, notifiers and sources of metrics that fail are left alone.",
              .fallback = "{}",
              .example = "{ failures: 3, open_for: 1m }"});
    rows.add("guardrails", &FileDraft::guardrails, guardrails_table().type(),
             {.text = "What no repair may exceed.", .fallback = "{}", .example = "{ max_unavailable: 34% }"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
