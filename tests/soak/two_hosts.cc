#include "two_hosts.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "lab.hpp"

namespace homeostat::soak {
namespace {

constexpr const char* kNear = "near0";
constexpr const char* kFar = "far0";

bool ip(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{"/usr/bin/env", "ip"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return lab::run_program(argv).code == 0;
}

bool set_address(const char* link, const char* address) {
  return ip({"addr", "add", address, "dev", link}) && ip({"link", "set", link, "up"});
}

os::Fd a_socket() { return os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

os::Fd listen_at(int port) {
  os::Fd fd = a_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  const bool listens =
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd.get(), 64) == 0;
  return listens ? std::move(fd) : os::Fd();
}

/// Answers what has come; false when the connection is over.
bool answer(int fd) {
  static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  char request[4096];  // one small request at a time: it comes in one piece
  const ssize_t got = ::recv(fd, request, sizeof request, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  return ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

}  // namespace

std::unique_ptr<TwoHosts> TwoHosts::make(int servers) {
  auto hosts = std::unique_ptr<TwoHosts>(new TwoHosts());
  if (::unshare(CLONE_NEWNET) != 0) return nullptr;
  const os::Fd far(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  hosts->far_ = a_socket();
  for (int i = 0; i < servers; ++i) hosts->listeners_.push_back(listen_at(kFirstPort + i));

  if (::unshare(CLONE_NEWNET) != 0) return nullptr;
  const os::Fd near(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  hosts->near_ = a_socket();
  const std::string far_path = fmt::format("/proc/{}/fd/{}", ::getpid(), far.get());
  const bool linked = ip({"link", "set", "lo", "up"}) &&
                      ip({"link", "add", kNear, "type", "veth", "peer", "name", kFar, "netns", far_path}) &&
                      set_address(kNear, "10.199.0.1/24");
  if (!linked || ::setns(far.get(), CLONE_NEWNET) != 0) return nullptr;
  const bool reached = set_address(kFar, fmt::format("{}/24", kFarAddress).c_str());
  if (::setns(near.get(), CLONE_NEWNET) != 0 || !reached) return nullptr;
  hosts->server_ = std::jthread([self = hosts.get()](const std::stop_token& stop) { self->serve(stop); });
  return hosts;
}

TwoHosts::~TwoHosts() = default;

bool TwoHosts::set_link(Cut how, bool up) const {
  const int fd = how == Cut::own_link ? near_.get() : far_.get();
  ifreq request{};
  std::strncpy(request.ifr_name, how == Cut::own_link ? kNear : kFar, IFNAMSIZ - 1);
  if (::ioctl(fd, SIOCGIFFLAGS, &request) != 0) return false;
  const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
  request.ifr_flags = static_cast<short>(flags);
  return ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

void TwoHosts::serve(const std::stop_token& stop) const {
  std::vector<os::Fd> open;
  while (!stop.stop_requested()) {
    std::vector<pollfd> watched;
    for (const os::Fd& fd : listeners_) watched.push_back({fd.get(), POLLIN, 0});
    for (const os::Fd& fd : open) watched.push_back({fd.get(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), 100) <= 0) continue;
    for (std::size_t i = open.size(); i > 0; --i) {
      if (watched[listeners_.size() + i - 1].revents != 0 && !answer(open[i - 1].get())) {
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i) - 1);
      }
    }
    for (const os::Fd& listener : listeners_) {
      os::Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (fd) open.push_back(std::move(fd));
    }
  }
}

}  // namespace homeostat::soak
