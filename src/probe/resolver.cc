#include "probe/resolver.hpp"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <memory>

namespace homeostat::probe {
namespace {

std::int64_t resolv_conf_changed() {
  struct stat info{};
  if (::stat("/etc/resolv.conf", &info) != 0) return 0;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::vector<Address> addresses(const ares_addrinfo* found) {
  std::vector<Address> out;
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr && out.size() < 8; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address, node->ai_addr, node->ai_family == AF_INET ? sizeof address.v4 : sizeof address.v6);
    out.push_back(address);
  }
  return out;
}

}  // namespace

Resolver::Resolver(boost::asio::io_context& io) : epoll_(io), timer_(io) {
  static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);
  static_cast<void>(initialised);
}

Resolver::~Resolver() {
  asked_.clear();
  close();
}

bool Resolver::open() {
  const std::int64_t changed = resolv_conf_changed();
  if (channel_ != nullptr && (changed == configured_ || !asked_.empty())) return true;
  close();
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return false;
  epoll_.assign(fd);
  ares_options options{};
  options.timeout = 1000;
  options.tries = 2;
  options.sock_state_cb = &Resolver::on_socket;
  options.sock_state_cb_data = this;
  if (ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
      ARES_SUCCESS) {
    channel_ = nullptr;
    epoll_.close();
    return false;
  }
  configured_ = changed;
  return true;
}

void Resolver::close() {
  if (channel_ != nullptr) ares_destroy(channel_);
  channel_ = nullptr;
  timer_.cancel();
  boost::system::error_code ignored;
  if (epoll_.is_open()) epoll_.close(ignored);
}

void Resolver::resolve(const std::string& name, std::function<void(const Answer&)> done) {
  if (!open()) return done(std::unexpected(std::string("the resolver cannot be started")));
  std::vector<std::function<void(const Answer&)>>& waiting = asked_[name];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto query = std::make_unique<Query>(Query{this, name});
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Resolver::on_answer, query.release());
  arm();
}

void Resolver::on_answer(void* raw, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<Query> query(static_cast<Query*>(raw));
  Answer answer = std::unexpected(query->name + ": " + ares_strerror(status));
  if (status == ARES_SUCCESS && found != nullptr) {
    answer = addresses(found);
    if (answer->empty()) answer = std::unexpected(query->name + ": has no address");
  }
  if (found != nullptr) ares_freeaddrinfo(found);
  query->resolver->answered(query->name, answer);
}

void Resolver::answered(const std::string& name, const Answer& answer) {
  const auto entry = asked_.extract(name);
  if (entry.empty()) return;
  for (const auto& done : entry.mapped()) done(answer);
}

void Resolver::on_socket(void* self, ares_socket_t fd, int readable, int writable) {
  const int epoll = static_cast<Resolver*>(self)->epoll_.native_handle();
  epoll_event event{.events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U), .data = {.fd = fd}};
  if (event.events == 0) {
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
  } else if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  }
}

void Resolver::process() {
  std::array<epoll_event, 16> events{};
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    ares_process_fd(channel_, broken || (event.events & EPOLLIN) != 0 ? event.data.fd : ARES_SOCKET_BAD,
                    (event.events & EPOLLOUT) != 0 ? event.data.fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what is overdue
  arm();
}

void Resolver::arm() {
  if (asked_.empty()) return;
  timeval room{};
  const timeval longest{.tv_sec = 1, .tv_usec = 0};
  timeval limit = longest;
  const timeval* next = ares_timeout(channel_, &limit, &room);
  timer_.expires_after(std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec + 1000));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error && channel_ != nullptr) process();
  });
  if (waiting_) return;
  waiting_ = true;
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    waiting_ = false;
    if (channel_ == nullptr) return;
    if (error) return arm();  // of an older channel
    process();
  });
}

}  // namespace homeostat::probe
