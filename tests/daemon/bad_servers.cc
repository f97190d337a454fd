#include "bad_servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>

namespace homeostat::lab {

BadServer::BadServer(int port, Serve serve)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), serve_(std::move(serve)) {
  const int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 64) != 0) {
    std::abort();
  }
  acceptor_ = std::jthread([this] { accept_all(); });
}

BadServer::~BadServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  threads_.clear();
}

void BadServer::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++asked_;
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd] {
      serve_(fd);
      const std::lock_guard lock(mutex_);
      std::erase(open_, fd);
      ::close(fd);
    });
  }
}

bool read_request(int fd) {
  std::string text;
  char buffer[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return true;
}

bool send_text(int fd, const std::string& text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

void reset(int fd) {
  read_request(fd);
  const linger now{.l_onoff = 1, .l_linger = 0};  // close answers with a reset
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void garbage(int fd) {
  read_request(fd);
  std::string text;
  for (int i = 0; i < 2000; ++i) text += static_cast<char>((i * 7919 + 13) % 251);
  send_text(fd, text);
}

void endless_body(int fd) {
  read_request(fd);
  if (!send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")) return;
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  while (send_text(fd, chunk)) {
  }
}

void one_byte_a_second(int fd) {
  read_request(fd);
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const char c : text) {
    pollfd gone{.fd = fd, .events = POLLRDHUP, .revents = 0};
    if (!send_text(fd, std::string(1, c)) || ::poll(&gone, 1, 1000) != 0) return;
  }
}

void hang(int fd) {
  while (read_request(fd)) {
  }
}

void fine(int fd) {
  while (read_request(fd) && send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) {
  }
}

}  // namespace homeostat::lab
