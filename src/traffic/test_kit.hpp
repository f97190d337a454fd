// For the tests of this room and the benchmark: a real HAProxy before servers that say their names, and clients that
// keep their connections and count what goes wrong.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/fd.hpp"
#include "os/loop.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::traffic::testing {

inline Instant steady_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline std::uint16_t free_port() {
  const os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), raw, size) != 0) throw std::runtime_error("no free port");
  ::getsockname(fd.get(), raw, &size);
  return ntohs(address.sin_port);
}

/// HAProxy with one backend `pool` and a frontend.
class RealHaproxy {
 public:
  /// Of the servers s1 … sN, each of which answers with its name.
  explicit RealHaproxy(int servers) : RealHaproxy(numbered(servers)) {}
  /// Of servers with these names, which they answer with.
  explicit RealHaproxy(const std::vector<std::string>& names) {
    make_folder();
    std::string pool;
    std::string behind;
    for (const std::string& name : names) {
      const std::string port = std::to_string(free_port());
      pool += "  server " + name + " 127.0.0.1:" + port + " weight 256\n";
      behind += "frontend " + name + "\n  bind 127.0.0.1:" + port +
                "\n  http-request return status 200 content-type text/plain string " + name + "\n";
    }
    write_config(pool, behind);
    start();
  }
  /// Of the servers m<port>, which are somebody else's.
  explicit RealHaproxy(const std::vector<int>& ports) {
    make_folder();
    std::string pool = "  option httpchk GET /healthz\n  default-server check inter 100ms fall 1 rise 1\n";
    for (const int port : ports) {
      pool += "  server m" + std::to_string(port) + " 127.0.0.1:" + std::to_string(port) + " weight 256\n";
    }
    write_config(pool, "");
    start();
  }
  ~RealHaproxy() {
    stop();
    std::filesystem::remove_all(dir_);
  }
  RealHaproxy(const RealHaproxy&) = delete;
  RealHaproxy& operator=(const RealHaproxy&) = delete;

  /// Begins anew with another text in its file.
  void rewrite(const std::string& text, const std::string& with) {
    stop();
    std::ifstream in(dir_ / "haproxy.cfg");
    std::string all{std::istreambuf_iterator<char>(in), {}};
    all.replace(all.find(text), text.size(), with);
    std::ofstream(dir_ / "haproxy.cfg") << all;
    start();
  }

  void start() {
    std::string config = (dir_ / "haproxy.cfg").string();
    char* const argv[] = {const_cast<char*>("haproxy"), const_cast<char*>("-db"), const_cast<char*>("-f"),
                          config.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, (dir_ / "log").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    if (::posix_spawnp(&pid_, "haproxy", &actions, nullptr, argv, environ) != 0) throw std::runtime_error("no haproxy");
    posix_spawn_file_actions_destroy(&actions);
    for (int tries = 0; tries < 500; ++tries, std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
      const os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in address = loopback(port_);
      // The socket for people gets its name last.
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
          std::filesystem::exists(dir_ / "api"))
        return;
    }
    throw std::runtime_error("haproxy does not start");
  }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void signal(int number) const { ::kill(pid_, number); }

  std::uint16_t port() const { return port_; }
  HaproxyPlace place() const { return {(dir_ / "api").string(), "pool"}; }

 private:
  static std::vector<std::string> numbered(int servers) {
    std::vector<std::string> names;
    for (int i = 1; i <= servers; ++i) names.push_back("s" + std::to_string(i));
    return names;
  }
  void make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "homeostat-haproxy.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    dir_ = pattern;
  }
  void write_config(const std::string& pool, const std::string& behind) const {
    std::ofstream out(dir_ / "haproxy.cfg");
    out << "global\n  stats socket " << (dir_ / "api").string() << " mode 600 level admin\n  nbthread 1\n"
        << "defaults\n  mode http\n  timeout connect 2s\n  timeout client 20s\n  timeout server 20s\n  timeout check "
           "3s\n"
        << "frontend in\n  bind 127.0.0.1:" << port_ << "\n  default_backend pool\n"
        << "backend pool\n  balance roundrobin\n"
        << pool << behind;
  }

  std::uint16_t port_ = free_port();
  std::filesystem::path dir_;
  pid_t pid_ = -1;
};

