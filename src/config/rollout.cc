// How a new version takes over.
#include "homeostat/rollout.hpp"

#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

/// `5%`, `0.5%`, `12.25%`, in hundredths of a percent.
std::optional<std::uint32_t> parse_share(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const std::size_t point = text.find('.');
  const auto whole = parse_count(text.substr(0, point), 100);
  if (!whole) return std::nullopt;
  std::uint64_t share = *whole * 100;
  if (point != std::string_view::npos) {
    const std::string_view rest = text.substr(point + 1);
    const auto part = parse_count(rest, 99);
    if (!part || rest.size() > 2) return std::nullopt;
    share += rest.size() == 1 ? *part * 10 : *part;
  }
  return share > 0 && share <= rollout::kAll ? std::optional(static_cast<std::uint32_t>(share)) : std::nullopt;
}

Type<std::uint32_t> share_of_traffic_type() {
  return {{"percent", R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]{1,2})?%$"})"},
          [](const Node& node, Reader& reader, std::uint32_t& out) {
            const auto share = node.is_scalar() ? parse_share(node.text) : std::nullopt;
            if (share) {
              out = *share;
            } else {
              reader.problem(node.at, "a share of the traffic from `0.01%` to `100%` is needed here");
            }
          }};
}

Type<std::optional<Duration>> pause_type() {
  const Type<Duration> span = duration_type(Duration{});
  return {{"duration or `forever`", R"({"type":["string","number"]})"},
          [span](const Node& node, Reader& reader, std::optional<Duration>& out) {
            if (node.is_scalar() && node.text == "forever") {
              out = rollout::kForever;
            } else {
              span.read(node, reader, out.emplace());
            }
          }};
}

const Table<StageDraft>& stage_table() {
  static const Table<StageDraft> table = [] {
    Table<StageDraft> rows("rollout.stage", "One step of a rollout; it is passed when the new version is well.");
    rows.add("traffic", [](StageDraft& stage) -> auto& { return stage.stage.traffic; }, share_of_traffic_type(),
             {.text = "The new version's share. Instances that nothing divides traffic between get equal parts.",
              .example = "5%",
              .required = true});
    rows.add("bake", [](StageDraft& stage) -> auto& { return stage.stage.bake; }, duration_type(Duration{}),
             {.text = "So long at least.", .fallback = "0s", .example = "10m"});
    rows.add("pause", [](StageDraft& stage) -> auto& { return stage.stage.pause; }, pause_type(),
             {.text = "So long after the bake, or until somebody resumes or promotes it: `forever`.",
              .otherwise = "none",
              .example = "forever"});
    rows.add(
        "approval", &StageDraft::approval, bool_type(),
        {.text = "Somebody must approve it: `homeostat rollout approve`.", .fallback = "false", .example = "true"});
    rows.add("gates", &StageDraft::gates, map_type("gate", gate_table().type()),
             {.text = "What else it waits for, each under a name of its own.",
              .otherwise = "none",
              .example = "{ smoke: { exec: [/usr/local/bin/smoke, '{version}'] } }"});
    return rows;
  }();
  return table;
}

