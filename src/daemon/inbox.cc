#include "daemon/inbox.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <utility>

namespace homeostat::daemon {

Inbox::~Inbox() {
  if (wake_) loop_.remove(wake_.get(), *this);
}

std::expected<void, Error> Inbox::open() {
  wake_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_) return fail("no event descriptor could be made");
  return loop_.add(wake_.get(), EPOLLIN, *this);
}

bool Inbox::post(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    if (jobs_.size() >= kMost) return false;
    jobs_.push_back(std::move(job));
  }
  return eventfd_write(wake_.get(), 1) == 0;
}

void Inbox::ready(std::uint32_t) {
  eventfd_t count = 0;
  eventfd_read(wake_.get(), &count);
  std::deque<Job> jobs;
  {
    const std::scoped_lock lock(mutex_);
    jobs.swap(jobs_);
  }
  for (Job& job : jobs) job();
}

}  // namespace homeostat::daemon
