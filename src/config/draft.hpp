// A configuration as read, before names are looked up: each part keeps its node, so that what is found wrong later can
// still be reported with its place in the file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/maintenance_draft.hpp"
#include "config/rollout_draft.hpp"
#include "config/scaling_draft.hpp"
#include "config/types.hpp"

namespace homeostat::config {

struct CheckDraft {
  CheckPolicy policy;
  Role role = Role::alive;
  std::optional<Scope> scope;
  probe::Spec spec = probe::ProcessSpec{};
  std::uint64_t identity = 0;
};

struct RunDraft {
  runtime::Spec spec;
  engine::RuntimePlan plan;
  std::string release;  // the version to begin with
};

struct RungDraft {
  engine::RungPlan plan;
  std::optional<Duration> verify_within;
  CommandSpec command;  // exec
  std::string notify;   // escalate
};

/// A ladder, and what bounds it as a whole.
struct LadderDraft {
  std::optional<std::vector<Placed<RungDraft>>> rungs;
  engine::LadderLimits limits;
};

/// A kind of failure with a ladder of its own; several services may have it.
struct IssueDraft {
  std::vector<Placed<std::string>> checks;
  std::vector<Placed<std::string>> alerts;
  LadderDraft ladder;
};

struct NotifierDraft {
  NotifierSpec spec;
  std::uint64_t identity = 0;  // of what is sent where
};

struct PrerequisiteDraft {
  engine::Prerequisite::Kind kind = engine::Prerequisite::Kind::service_healthy;
  std::string service;
  std::string check;
  std::uint32_t count = 0;
  std::string file;
};

/// One item of `depends_on`.
struct NeedDraft {
  diagnosis::Tie tie = diagnosis::Tie::hard;
  bool any_of = false;
  struct Service {
    std::string name;
    Position at;
  };
  std::vector<Service> services;
};

struct TrafficDraft {
  traffic::Spec haproxy;
  std::optional<engine::EjectionPlan> breaker;
};

struct ServiceDraft {
  RunDraft run;
  engine::ServicePlan plan;  // what needs no looking up is read straight into it
  std::optional<std::uint32_t> min_healthy;
  std::optional<engine::Share> max_unavailable;
  std::vector<NeedDraft> depends_on;
  std::vector<Placed<PrerequisiteDraft>> prerequisites;
  std::vector<Named<CheckDraft>> checks;
  LadderDraft remediation;
  std::vector<Placed<std::string>> issues;
  std::optional<ScalingDraft> scaling;
  std::optional<RolloutDraft> rollout;
  std::optional<TrafficDraft> traffic;
  std::string group;
  std::vector<Placed<WindowDraft>> maintenance;
};

struct GuardrailsDraft {
  std::optional<engine::Budget> instance;
  std::vector<Named<engine::Budget>> groups;
  engine::Budget fleet{3, 10, std::chrono::minutes(10)};
  engine::Share max_unavailable{1, 0};
  std::vector<Placed<WindowDraft>> maintenance;
  Duration approve_within = std::chrono::minutes(30);
  Duration storm_cool_down = std::chrono::seconds(30);
};

struct FileDraft {
  std::uint32_t version = 0;
  CheckPolicy defaults;
  std::vector<Named<ServiceDraft>> services;
  std::vector<Named<NotifierDraft>> notifiers;
  std::vector<Named<IssueDraft>> issues;
  GuardrailsDraft guardrails;
  std::optional<AlertsDraft> alerts;
  BreakerOptions breakers = engine::dependency_breaker();
};

/// Reads into an optional: absent stays absent.
template <template <class> class Maybe = std::optional, class T>
Type<Maybe<T>> maybe(Type<T> type) {
  return {type.shape, [type](const Node& node, Reader& reader, Maybe<T>& out) {
            T value{};
            type.read(node, reader, value);
            out = std::move(value);
          }};
}

/// Keeps the node beside what is read from it.
template <class T>
Type<Placed<T>> placed(Type<T> type) {
  return {type.shape, [type](const Node& node, Reader& reader, Placed<T>& out) {
            out.node = &node;
            type.read(node, reader, out.value);
          }};
}

Type<CronTime> cron_type();     // scaling_rules.cc
Type<std::string> zone_type();  // scaling_rules.cc

inline constexpr std::string_view kInstance = "{instance}";

/// One kind of something (a check, a runtime, a strategy): a file of its own holds its table and makes this of it.
template <class T>
struct Component {
  std::string key;
  std::string_view text;
  std::string_view example;
  std::vector<const Section*> sections;  // the first is its own, the others those within it
  std::function<void(const Node&, Reader&, T&)> read;
};

/// The kinds of `components` as rows of a table.
template <class T>
void add_kinds(Table<T>& table, const std::vector<Component<T>>& components) {
  for (const Component<T>& one : components) {
    const Type<T> type{{one.sections.front()->name, reference_to(one.sections.front()->name)}, one.read};
    table.add_kind(one.key, std::identity{}, type, {.text = one.text, .example = one.example});
  }
}

Component<CheckDraft> http_check();                       // check_http.cc
Component<CheckDraft> tcp_check();                        // check_tcp.cc
Component<CheckDraft> exec_check();                       // check_exec.cc
Component<CheckDraft> file_check();                       // check_file.cc
Component<CheckDraft> process_check();                    // check_process.cc
Component<CheckDraft> runtime_check();                    // check_runtime.cc
Component<CheckDraft> alert_check();                      // check_alert.cc
Component<CheckDraft> promql_check();                     // check_promql.cc
Component<CheckDraft> haproxy_check();                    // check_haproxy.cc
const std::vector<Component<CheckDraft>>& check_kinds();  // check.cc: the list of them

Component<RunDraft> process_run();                    // run_process.cc
Component<RunDraft> exec_run();                       // run_exec.cc
Component<RunDraft> systemd_run();                    // run_systemd.cc
Component<RunDraft> supervisord_run();                // run_supervisord.cc
Component<RunDraft> docker_run();                     // run_containers.cc
Component<RunDraft> podman_run();                     // run_containers.cc
const std::vector<Component<RunDraft>>& run_kinds();  // run.cc

const Table<NeedDraft>& need_table();  // need.cc

Component<RungDraft> restart_rung();                    // rung_restart.cc
Component<RungDraft> rollback_rung();                   // rung_rollback.cc
Component<RungDraft> scale_up_rung();                   // rung_scale_up.cc
Component<RungDraft> drain_rung();                      // rung_drain.cc
Component<RungDraft> exec_rung();                       // rung_exec.cc
Component<RungDraft> escalate_rung();                   // rung_escalate.cc
const std::vector<Component<RungDraft>>& rung_kinds();  // rung.cc

Component<NotifierDraft> webhook_notifier();                    // notify_webhook.cc
Component<NotifierDraft> slack_notifier();                      // notify_webhook.cc
Component<NotifierDraft> email_notifier();                      // notify_email.cc
const std::vector<Component<NotifierDraft>>& notifier_kinds();  // notify.cc

/// An alert has been waited for already, so one failure is enough.
CheckPolicy alert_timing(CheckPolicy defaults);  // check_alert.cc
/// The timing of a check of the process itself: an exit is a fact, so one failure is enough and there is no grace.
CheckPolicy process_timing(CheckPolicy defaults);  // check_process.cc

const Table<CheckPolicy>& timing_table();              // timing.cc
const Table<CheckDraft>& check_table();                // check.cc
const Table<RunDraft>& run_table();                    // run.cc
const Table<RungDraft>& rung_table();                  // rung.cc
const Table<LadderDraft>& ladder_table();              // ladder.cc
Type<LadderDraft> ladder_type();                       // ladder.cc
const Table<IssueDraft>& issue_table();                // ladder.cc
const Table<engine::Completion>& completion_table();   // ladder.cc
const Table<PrerequisiteDraft>& prerequisite_table();  // prerequisite.cc
const Table<PrerequisiteDraft>& min_healthy_table();   // prerequisite.cc
const Table<RolloutDraft>& rollout_table();            // rollout.cc
std::vector<const Section*> rollout_sections();        // rollout.cc
const Table<ScalingDraft>& scaling_table();            // scaling.cc
std::vector<const Section*> scaling_sections();        // scaling.cc
const Table<TrafficDraft>& traffic_table();            // traffic.cc
std::vector<const Section*> traffic_sections();        // traffic.cc
const Table<engine::EjectionPlan>& ejection_table();   // traffic_breaker.cc
const Table<MetricDraft>& metric_table();              // scaling_metric.cc
const Table<MetricForm>& metric_form_table();          // scaling_form.cc
const Table<DirectionRules>& up_table();               // scaling_limits.cc
const Table<DirectionRules>& down_table();             // scaling_limits.cc
const Table<RateLimit>& rate_limit_table();            // scaling_limits.cc
const Table<ScalingSchedule>& schedule_table();        // scaling_rules.cc
const Table<FallbackRule>& fallback_table();           // scaling_rules.cc
const Table<ActivationDraft>& activation_table();      // scaling_rules.cc
const Table<HelpRule>& help_table();                   // scaling_rules.cc
const Table<BackoffPolicy>& backoff_table();           // limits.cc
const Table<engine::Budget>& budget_table();           // limits.cc
const Table<GuardrailsDraft>& guardrails_table();      // limits.cc
const Table<engine::Budget>& fleet_table();            // limits.cc
const Table<WindowDraft>& window_table();              // maintenance.cc
const Table<BreakerOptions>& breakers_table();         // limits.cc
const Table<NotifierDraft>& notifier_table();          // notify.cc
const Table<ServiceDraft>& service_table();            // service.cc
const Table<FileDraft>& file_table();                  // service.cc

}  // namespace homeostat::config