const Table<JudgedDraft>& judged_table() {
  static const Table<JudgedDraft> table = [] {
    using canary::Kind;
    using canary::Worse;
    Table<JudgedDraft> rows(
        "rollout.metric",
        "What the judge compares of both versions: from one source, or pushed by `homeostat rollout sample`.");
    rows.add("haproxy", &JudgedDraft::haproxy,
             maybe(word_type<engine::JudgeSource>(
                 "errors or response_time",
                 {{"errors", engine::JudgeSource::errors}, {"response_time", engine::JudgeSource::response_time}})),
             {.text = "What the service's `traffic` counts: answers of 5xx and failed connections of all requests, or "
                      "the average time of the last 1,024 answers of each server, in whole milliseconds.",
              .otherwise = "pushed",
              .example = "errors"});
    rows.add(
        "http", &JudgedDraft::http, maybe(http_source_type()),
        {.text = "Asked of each instance every second. With `done`, both numbers only grow, and what counts is how "
                 "much the first has grown for each of the second: the mean of a latency, the share of errors.",
         .otherwise = "pushed",
         .example = "{ path: /stats, json: /busy_ms, done: /requests }"});
    rows.add("promql", &JudgedDraft::promql, maybe(promql_source_type()),
             {.text = "Asked every second for each version (`{version}`), or for each instance.",
              .otherwise = "pushed",
              .example = "{ url: 'http://127.0.0.1:9090', query: 'latency{version=\"{version}\"}' }"});
    rows.add("exec", &JudgedDraft::exec, maybe(exec_source_type()),
             {.text = "Run every second for each version (`{version}`), or for each instance.",
              .otherwise = "pushed",
              .example = "[/usr/local/bin/quality, \"{version}\"]"});
    rows.add(
        "kind", [](JudgedDraft& draft) -> auto& { return draft.metric.kind; },
        word_type<Kind>(
            "latency, value, errors or events",
            {{"latency", Kind::latency}, {"value", Kind::value}, {"errors", Kind::errors}, {"events", Kind::events}}),
        {.text = "`latency`: positive, compared by ratio. `value`: any number. `errors`: so many of so many. "
                 "`events`: so many in so much traffic.",
         .otherwise = "`latency`; of `haproxy: errors`: `errors`",
         .example = "errors"});
    rows.add("worse", [](JudgedDraft& draft) -> auto& { return draft.metric.worse; },
             word_type<Worse>("higher, lower or either",
                              {{"higher", Worse::higher}, {"lower", Worse::lower}, {"either", Worse::either}}),
             {.text = "Which change does harm.", .fallback = "higher", .example = "lower"});
    rows.add("fail_above", &JudgedDraft::fail_above, maybe(percent_type()),
             {.text = "Harm that must be proven for a rollback.", .otherwise = "any harm", .example = "2%"});
    rows.add("promote_below", &JudgedDraft::promote_below, percent_type(),
             {.text = "Harm that must be excluded for a promotion.", .fallback = "10%", .example = "5%"});
    rows.add("critical", [](JudgedDraft& draft) -> auto& { return draft.metric.critical; }, bool_type(),
             {.text = "Its harm alone fails the new version.", .fallback = "true", .example = "false"});
    return rows;
  }();
  return table;
}

engine::JudgedFrom from_outside(const Resolution& in, const Named<ServiceDraft>& service, const Node& node,
                                const SourceDraft& source, canary::Kind kind, Fingerprint& told_by) {
  const bool two = source.spec.queue;
  const std::string key(source.kind);
  if (!source.spec.each_instance && !source.spec.each_version) {
    in.reader.problem(node.where(key), "it must tell the versions apart: use `{version}`, `{port}` or `{instance}`");
  }
  const bool counts = kind == canary::Kind::errors || kind == canary::Kind::events;
  if (counts && !two) in.reader.problem(node.where(key), "of how many? `done` says where that stands");
  const engine::SourcePlan plan =
      resolve_source(in, service, node, source, two ? MetricKind::drain : MetricKind::average);
  told_by.add(plan.identity).add(std::uint64_t{two});
  return {engine::JudgeSource::outside, plan.reference, two};
}

engine::JudgedFrom from_proxy(const Resolution& in, const Named<ServiceDraft>& service, const Node& node,
                              JudgedDraft& draft, Fingerprint& told_by) {
  using canary::Kind;
  const Kind kind = *draft.haproxy == engine::JudgeSource::errors ? Kind::errors : Kind::latency;
  if (!service.value.traffic) {
    in.reader.problem(node.where("haproxy"), "it needs the service's `traffic: { haproxy: … }`");
  } else {
    const traffic::Spec& proxy = service.value.traffic->haproxy;
    told_by.add(proxy.haproxy.socket).add(proxy.haproxy.backend).add(proxy.server);
  }
  if (node.find("kind") != nullptr && draft.metric.kind != kind) {
    in.reader.problem(node.where("kind"), fmt::format("what HAProxy counts is of kind `{}`", to_string(kind)));
  }
  draft.metric.kind = kind;
  return {*draft.haproxy};
}

