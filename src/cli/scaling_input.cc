#include "cli/scaling_input.hpp"

#include <array>
#include <cmath>

#include "api/exact_json.hpp"
#include "cli/scaling_members.hpp"
#include "cli/scaling_rules.hpp"
#include "homeostat/scaling_check.hpp"

namespace homeostat::cli {
namespace {

constexpr std::size_t kMostInstancesRead = 10'000;
constexpr std::size_t kMostMetricsRead = 100;
constexpr Instant kNow = ScalingQuestion::kNow;

constexpr std::array<std::pair<std::string_view, MetricKind>, 7> kKinds{{{"utilization", MetricKind::utilization},
                                                                         {"average", MetricKind::average},
                                                                         {"total", MetricKind::total},
                                                                         {"total_average", MetricKind::total_average},
                                                                         {"threshold", MetricKind::threshold},
                                                                         {"drain", MetricKind::drain},
                                                                         {"panic", MetricKind::panic}}};
constexpr std::array<std::pair<std::string_view, InstancePhase>, 4> kPhases{{{"pending", InstancePhase::pending},
                                                                             {"running", InstancePhase::running},
                                                                             {"succeeded", InstancePhase::succeeded},
                                                                             {"failed", InstancePhase::failed}}};
constexpr std::array<std::pair<std::string_view, LimitSelect>, 3> kSelects{
    {{"largest", LimitSelect::largest}, {"smallest", LimitSelect::smallest}, {"disabled", LimitSelect::disabled}}};
constexpr std::array<std::pair<std::string_view, MetricFault>, 3> kErrors{
    {{"unread", MetricFault::unread}, {"absent", MetricFault::absent}, {"stale", MetricFault::stale}}};

/// Reads the whole question; the first thing that is wrong stays in `problem`.
class Reader {
 public:
  std::expected<ScalingQuestion, Error> run(const json::value& root) {
    Members members(root, "");
    whole(members, "min", out_.policy.range.min);
    out_.policy.range.max = 100;
    whole(members, "max", out_.policy.range.max);
    policy(members);
    instances(members);
    each(members, "metrics", kMostMetricsRead, [&](const json::value& v, const std::string& at) { metric(v, at); });
    keep(read_scaling_rules(members, out_));
    part(members, "history", [&](Members& inner) { history(inner); });
    control(members);
    keep(members.finish());
    if (const auto valid = validate(out_.policy); !valid) keep(valid.error());
    if (!problem_.empty()) return fail(problem_);
    return std::move(out_);
  }

 private:
  void keep(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
  }

  void part(Members& members, std::string_view key, const std::function<void(Members&)>& read) {
    members.with(key, [&](const json::value& value) {
      Members inner(value, std::string(key));
      read(inner);
      keep(inner.finish());
    });
  }

  void policy(Members& members) {
    ScalingPolicy& policy = out_.policy;
    part(members, "tolerance", [&](Members& inner) {
      share(inner, "up", policy.tolerance.up);
      share(inner, "down", policy.tolerance.down);
    });
    bool plain = false;
    members.flag("plain", plain);
    policy.behavior = !plain;
    part(members, "up", [&](Members& inner) { direction(inner, "up", policy.up); });
    part(members, "down", [&](Members& inner) { direction(inner, "down", policy.down); });
    duration(members, "cpu_start_period", policy.cpu_start_period);
    duration(members, "first_ready_delay", policy.first_ready_delay);
    members.flag("shadow", policy.shadow);
  }

  void direction(Members& members, const std::string& name, DirectionRules& rules) {
    members.word<LimitSelect>("select", rules.select, one_of(kSelects), "largest, smallest, disabled");
    duration(members, "window", rules.window);
    if (members.has("limits")) rules.limits.clear();
    each(members, "limits", 10, [&](const json::value& value, const std::string& at) {
      Members inner(value, name + "." + at);
      RateLimit limit;
      const bool percent = inner.has("percent");
      if (percent == inner.has("instances")) inner.wrong("", "needs either instances or percent");
      limit.unit = percent ? LimitUnit::percent : LimitUnit::instances;
      whole(inner, percent ? "percent" : "instances", limit.value);
      limit.period = std::chrono::seconds(15);
      duration(inner, "per", limit.period);
      keep(inner.finish());
      rules.limits.push_back(limit);
    });
  }

