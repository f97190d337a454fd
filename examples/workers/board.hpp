// The jobs of the example: those that wait, those in somebody's hands, and how long the finished ones took.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace workers {

using Clock = std::chrono::steady_clock;

class Board {
 public:
  void add(Clock::time_point now) { waiting_.push_back({++added_, now}); }

  /// The oldest job, for `worker`. Nothing when none waits.
  bool take(std::uint64_t worker) {
    if (waiting_.empty()) return false;
    in_hand_[worker] = waiting_.front();
    waiting_.pop_front();
    return true;
  }

  /// What `worker` had in hand is done.
  void finish(std::uint64_t worker, Clock::time_point now) {
    const auto job = in_hand_.find(worker);
    if (job == in_hand_.end()) return;
    took_.push_back(now - job->second.since);
    in_hand_.erase(job);
    ++done_;
  }

  /// `worker` is gone: what it had in hand waits again, before all others.
  void put_back(std::uint64_t worker) {
    const auto job = in_hand_.find(worker);
    if (job == in_hand_.end()) return;
    waiting_.push_front(job->second);
    in_hand_.erase(job);
    ++returned_;
  }

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t in_hand() const { return in_hand_.size(); }
  std::uint64_t added() const { return added_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t returned() const { return returned_; }

  /// How long the jobs took, from coming in to being done, that were finished since it was last asked.
  std::vector<Clock::duration> take_times() { return std::exchange(took_, {}); }

 private:
  struct Job {
    std::uint64_t id = 0;
    Clock::time_point since;
  };

  std::deque<Job> waiting_;
  std::map<std::uint64_t, Job> in_hand_;  // by worker
  std::vector<Clock::duration> took_;
  std::uint64_t added_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t returned_ = 0;
};

}  // namespace workers