engine::JudgedFrom judged_from(const Resolution& in, const Named<ServiceDraft>& service, const Node& node,
                               JudgedDraft& draft, Fingerprint& told_by) {
  int sources = draft.haproxy ? 1 : 0;
  engine::JudgedFrom from = draft.haproxy ? from_proxy(in, service, node, draft, told_by) : engine::JudgedFrom{};
  told_by.add(std::uint64_t(from.kind));
  for (const auto* source : {&draft.http, &draft.promql, &draft.exec}) {
    if (!*source) continue;
    ++sources;
    from = from_outside(in, service, node, **source, draft.metric.kind, told_by);
  }
  if (sources > 1) in.reader.problem(node.at, "a metric has one source");
  return from;
}

std::vector<canary::Metric> metrics_of(const Resolution& in, const RolloutDraft& draft, const Node& node) {
  std::vector<canary::Metric> metrics;
  for (const Named<JudgedDraft>& one : draft.judge) {
    canary::Metric metric = one.value.metric;
    metric.name = one.name;
    metric.fail_above = one.value.fail_above.value_or(0) / 100.0;
    metric.promote_below = one.value.promote_below / 100.0;
    metrics.push_back(std::move(metric));
  }
  if (metrics.empty()) return metrics;
  if (draft.stages.empty()) in.reader.problem(node.where("judge"), "a judge needs stages in which it can compare");
  canary::Options options;
  options.stages = static_cast<std::uint32_t>(std::max<std::size_t>(1, draft.stages.size()));
  if (const auto valid = validate(options, metrics); !valid) in.reader.problem(node.where("judge"), valid.error());
  return metrics;
}

template <class M>
auto of_policy(M rollout::Policy::* member) {
  return [member](RolloutDraft& draft) -> auto& { return draft.policy.*member; };
}

}  // namespace

const Table<RolloutDraft>& rollout_table() {
  static const Table<RolloutDraft> table = [] {
    using rollout::AtDeadline;
    using rollout::Policy;
    using rollout::Strategy;
    Table<RolloutDraft> rows("rollout", "How a new version takes over: `homeostat deploy` begins one.");
    rows.add("strategy", of_policy(&Policy::strategy),
             word_type<Strategy>(
                 "canary, blue_green or rolling",
                 {{"canary", Strategy::canary}, {"blue_green", Strategy::blue_green}, {"rolling", Strategy::rolling}}),
             {.text = "`canary`: in stages. `blue_green`: all instances of the new version beside the old ones, then "
                      "only traffic moves; needs `traffic`. `rolling`: one after the other, without stages.",
              .fallback = "canary",
              .example = "rolling"});
    rows.add("surge", of_policy(&Policy::surge), count_type(0, 1000),
             {.text = "So many instances more than are needed run meanwhile; 0: one is replaced at a time.",
              .fallback = "1",
              .example = "2"});
    rows.add("stages", &RolloutDraft::stages, list_type(stage_table().type()),
             {.text = "All of the traffic follows the last one.",
              .otherwise = "none",
              .example = "[{ traffic: 5%, bake: 10m }, { traffic: 50%, bake: 10m, approval: true }]"});
    rows.add("judge", &RolloutDraft::judge, map_type("metric", judged_table().type()),
             {.text = "Metrics by which both versions are compared in every stage.",
              .otherwise = "only checks decide",
              .example = "{ latency: { worse: higher }, failed: { kind: errors } }"});
    rows.add(
        "baseline", &RolloutDraft::baseline,
        word_type<BaselineKind>("fresh or stable", {{"fresh", BaselineKind::fresh}, {"stable", BaselineKind::stable}}),
        {.text = "What the judge compares with. `fresh`: as many more instances of the old version as `surge` are "
                 "started together with the new ones, and each gets as much traffic as one of them; where that "
                 "would leave nothing for the others, it is the running ones. They need places of their own.",
         .fallback = "stable",
         .example = "fresh"});
    rows.add("watch_after", of_policy(&Policy::watch_after), duration_type(Duration{}),
             {.text = "So long after the promotion a failure still brings the old version back.",
              .fallback = "0s",
              .example = "1h"});
    rows.add("deadline", of_policy(&Policy::deadline), duration_type(std::chrono::seconds(1)),
             {.text = "So long after its bake and pause a stage may wait for what is open.",
              .fallback = "1h",
              .example = "30m"});
    rows.add("at_deadline", of_policy(&Policy::at_deadline),
             word_type<AtDeadline>("roll_back, promote or freeze", {{"roll_back", AtDeadline::roll_back},
                                                                    {"promote", AtDeadline::promote},
                                                                    {"freeze", AtDeadline::freeze}}),
             {.text = "What happens then.", .fallback = "roll_back", .example = "freeze"});
    rows.add("step_within", of_policy(&Policy::step_within), duration_type(std::chrono::seconds(1)),
             {.text = "A step that is not done by then is taken back.", .fallback = "15m", .example = "5m"});
    return rows;
  }();
  return table;
}

