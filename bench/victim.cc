// The service that is broken and repaired: needs 3 ms to start, then answers every request over HTTP with its pid and
// the nonce of its start. `GET /break` makes it answer 500 from then on.
//
//   bench_victim PORT [PIDFILE]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

constexpr useconds_t kStartMicros = 3'000;

int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 64) != 0) return -1;
  return fd;
}

bool write_pid(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const std::string text = std::to_string(::getpid()) + "\n";
  const bool done = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) ::close(fd);
  return done;
}

std::string answer(bool broken, const std::string& nonce) {
  const std::string body = std::to_string(::getpid()) + " " + nonce + "\n";
  return std::string(broken ? "HTTP/1.1 500 Broken" : "HTTP/1.1 200 OK") +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

[[noreturn]] void serve(int listener, const std::string& nonce) {
  bool broken = false;
  while (true) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char request[4096];
    const ssize_t count = ::recv(client, request, sizeof request, 0);
    if (count > 0) {
      const std::string_view text(request, static_cast<std::size_t>(count));
      broken = broken || text.starts_with("GET /break ");
      const std::string out = answer(broken, nonce);
      ::send(client, out.data(), out.size(), MSG_NOSIGNAL);
    }
    ::close(client);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  if (port < 1 || port > 65535) {
    std::fputs("usage: bench_victim PORT [PIDFILE]\n", stderr);
    return 2;
  }
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::string nonce = std::to_string(now.tv_sec) + "." + std::to_string(now.tv_nsec);
  ::usleep(kStartMicros);
  const int listener = listen_on(static_cast<std::uint16_t>(port));
  if (listener < 0 || (argc > 2 && !write_pid(argv[2]))) {
    std::perror("bench_victim");
    return 1;
  }
  serve(listener, nonce);
}
