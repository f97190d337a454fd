#include "probe/slow_path.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <thread>

#include "probe/resolver.hpp"
#include "probe/slow_run.hpp"
#include "probe/tls.hpp"

namespace homeostat::probe {
namespace {

constexpr std::uint32_t kMostAtOnce = 2048;

}  // namespace

struct SlowPath::Thread {
  explicit Thread(Done& done) : report(done) {}

  void begin(std::uint32_t target, std::uint64_t ticket, std::shared_ptr<const SlowRequest> request, Duration timeout) {
    const auto finish = [this, target, ticket](Finding found) {
      --under_way;
      report(target, ticket, std::move(found));
    };
    boost::asio::co_spawn(io, look(Means{io, resolver, contexts}, std::move(request), timeout),
                          [finish](std::exception_ptr error, Finding found) {
                            if (error)
                              found = {{Result::unknown, Reason::internal, 0, {}},
                                       "an unexpected exception in the slow path"};
                            finish(std::move(found));
                          });
  }

  Done& report;
  std::atomic<std::uint32_t> under_way = 0;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  Resolver resolver{io};
  TlsContexts contexts;
  std::thread thread{[this] { io.run(); }};
};

SlowPath::SlowPath(Done done) : done_(std::move(done)) {}

SlowPath::~SlowPath() {
  if (!thread_) return;
  thread_->io.stop();
  thread_->thread.join();
}

bool SlowPath::start(std::uint32_t target, std::uint64_t ticket, std::shared_ptr<const SlowRequest> request,
                     Duration timeout) {
  if (!thread_) thread_ = std::make_unique<Thread>(done_);
  if (thread_->under_way >= kMostAtOnce) return false;
  ++thread_->under_way;
  const auto asked = std::chrono::steady_clock::now();
  boost::asio::post(thread_->io, [this, target, ticket, request = std::move(request), timeout, asked]() mutable {
    if (std::chrono::steady_clock::now() - asked <= timeout / 2) {
      return thread_->begin(target, ticket, std::move(request), timeout);
    }
    --thread_->under_way;  // the lateness is ours, not the target's
    done_(target, ticket, {{Result::unknown, Reason::internal, 0, {}}, "too busy to look: the slow path is behind"});
  });
  return true;
}

}  // namespace homeostat::probe