std::vector<const Section*> rollout_sections() {
  std::vector<const Section*> sections{&rollout_table().section(), &stage_table().section(), &judged_table().section()};
  std::ranges::copy(gate_sections(), std::back_inserter(sections));
  return sections;
}

void resolve_rollout(const Resolution& in, Named<ServiceDraft>& service) {
  if (!service.value.rollout) return;
  RolloutDraft& draft = *service.value.rollout;
  const Node& node = *service.node->find("rollout");
  engine::ServicePlan& plan = service.value.plan;
  if (plan.runtime.identity != 0 && (!plan.runtime.managed || !plan.runtime.releases)) {
    in.reader.problem(node.at, "a rollout needs the process runtime with `releases`: versions run side by side");
  }
  if (draft.policy.surge == 0 && plan.instances < 2 && !draft.stages.empty()) {
    in.reader.problem(node.where("surge"), "without a surge, a single instance cannot serve two versions");
  }
  if (service.value.traffic) draft.policy.routing = rollout::Routing::by_weight;
  std::vector<engine::JudgedFrom> sources;
  Fingerprint told_by;
  for (Named<JudgedDraft>& one : draft.judge) {
    sources.push_back(judged_from(in, service, *node.find("judge")->find(one.name), one.value, told_by));
  }
  std::vector<canary::Metric> metrics = metrics_of(in, draft, node);
  if (draft.baseline == BaselineKind::fresh) {
    draft.policy.baseline = draft.policy.surge;
    if (draft.policy.surge == 0) in.reader.problem(node.where("baseline"), "a fresh baseline is as many as `surge`: 0");
    if (metrics.empty()) in.reader.problem(node.where("baseline"), "without a `judge` nothing is compared");
  }
  std::vector<engine::GatePlan> gates;
  for (std::uint32_t number = 0; number < draft.stages.size(); ++number) {
    StageDraft& one = draft.stages[number];
    one.stage.gates.emplace_back("checks");
    if (!metrics.empty()) one.stage.gates.emplace_back("judge");
    if (one.approval) one.stage.gates.emplace_back("approval");
    resolve_gates(in, node.find("stages")->items[number], number, one, gates);
    draft.policy.stages.push_back(std::move(one.stage));
  }
  if (const auto valid = validate(draft.policy); !valid) in.reader.problem(node.where("stages"), valid.error());
  plan.instances += surge_of(draft.policy, plan.instances) + draft.policy.baseline;
  plan.rollout = std::make_shared<const engine::RolloutPlan>(engine::RolloutPlan{
      std::move(draft.policy), std::move(metrics), std::move(sources), told_by.value(), std::move(gates)});
}

}  // namespace homeostat::config
