#include "homeostat/random.hpp"
#include "sim/queue/queue.hpp"

namespace homeostat::sim {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kItem = 1000;
constexpr std::int32_t kMax = 1000;

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

QueueLoad step() {
  QueueLoad load{"step: 100/s, then 10/s", {}};
  for (std::int64_t t = 0; t < kHour; ++t) load.arrivals.push_back((t < 600 ? 100 : 10) * kItem);
  return load;
}

/// Up and down between 10 and 150 a second in a quarter of an hour, each second a fifth off.
QueueLoad wave() {
  QueueLoad load{"wave: 10 to 150/s", {}};
  Random random(1);
  for (std::int64_t t = 0; t < kHour; ++t) {
    const std::int64_t phase = t % 900;
    const std::int64_t level = 10 * kItem + 140 * kItem * (phase < 450 ? phase : 900 - phase) / 450;
    load.arrivals.push_back(level * between(random, 800, 1200) / 1000);
  }
  return load;
}

/// 20 a second, and now and then five to ten times as many for a minute or two.
QueueLoad bursts() {
  QueueLoad load{"bursts: 20/s, at times 100 to 200/s", {}};
  Random random(2);
  std::int64_t until = 0;
  std::int64_t level = 20 * kItem;
  for (std::int64_t t = 0; t < kHour; ++t) {
    if (t >= until) {
      const bool quiet = level != 20 * kItem;
      level = quiet ? 20 * kItem : between(random, 100, 200) * kItem;
      until = t + (quiet ? between(random, 200, 500) : between(random, 40, 120));
    }
    load.arrivals.push_back(t < 120 ? 20 * kItem : level);
  }
  return load;
}

/// Another level every five minutes.
QueueLoad stairs() {
  QueueLoad load{"stairs: 10 to 200/s", {}};
  Random random(3);
  std::int64_t level = 0;
  for (std::int64_t t = 0; t < kHour; ++t) {
    if (t % 300 == 0) level = between(random, 10, 200) * kItem;
    load.arrivals.push_back(level);
  }
  return load;
}

/// 60 a second on average, each second between nothing and twice that.
QueueLoad noise() {
  QueueLoad load{"noise: 0 to 120/s", {}};
  Random random(4);
  for (std::int64_t t = 0; t < kHour; ++t) load.arrivals.push_back(between(random, 0, 120) * kItem);
  return load;
}

QueueRule rule(std::string name, MetricKind kind) {
  QueueRule out{std::move(name), {}};
  out.policy.range = {1, kMax};
  MetricRule metric{"queue", kind, 10 * kItem};
  metric.external = true;
  out.policy.metrics.push_back(metric);
  return out;
}

}  // namespace

std::vector<QueueLoad> queue_loads() { return {step(), wave(), bursts(), stairs(), noise()}; }

QueueRule hpa_value() { return rule("HPA, value", MetricKind::total); }
QueueRule hpa_average() { return rule("HPA, average value", MetricKind::total_average); }

QueueRule drain_rule() {
  QueueRule out = rule("drain rule", MetricKind::drain);
  out.every = std::chrono::seconds(3);
  out.policy.up.limits = {{LimitUnit::instances, kMax, std::chrono::seconds(15)}};
  // What took two minutes to start is kept a little longer: the next burst may come soon.
  out.policy.down.window = std::chrono::minutes(7);
  return out;
}

}  // namespace homeostat::sim
