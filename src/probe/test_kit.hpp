// For the tests of this room: a loop with a prober on it, and servers that behave as badly as a test wants.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/fd.hpp"
#include "os/loop.hpp"
#include "probe/prober.hpp"

namespace homeostat::probe {

inline Instant steady_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

/// Listens on an ephemeral loopback port and gives every connection to `serve`, each on a thread of its own.
class RawServer {
 public:
  using Serve = std::function<void(int fd, int number)>;

  explicit RawServer(Serve serve, int backlog = 1024) : serve_(std::move(serve)) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), raw, size) != 0 || ::listen(fd_.get(), backlog) != 0) throw std::runtime_error("listen");
    ::getsockname(fd_.get(), raw, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
    for (const os::Fd& fd : open_) ::shutdown(fd.get(), SHUT_RDWR);
    for (std::thread& guest : guests_) guest.join();
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      os::Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      const int number = connections_++;
      const int raw = fd.get();
      open_.push_back(std::move(fd));
      if (serve_) guests_.emplace_back([this, raw, number] { serve_(raw, number); });
    }
  }

  Serve serve_;
  os::Fd fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::vector<os::Fd> open_;
  std::vector<std::thread> guests_;
  std::thread thread_;
};

/// Reads one request; false when the peer has gone.
inline bool read_request(int fd) {
  std::string got;
  char buffer[1024];
  while (got.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    got.append(buffer, static_cast<std::size_t>(count));
  }
  return true;
}

inline bool say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Ends the connection: with a reset, or in peace.
inline void hang_up(int fd, bool reset) {
  if (reset) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    // The descriptor belongs to the server; disconnecting it sends the reset.
    sockaddr unspecified{};
    unspecified.sa_family = AF_UNSPEC;
    ::connect(fd, &unspecified, sizeof unspecified);
  } else {
    ::shutdown(fd, SHUT_RDWR);
  }
}

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/// Answers every request of a connection with `answer`.
inline RawServer::Serve always(std::string answer) {
  return [answer = std::move(answer)](int fd, int) {
    while (read_request(fd) && say(fd, answer)) {
    }
  };
}

/// A prober with a loop, and the last result of each target.
struct World {
  struct Seen {
    std::uint32_t run = 0;
    int count = 0;
    Observation seen;
    std::string detail;
  };

  World() : loop(std::move(*os::Loop::open())) {
    Prober::Hooks hooks;
    hooks.now = steady_now;
    hooks.wall_ns = [this] { return wall_ns; };
    hooks.known = [this](std::uint32_t target) {
      const bool there = target == running_process;
      return Finding{there ? Observation{Result::success} : Observation{Result::failure, Reason::exited, -1, {}}, {}};
    };
    hooks.done = [this](std::uint32_t target, std::uint32_t run, const Observation& seen, std::string_view detail) {
      Seen& last = results[target];
      last = {run, last.count + 1, seen, std::string(detail)};
    };
    prober = std::move(*Prober::open(loop, std::move(hooks)));
  }

  /// Turns the loop until `ready`; false after 20 s.
  bool until(const std::function<bool()>& ready) {
    const Instant end = steady_now() + std::chrono::seconds(20);
    while (!ready()) {
      const Instant now = steady_now();
      if (now > end) return false;
      const Instant next = std::min(prober->next_deadline().value_or(end), now + std::chrono::milliseconds(50));
      loop.run_once(std::max(Duration{}, next - now));
      prober->advance(steady_now());
    }
    return true;
  }

  /// One run of one target from beginning to end.
  Seen look(std::uint32_t target, Duration timeout = std::chrono::seconds(5)) {
    const int before = results[target].count;
    prober->start(target, ++runs, timeout, steady_now());
    if (!until([&] { return results[target].count > before; })) throw std::runtime_error("no result within 20 s");
    return results[target];
  }
  Seen look(const Spec& spec, const Place& place = {}, Duration timeout = std::chrono::seconds(5)) {
    prober->prepare(0, spec, place);
    return look(0, timeout);
  }

  os::Loop loop;
  std::int64_t wall_ns = 0;
  std::uint32_t running_process = 0xffffffffU;
  std::uint32_t runs = 0;
  std::map<std::uint32_t, Seen> results;
  std::unique_ptr<Prober> prober;
};

inline HttpSpec http_to(std::uint16_t port, std::string path = "/") {
  HttpSpec spec;
  spec.host = "127.0.0.1";
  spec.port = std::to_string(port);
  spec.path = std::move(path);
  return spec;
}

inline TcpSpec tcp_to(std::uint16_t port, std::string send = "", std::string expect = "") {
  return {.host = "127.0.0.1", .port = std::to_string(port), .send = std::move(send), .expect = std::move(expect)};
}

/// A port on which nobody listens, held so that nobody else can.
class DeadPort {
 public:
  DeadPort() {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }

 private:
  os::Fd fd_;
  std::uint16_t port_ = 0;
};

}  // namespace homeostat::probe
