#include "probe/file_check.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

namespace homeostat::probe {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMostWaiting = 4096;

struct Look {
  std::uint32_t target = 0;
  std::uint64_t ticket = 0;
  std::shared_ptr<const FileSpec> spec;
  std::int64_t wall_ns = 0;
};

}  // namespace

Finding look_at_file(const FileSpec& spec, std::int64_t wall_ns) {
  const auto began = std::chrono::steady_clock::now();
  struct stat info{};
  const int error = ::stat(spec.path.c_str(), &info) == 0 ? 0 : errno;
  const Duration latency = std::chrono::steady_clock::now() - began;
  if (error == ENOENT || error == ENOTDIR) {
    return {{Result::failure, Reason::not_found, 0, latency}, for_people(spec.path + " does not exist")};
  }
  if (error != 0) {
    return {{Result::unknown, Reason::internal, error, latency},
            for_people(fmt::format("cannot look at {}: {}", spec.path, std::strerror(error)))};
  }
  const std::int64_t changed = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  const Duration age(wall_ns - changed);
  if (spec.newer_than == Duration{} || age <= spec.newer_than) return {{Result::success, Reason::none, 0, latency}, {}};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  const auto code = std::min<std::int64_t>(seconds, std::numeric_limits<std::int32_t>::max());
  return {{Result::failure, Reason::stale, static_cast<std::int32_t>(code), latency},
          for_people(fmt::format("{} was last changed {} s ago", spec.path, seconds))};
}

struct FileLooker::Shared {
  explicit Shared(Done d) : done(std::move(d)) {}

  std::mutex mutex;
  std::condition_variable wake;
  std::mutex reporting;  // held while `done` runs, so that the end can wait for it
  Done done;
  std::deque<Look> waiting;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool stopped = false;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      wake.wait(lock, [this] { return stopped || !waiting.empty(); });
      --idle;
      if (stopped) return;
      const Look look = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      Finding found = look_at_file(*look.spec, look.wall_ns);
      {
        const std::lock_guard report(reporting);
        if (done) done(look.target, look.ticket, std::move(found));
      }
      lock.lock();
    }
  }
};

FileLooker::FileLooker(Done done) : shared_(std::make_shared<Shared>(std::move(done))) {}

FileLooker::~FileLooker() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
  }
  shared_->wake.notify_all();
  const std::lock_guard report(shared_->reporting);
  shared_->done = nullptr;
}

bool FileLooker::start(std::uint32_t target, std::uint64_t ticket, std::shared_ptr<const FileSpec> spec,
                       std::int64_t wall_ns) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->waiting.size() >= kMostWaiting) return false;
  if (shared_->idle <= shared_->waiting.size() && shared_->threads < kThreads) {
    try {
      std::thread([shared = shared_] { shared->work(); }).detach();
      ++shared_->threads;
    } catch (const std::system_error&) {
      if (shared_->threads == 0) return false;
    }
  }
  shared_->waiting.push_back({target, ticket, std::move(spec), wall_ns});
  shared_->wake.notify_one();
  return true;
}

bool FileLooker::waits(std::uint64_t ticket) const {
  const std::lock_guard lock(shared_->mutex);
  return std::ranges::any_of(shared_->waiting, [ticket](const Look& look) { return look.ticket == ticket; });
}

}  // namespace homeostat::probe
