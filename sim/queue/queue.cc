#include "sim/queue/queue.hpp"

#include <algorithm>

namespace homeostat::sim {
namespace {

class QueueWorld {
 public:
  QueueWorld(const QueueRule& rule, Duration start_up) : rule_(rule), start_up_(start_up) {
    add(1, now_ - start_up);
    if (!rule.saw_first_start) {
      instances_[0].started.reset();
      instances_[0].ready = Readiness::yes;
    }
  }

  /// Who is ready works first; then it is decided, for the first time after one interval.
  void second(std::int64_t arriving) {
    for (ScalingInstance& instance : instances_) {
      if (instance.ready != Readiness::yes && now_ - *instance.started >= start_up_) {
        instance.ready = Readiness::yes;
        instance.ready_changed = now_;
        instance.first_ready = now_;
      }
    }
    work(arriving);
    const Duration since = now_.time_since_epoch();
    if (since > Duration{} && since % rule_.every == Duration{}) decide();
    outcome_.peak = std::max(outcome_.peak, static_cast<std::int32_t>(instances_.size()));
    outcome_.instance_seconds += static_cast<std::int64_t>(instances_.size());
    now_ += std::chrono::seconds(1);
  }

  const QueueOutcome& outcome() const { return outcome_; }

 private:
  void decide() {
    const std::int64_t totals[] = {backlog_, completed_};
    readings_.clear();
    for (const MetricRule& metric : rule_.policy.metrics) {
      const std::size_t told = metric.kind == MetricKind::drain ? 2 : 1;
      readings_.push_back({MetricFault::none, {}, std::span(totals).first(told)});
    }
    const auto count = static_cast<std::int32_t>(instances_.size());
    homeostat::decide(rule_.policy, history_, {readings_, instances_, {count, count}, {}, {}}, now_, decision_);
    note_scaled(rule_.policy, history_, decision_, now_);
    outcome_.remembered = std::max(outcome_.remembered, history_.recommendations.size() + history_.ups.size() +
                                                            history_.downs.size() + history_.turns.size());
    if (decision_.desired > count) add(decision_.desired - count, now_);
    for (std::int32_t i = decision_.desired; i < count; ++i) remove_one();
  }

  void add(std::int32_t count, Instant started) {
    for (std::int32_t i = 0; i < count; ++i) {
      ScalingInstance instance;
      instance.ready = Readiness::no;
      instance.started = started;
      instance.ready_changed = started;
      instances_.push_back(instance);
    }
  }

  /// The newest that is not ready yet, else the newest.
  void remove_one() {
    const auto starting = std::find_if(instances_.rbegin(), instances_.rend(),
                                       [](const ScalingInstance& one) { return one.ready != Readiness::yes; });
    const auto victim = starting == instances_.rend() ? instances_.rbegin() : starting;
    instances_.erase(std::next(victim).base());
  }

  void work(std::int64_t arriving) {
    const std::int64_t ready = std::count_if(instances_.begin(), instances_.end(),
                                             [](const ScalingInstance& one) { return one.ready == Readiness::yes; });
    const std::int64_t done = std::min(backlog_ + arriving, ready * kItemsASecond);
    const bool waiting = backlog_ > 0;
    backlog_ += arriving - done;
    completed_ += done;
    outcome_.arrived += arriving;
    outcome_.waited += backlog_;
    if (waiting && backlog_ == 0 && outcome_.first_drain < 0)
      outcome_.first_drain = (now_.time_since_epoch() / std::chrono::seconds(1)) + 1;
  }

  const QueueRule& rule_;
  Duration start_up_;
  Instant now_{};
  std::vector<ScalingInstance> instances_;
  std::vector<MetricReading> readings_;
  ScalingHistory history_;
  ScalingDecision decision_;
  std::int64_t backlog_ = 0;
  std::int64_t completed_ = 0;
  QueueOutcome outcome_;
};

}  // namespace

QueueOutcome run_queue(const QueueLoad& load, const QueueRule& rule, Duration start_up) {
  QueueWorld world(rule, start_up);
  for (const std::int64_t arriving : load.arrivals) world.second(arriving);
  return world.outcome();
}

}  // namespace homeostat::sim
