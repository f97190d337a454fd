// The threads a Healer runs callables on: as many as there are calls under way, kept for the next ones.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace homeostat {

class Workers {
 public:
  Workers() = default;
  /// Runs what was accepted and waits for it.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Runs `job` at once, on a thread of its own or an idle one. False: the machine gives us no more threads. `job`
  /// must not throw.
  bool submit(std::function<void()> job);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::size_t idle_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace homeostat
