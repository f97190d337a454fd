#include "homeostat/breaker_time.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace homeostat {
namespace {

std::atomic<int> tickers{0};

Instant monotonic() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

struct Ticker::Thread {
  explicit Thread(Duration period) : worker([this, period](const std::stop_token& stop) { run(stop, period); }) {}

  void run(const std::stop_token& stop, Duration period) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      SharedTick::publish(monotonic());
      wake.wait_for(lock, stop, period, [] { return false; });
    }
  }

  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread worker;
};

Ticker::Ticker(Duration period) {
  tickers.fetch_add(1);
  SharedTick::publish(monotonic());
  thread_ = std::make_unique<Thread>(period);
}

Ticker::~Ticker() {
  thread_.reset();
  if (tickers.fetch_sub(1) == 1) SharedTick::stop();
}

}  // namespace homeostat