  void instances(Members& members) {
    each(members, "instances", kMostInstancesRead, [&](const json::value& value, const std::string& at) {
      Members inner(value, at);
      ScalingInstance one;
      std::string name = fmt::format("{}", out_.names.size() + 1);
      inner.word<std::string>(
          "id", name, [](std::string_view word) { return std::optional(std::string(word)); }, "texts");
      inner.word<InstancePhase>("phase", one.phase, one_of(kPhases), "pending, running, succeeded, failed");
      bool ready = true;
      inner.flag("ready", ready);
      inner.flag("leaving", one.leaving);
      one.ready = ready ? Readiness::yes : Readiness::no;
      one.started = kNow - std::chrono::hours(24);
      age(inner, "started", one.started);
      std::optional<Instant> changed = one.started;
      age(inner, "ready_changed", changed);
      one.ready_changed = *changed;
      if (ready) one.first_ready = one.ready_changed;
      std::int64_t request = -1;
      thousandths(inner, "request", request);
      if (request >= 0) one.request = request;
      keep(inner.finish());
      out_.names.push_back(std::move(name));
      out_.instances.push_back(one);
    });
    out_.counts.wanted = static_cast<std::int32_t>(out_.instances.size());
    whole(members, "current", out_.counts.wanted);
    out_.counts.running = static_cast<std::int32_t>(out_.instances.size());
    if (!members.has("instances")) several_ready();
  }

  void several_ready() {
    out_.counts.running = out_.counts.wanted;
    const auto count = std::min(static_cast<std::size_t>(out_.counts.wanted), kMostInstancesRead);
    for (std::size_t i = 0; i < count; ++i) {
      out_.names.push_back(fmt::format("{}", i + 1));
      out_.instances.push_back({});
      out_.instances.back().started = kNow - std::chrono::hours(24);
    }
  }

  void metric(const json::value& value, const std::string& at) {
    Members members(value, at);
    MetricRule rule;
    rule.id = fmt::format("metric {}", out_.policy.metrics.size() + 1);
    members.word<std::string>(
        "id", rule.id, [](std::string_view word) { return std::optional(std::string(word)); }, "texts");
    rule.kind = MetricKind::average;
    members.word<MetricKind>("kind", rule.kind, one_of(kKinds),
                             "utilization, average, total, total_average, threshold, drain, panic");
    thousandths(members, "target", rule.target);
    if (rule.kind == MetricKind::utilization) rule.target /= 1000;  // percent
    members.flag("cpu", rule.cpu);
    if (rule.kind == MetricKind::threshold) {
      share(members, "scale_up_threshold", rule.threshold.up);
      share(members, "scale_down_threshold", rule.threshold.down);
      whole(members, "min", rule.threshold.range.min);
      whole(members, "max", rule.threshold.range.max);
      duration(members, "up_cooldown", rule.threshold.up_cooldown);
      duration(members, "down_cooldown", rule.threshold.down_cooldown);
    }
    if (rule.kind == MetricKind::panic) panic(members, rule.panic);
    if (rule.kind == MetricKind::total) members.flag("credit_starting", rule.credit_starting);
    reading(members, rule);
    keep(members.finish());
    out_.policy.metrics.push_back(rule);
  }

  static void panic(Members& members, PanicPolicy& rules) {
    share(members, "panic_threshold", rules.threshold);
    share(members, "up_rate", rules.up_rate);
    share(members, "down_rate", rules.down_rate);
    duration(members, "stable_window", rules.stable_window);
    duration(members, "down_delay", rules.down_delay);
  }

  void reading(Members& members, MetricRule& rule) {
    MetricFault fault = MetricFault::none;
    members.word<MetricFault>("error", fault, one_of(kErrors), "unread, absent, stale");
    out_.samples.emplace_back();
    out_.totals.emplace_back();
    if (rule.kind == MetricKind::drain) {
      queue(members, rule);
    } else {
      out_.history.metrics.push_back({rule.id});  // not its first sight
      members.with("value", [&](const json::value& value) { out_.totals.back().push_back(number(value, fault)); });
      each(members, "values", kMostInstancesRead,
           [&](const json::value& one, const std::string&) { out_.totals.back().push_back(number(one, fault)); });
      members.with("samples", [&](const json::value& value) { samples(members, value, fault); });
    }
    out_.faults.push_back(fault);
  }

