#include "daemon/signals.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <csignal>
#include <utility>

namespace homeostat::daemon {
namespace {

sigset_t ours() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void Signals::block() {
  const sigset_t set = ours();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  if (fd_) loop_.remove(fd_.get(), *this);
}

std::expected<void, Error> Signals::open() {
  const sigset_t set = ours();
  fd_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) return fail("signals cannot be received");
  return loop_.add(fd_.get(), EPOLLIN, *this);
}

void Signals::ready(std::uint32_t) {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP)
      reload_ = true;
    else
      end_ = true;
  }
}

bool Signals::take_reload() { return std::exchange(reload_, false); }

}  // namespace homeostat::daemon
