#include "probe/responder.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace homeostat::probe {
namespace {

constexpr std::size_t kMostGuests = 16;
constexpr std::size_t kLongestRequest = 4096;
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

}  // namespace

class Responder::Guest final : public os::Watcher {
 public:
  Guest(Responder& host, os::Fd fd) : host_(host), fd_(std::move(fd)) {}
  ~Guest() override { host_.loop_.remove(fd_.get(), *this); }
  bool watch() { return host_.loop_.add(fd_.get(), EPOLLIN, *this).has_value(); }

  void ready(std::uint32_t) override {
    std::array<char, 1024> buffer{};
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return host_.leave(*this);
    request_.append(buffer.data(), static_cast<std::size_t>(count));
    const bool complete = request_.find("\r\n\r\n") != std::string::npos;
    if (complete) ::send(fd_.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (complete || request_.size() > kLongestRequest) host_.leave(*this);
  }

 private:
  Responder& host_;
  os::Fd fd_;
  std::string request_;
};

std::expected<std::unique_ptr<Responder>, Error> Responder::open(os::Loop& loop) {
  os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), raw, size) != 0 || ::listen(fd.get(), 64) != 0 ||
      ::getsockname(fd.get(), raw, &size) != 0) {
    return fail(fmt::format("cannot listen on 127.0.0.1 for the self-check: {}", std::strerror(errno)));
  }
  std::unique_ptr<Responder> out(new Responder(loop, std::move(fd), ntohs(address.sin_port)));
  if (auto added = loop.add(out->fd_.get(), EPOLLIN, *out); !added) return std::unexpected(added.error());
  return out;
}

Responder::Responder(os::Loop& loop, os::Fd fd, std::uint16_t port)
    : loop_(loop), fd_(std::move(fd)), spare_(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)), port_(port) {}

Responder::~Responder() {
  guests_.clear();
  loop_.remove(fd_.get(), *this);
}

void Responder::ready(std::uint32_t) {
  os::Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd && (errno == EMFILE || errno == ENFILE)) {
    spare_.reset();
    os::Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
    spare_.reset(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  }
  if (!fd) return;
  if (guests_.size() >= kMostGuests) guests_.pop_front();
  auto guest = std::make_unique<Guest>(*this, std::move(fd));
  if (guest->watch()) guests_.push_back(std::move(guest));
}

void Responder::leave(Guest& guest) {
  const auto found = std::ranges::find(guests_, &guest, &std::unique_ptr<Guest>::get);
  if (found != guests_.end()) guests_.erase(found);
}

}  // namespace homeostat::probe