  /// What a number is, or why it is none.
  static std::int64_t number(const json::value& value, MetricFault& fault) {
    double number = value.is_number() ? value.to_number<double>() : std::nan("");
    if (value == "inf") number = std::numeric_limits<double>::infinity();
    const auto read = to_thousandths(number);
    if (!read && fault == MetricFault::none) fault = value.is_null() ? MetricFault::absent : read.error();
    return read.value_or(0);
  }

  /// A list in the order of the instances, null where one did not measure; or an object by their names.
  void samples(Members& members, const json::value& value, MetricFault& fault) {
    const auto add = [&](std::uint32_t instance, const json::value& one) {
      if (one.is_null()) return;
      out_.samples.back().push_back({instance, number(one, fault), kNow, std::chrono::seconds(15)});
    };
    if (const json::array* list = value.if_array()) {
      if (list->size() > kMostInstancesRead) return members.wrong("samples", "is too long");
      for (std::size_t i = 0; i < list->size(); ++i) add(static_cast<std::uint32_t>(i), (*list)[i]);
    } else if (const json::object* named = value.if_object()) {
      for (const auto& [name, one] : *named) {
        const auto place = std::find(out_.names.begin(), out_.names.end(), std::string(name));
        add(place == out_.names.end() ? kUnknownInstance : static_cast<std::uint32_t>(place - out_.names.begin()), one);
      }
    } else {
      members.wrong("samples", "is neither a list nor an object");
    }
  }

  /// A queue's rule learns from one decision to the next; here it is told what it would have learned.
  void queue(Members& members, MetricRule& rule) {
    MetricMemory memory{rule.id};
    memory.drain.begun = true;
    memory.drain.at = kNow;
    std::int64_t backlog = 0;
    thousandths(members, "backlog", backlog);
    thousandths(members, "arrivals", memory.drain.arrivals);
    thousandths(members, "capacity", memory.drain.capacity);
    duration(members, "start_time", out_.history.start_time);
    duration(members, "drain_within", rule.drain.drain_within);
    share(members, "spare", rule.drain.spare);
    out_.totals.back() = {backlog, 0};
    out_.history.metrics.push_back(std::move(memory));
  }

  void history(Members& members) {
    out_.history.seeded = true;
    out_.history.decided_at = kNow;
    const auto list = [&](std::string_view key, auto& entries) {
      each(members, key, kMostRemembered, [&](const json::value& value, const std::string& at) {
        Members inner(value, "history." + at);
        std::int32_t instances = 0;
        whole(inner, "instances", instances);
        std::optional<Instant> ago = kNow;
        age(inner, "ago", ago);
        keep(inner.finish());
        entries.push_back({instances, *ago});
      });
    };
    list("recommendations", out_.history.recommendations);
    list("added", out_.history.ups);
    list("removed", out_.history.downs);
    for (const ScaleEvent& event : out_.history.ups) out_.history.up_at = std::max(out_.history.up_at, event.at);
    for (const ScaleEvent& event : out_.history.downs) out_.history.down_at = std::max(out_.history.down_at, event.at);
    keep(read_scaling_memory(members, out_));
  }

  void control(Members& members) {
    members.flag("paused", out_.control.paused);
    members.flag("freeze_up", out_.control.freeze_up);
    members.flag("freeze_down", out_.control.freeze_down);
    members.flag("repairing", out_.control.repairing);
    std::int32_t by_hand = -1;
    whole(members, "by_hand", by_hand);
    if (by_hand >= 0) out_.control.by_hand = by_hand;
    whole(members, "at_least", out_.control.at_least);
  }

  ScalingQuestion out_;
  std::string problem_;
};

}  // namespace

std::expected<ScalingQuestion, Error> read_scaling_json(std::string_view text) {
  boost::system::error_code wrong;
  const json::value root = api::parse_exact(text, wrong);
  if (wrong) return fail("the input is not JSON: " + wrong.message());
  return Reader().run(root);
}

}  // namespace homeostat::cli
