// Workers that take jobs from a queue: how many should there be? The autoscaler is asked every ten seconds.
#include <algorithm>
#include <array>
#include <cstdio>
#include <homeostat/scaling.hpp>

using namespace std::chrono_literals;
using namespace homeostat;

int main() {
  ScalingPolicy policy;
  policy.range = {1, 40};
  policy.metrics = {{"jobs", MetricKind::drain}};

  ScalingHistory memory;  // a plain value: keep it wherever the service keeps its state
  ScalingDecision decision;
  std::vector<ScalingInstance> workers(1);
  std::int64_t waiting = 0;
  std::int64_t done = 0;

  for (Instant now{}; now <= Instant(120s); now += 10s) {
    const std::array<std::int64_t, 2> jobs{waiting * 1000, done * 1000};  // thousandths
    const std::array readings{MetricReading{MetricFault::none, {}, jobs}};
    const auto count = static_cast<std::int32_t>(workers.size());
    decide(policy, memory, {readings, workers, {count, count}, {}, {}}, now, decision);
    if (decision.changes() || now == Instant(120s))
      std::printf("%3lld s, %4lld waiting: %s\n", static_cast<long long>(now.time_since_epoch() / 1s),
                  static_cast<long long>(waiting), explain(policy, decision).c_str());
    note_scaled(policy, memory, decision, now);
    for (std::int32_t i = count; i < decision.desired; ++i) workers.push_back({.ready = Readiness::no, .started = now});
    workers.resize(static_cast<std::size_t>(decision.desired));

    // The world: 100 jobs a second come in, a worker does 10 a second and takes 20 s to start.
    std::int64_t serving = 0;
    for (ScalingInstance& worker : workers) {
      if (worker.ready == Readiness::no && now >= *worker.started + 20s) {
        worker.ready = Readiness::yes;
        worker.ready_changed = now;
        worker.first_ready = now;
      }
      serving += worker.ready == Readiness::yes ? 1 : 0;
    }
    const std::int64_t worked = std::min(waiting + 1000, serving * 100);
    waiting += 1000 - worked;
    done += worked;
  }
  return 0;
}