/// The weights of s1 to s3, which are stable, and of s4, the canary.
inline std::map<std::string, int> spread(const std::vector<Weighted>& weights) {
  std::map<std::string, int> out;
  for (std::uint32_t i = 0; i < 3; ++i)
    out["s" + std::to_string(i + 1)] = i < weights[0].servers ? weights[0].weight : 0;
  out["s4"] = weights[1].weight;
  return out;
}

/// A Haproxy on a loop of its own; each call waits for its end.
class Desk {
 public:
  explicit Desk(HaproxyPlace place, Duration timeout = std::chrono::seconds(2))
      : loop_(std::move(*os::Loop::open())), haproxy_(loop_, std::move(place), steady_now, timeout) {}

  std::expected<std::vector<ServerStat>, Error> look() {
    return wait<std::vector<ServerStat>>([&](auto done) { haproxy_.look(std::move(done)); });
  }
  std::expected<std::vector<ServerSetting>, Error> settings() {
    return wait<std::vector<ServerSetting>>([&](auto done) { haproxy_.read_back(std::move(done)); });
  }
  std::expected<void, Error> weights(std::map<std::string, int> weights) {
    return wait<void>([&](auto done) { haproxy_.set_weights(std::move(weights), std::move(done)); });
  }
  std::expected<void, Error> drain(const std::string& server, bool drain) {
    return wait<void>([&](auto done) { haproxy_.set_drain(server, drain, std::move(done)); });
  }
  /// How it is set; nothing: HAProxy does not say.
  std::optional<ServerSetting> setting(const std::string& server) {
    const auto all = settings();
    if (!all) return std::nullopt;
    const auto found = std::ranges::find(*all, server, &ServerSetting::server);
    return found == all->end() ? std::nullopt : std::optional(*found);
  }

 private:
  template <class T, class Call>
  std::expected<T, Error> wait(Call&& call) {
    std::optional<std::expected<T, Error>> result;
    call([&result](std::expected<T, Error> got) { result = std::move(got); });
    while (!result) {
      loop_.run_once(std::chrono::milliseconds(20));
      haproxy_.advance(steady_now());
    }
    return std::move(*result);
  }

  os::Loop loop_;
  Haproxy haproxy_;
};

/// Asks again and again over one connection, and knows who answered.
class Client {
 public:
  explicit Client(std::uint16_t port) : port_(port) {}

  /// The name of the server that answered; empty: the request failed.
  std::string ask() {
    if (!fd_ && !connect()) return {};
    constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    if (::send(fd_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kRequest.size())) {
      return lost();
    }
    std::string answer;
    char buffer[1024];
    while (true) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return lost();
      answer.append(buffer, static_cast<std::size_t>(got));
      const std::size_t body = answer.find("\r\n\r\n");
      if (body == std::string::npos || answer.size() < body + 4 + length_of(answer.substr(0, body))) continue;
      return answer.starts_with("HTTP/1.1 200") ? answer.substr(body + 4) : std::string();
    }
  }

 private:
  bool connect() {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port_);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    fd_.reset();
    return false;
  }
  static std::size_t length_of(std::string head) {
    for (char& c : head) c = static_cast<char>(std::tolower(c));
    const std::size_t at = head.find("content-length: ");
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
  }
  std::string lost() {
    fd_.reset();
    return {};
  }

  std::uint16_t port_;
  os::Fd fd_;
};

/// What a person types: one command on a connection of its own, and its answer.
inline std::string say_to(const RealHaproxy& haproxy, const std::string& command) {
  const os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  haproxy.place().socket.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string answer;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return answer;
  const std::string line = command + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  return answer;
}

/// A request that is under way until it is destroyed: its server waits for the rest of it.
class HalfRequest {
 public:
  explicit HalfRequest(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    constexpr std::string_view kHalf = "POST / HTTP/1.1\r\nHost: pool\r\nContent-Length: 10\r\n\r\nhalf";
    (void)::send(fd_.get(), kHalf.data(), kHalf.size(), MSG_NOSIGNAL);
  }

 private:
  os::Fd fd_;
};

/// So many clients at once, each of which asks as fast as it is answered.
class Crowd {
 public:
  Crowd(std::uint16_t port, int clients) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this, port] { run(port); });
  }
  ~Crowd() { end(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void end() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t failed() const { return failed_; }

 private:
  void run(std::uint16_t port) {
    Client client(port);
    while (!over_) ++(client.ask().empty() ? failed_ : answered_);
  }

  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace homeostat::traffic::testing
