// The autoscaler's part of a configuration as read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/metric_source.hpp"
#include "config/types.hpp"
#include "homeostat/scaling_policy.hpp"

namespace homeostat::config {

template <class T>
struct Placed {
  const Node* node = nullptr;
  T value{};
};

/// How a metric is turned into a number of instances.
struct MetricForm {
  MetricKind kind = MetricKind::utilization;  // that is: by what its source tells
  std::int64_t target = 0;                    // thousandths; 0: the source says it, or the kind needs none
  ThresholdForm threshold;
  DrainPolicy drain;
  PanicPolicy panic;
  bool credit_starting = false;
};

struct MetricDraft {
  std::optional<std::uint32_t> cpu;  // percent of one processor
  std::optional<std::uint64_t> memory;
  std::optional<SourceDraft> source;  // what lies outside
  MetricForm form;
};

struct ActivationDraft {
  std::string metric;
  std::int64_t above = 0;
  Duration idle_for = std::chrono::minutes(5);
};

struct ScalingDraft {
  Duration every = std::chrono::seconds(15);
  std::vector<Named<Placed<MetricDraft>>> metrics;
  std::optional<ActivationDraft> activation;
  std::vector<Placed<ScalingSchedule>> schedules;
  ScalingPolicy policy;  // what needs no looking up is read straight into it
};

Type<CronTime> cron_type();     // scaling_rules.cc
Type<std::string> zone_type();  // scaling_rules.cc

struct Resolution;

/// Whether instances tell it, each for itself; otherwise it is one number of the service.
bool by_instance(const MetricDraft& metric);                                        // scaling_metric.cc
MetricRule metric_rule(const Named<Placed<MetricDraft>>& metric);                   // scaling_metric.cc
void check_metric(const Resolution& in, const Named<Placed<MetricDraft>>& metric);  // scaling_metric.cc
void check_form(const Resolution& in, const Named<Placed<MetricDraft>>& metric);    // scaling_form.cc

}  // namespace homeostat::config
