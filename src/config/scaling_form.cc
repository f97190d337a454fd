// What is made of a metric: the kinds, and the settings of each.
#include <fmt/format.h>

#include <array>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

/// The keys that mean something for one kind only.
struct Belongs {
  std::string_view key;
  MetricKind kind;
};
constexpr std::array<Belongs, 14> kBelongs{{{"scale_up_threshold", MetricKind::threshold},
                                            {"scale_down_threshold", MetricKind::threshold},
                                            {"min", MetricKind::threshold},
                                            {"max", MetricKind::threshold},
                                            {"up_cooldown", MetricKind::threshold},
                                            {"down_cooldown", MetricKind::threshold},
                                            {"credit_starting", MetricKind::total},
                                            {"drain_within", MetricKind::drain},
                                            {"spare", MetricKind::drain},
                                            {"panic_threshold", MetricKind::panic},
                                            {"up_rate", MetricKind::panic},
                                            {"down_rate", MetricKind::panic},
                                            {"stable_window", MetricKind::panic},
                                            {"down_delay", MetricKind::panic}}};

Type<Duration> span() { return duration_type(Duration{}); }

void add_threshold(Table<MetricForm>& rows) {
  const auto of = [](auto member) { return [member](MetricForm& form) -> auto& { return form.threshold.*member; }; };
  rows.add(
      "scale_up_threshold", of(&ThresholdForm::up), ratio_type(),
      {.text = "`threshold`: more instances when measured / target is above it.", .fallback = "1.1", .example = "1.2"});
  rows.add("scale_down_threshold", of(&ThresholdForm::down), ratio_type(),
           {.text = "`threshold`: fewer when it is below.", .fallback = "0.7", .example = "0.5"});
  const auto count = converted<std::int32_t>(count_type(0, 10'000));
  rows.add("min", [](MetricForm& form) -> auto& { return form.threshold.range.min; }, count,
           {.text = "`threshold`: this metric never asks for fewer.", .fallback = "0", .example = "2"});
  rows.add("max", [](MetricForm& form) -> auto& { return form.threshold.range.max; }, count,
           {.text = "`threshold`: this metric never asks for more.", .otherwise = "any number", .example = "8"});
  rows.add("up_cooldown", of(&ThresholdForm::up_cooldown), span(),
           {.text = "`threshold`: so long after more were added, no more.", .fallback = "0s", .example = "30s"});
  rows.add("down_cooldown", of(&ThresholdForm::down_cooldown), span(),
           {.text = "`threshold`: so long after some were taken away, no fewer.", .fallback = "0s", .example = "2m"});
}

void add_drain(Table<MetricForm>& rows) {
  rows.add("drain_within", [](MetricForm& form) -> auto& { return form.drain.drain_within; },
           duration_type(std::chrono::seconds(1)),
           {.text = "`drain`: what waits when added instances begin to serve is to be gone within this time.",
            .fallback = "60s",
            .example = "2m"});
  rows.add("spare", [](MetricForm& form) -> auto& { return form.drain.spare; }, ratio_type(),
           {.text = "`drain`: so much more than the arrivals need.", .fallback = "0%", .example = "20%"});
}

void add_panic(Table<MetricForm>& rows) {
  const auto of = [](auto member) { return [member](MetricForm& form) -> auto& { return form.panic.*member; }; };
  rows.add("panic_threshold", of(&PanicPolicy::threshold), ratio_type(),
           {.text = "`panic`: the short window takes over when it asks for so many times what is ready.",
            .fallback = "2",
            .example = "1.5"});
  rows.add("up_rate", of(&PanicPolicy::up_rate), ratio_type(),
           {.text = "`panic`: at most so many times what is ready, at once.", .fallback = "1000", .example = "10"});
  rows.add("down_rate", of(&PanicPolicy::down_rate), ratio_type(),
           {.text = "`panic`: not below what is ready divided by this, at once.", .fallback = "2", .example = "1.5"});
  rows.add("stable_window", of(&PanicPolicy::stable_window), duration_type(std::chrono::seconds(6)),
           {.text = "`panic`: the long window; the short one is a tenth of it.", .fallback = "60s", .example = "2m"});
  rows.add("down_delay", of(&PanicPolicy::down_delay), span(),
           {.text = "`panic`: fewer only when no more were asked for within this time.",
            .fallback = "0s",
            .example = "30s"});
}

}  // namespace

const Table<MetricForm>& metric_form_table() {
  static const Table<MetricForm> table = [] {
    Table<MetricForm> rows("scaling.metric.form", "How a number of instances follows from a metric.");
    rows.add("kind", &MetricForm::kind,
             word_type<MetricKind>("average, total, total_average, threshold, drain or panic",
                                   {{"average", MetricKind::average},
                                    {"total", MetricKind::total},
                                    {"total_average", MetricKind::total_average},
                                    {"threshold", MetricKind::threshold},
                                    {"drain", MetricKind::drain},
                                    {"panic", MetricKind::panic}}),
             {.text = "`average`: of each instance; `total`: one number of the service; `total_average`: one number, "
                      "shared by the instances; `threshold`: a dead band around the target; `drain`: a queue, capacity "
                      "learned; `panic`: two windows, as Knative.",
              .otherwise = "`average` where instances tell it, `total_average` where it is one number",
              .example = "threshold"});
    rows.add("target", &MetricForm::target, decimal_type(),
             {.text = "What it should be. `cpu` and `memory` say it themselves, `drain` needs none.",
              .otherwise = "none",
              .example = "8"});
    add_threshold(rows);
    rows.add("credit_starting", &MetricForm::credit_starting, bool_type(),
             {.text = "`total`: while it asks for more, instances that are starting are not taken away.",
              .fallback = "false",
              .example = "true"});
    add_drain(rows);
    add_panic(rows);
    return rows;
  }();
  return table;
}

void check_form(const Resolution& in, const Named<Placed<MetricDraft>>& metric) {
  const Node& node = *metric.value.node;
  const MetricDraft& draft = metric.value.value;
  const MetricRule rule = metric_rule(metric);
  for (const auto& [key, kind] : kBelongs) {
    if (node.find(key) == nullptr || kind == rule.kind) continue;
    in.reader.problem(node.where(key), fmt::format("`{}` means nothing for a metric of kind `{}`, only for `{}`", key,
                                                   to_string(rule.kind), to_string(kind)));
  }
  const bool shared = rule.kind != MetricKind::average && rule.kind != MetricKind::threshold;
  if (by_instance(draft) && shared) {
    in.reader.problem(node.where("kind"),
                      fmt::format("`{}` needs one number of the service; this one is measured of each instance",
                                  to_string(rule.kind)));
  }
  if (!by_instance(draft) && rule.kind == MetricKind::average) {
    in.reader.problem(node.where("kind"), "`average` needs a number of each instance; this one is of the service");
  }
  const bool own_target = draft.cpu || draft.memory;
  if (node.find("target") != nullptr && (own_target || rule.kind == MetricKind::drain)) {
    in.reader.problem(node.where("target"), own_target ? "`cpu` and `memory` say themselves what they should be"
                                                       : "`drain` needs no target: it learns what an instance does");
  }
  if (rule.kind != MetricKind::drain && rule.target <= 0) {
    in.reader.problem(node.where("target"), "a `target` above 0 is needed");
  }
  if (rule.kind == MetricKind::threshold && rule.threshold.up <= rule.threshold.down) {
    in.reader.problem(node.where("scale_down_threshold"),
                      fmt::format("scale_down_threshold {} is not below scale_up_threshold {}",
                                  static_cast<double>(rule.threshold.down) / kMillion,
                                  static_cast<double>(rule.threshold.up) / kMillion));
  }
}

}  // namespace homeostat::config
