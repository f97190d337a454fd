// Very many at once: connections to the local API that say nothing, and targets that never answer. Neither may keep the
// daemon from answering, from looking at the others on time, and from repairing.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

/// Descriptors for this test and what it starts.
void want_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(count, limit.rlim_max));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// What looks at `asked` every 200 ms, as long as this lives: how much of that was kept.
class Grid {
 public:
  explicit Grid(const BadServer& asked) : server_(asked), asked_at_begin_(asked.asked()) {}
  /// Over fifteen checks at least: of one or two nobody can tell.
  double kept() const {
    within(seconds(30), [&] { return server_.asked() - asked_at_begin_ >= 15; });
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
    return (server_.asked() - asked_at_begin_) / (passed.count() / 0.2);
  }

 private:
  const BadServer& server_;
  int asked_at_begin_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// A server that closes each connection: one connection is one check.
void once(int fd) {
  if (read_request(fd)) send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

std::string watched(const Lab& lab) {
  return lab.service(
      "seen", {.first_port = 1, .checks = fmt::format("alive: {{ http: {{ port: {}, path: / }} }}", lab.port(8))});
}

/// The instance dies and is back before long.
void expect_repair(const Lab& lab) {
  const std::size_t starts = lab.starts().size();
  send_signal([&] { return lab.pid("web/0"); }, SIGKILL);
  EXPECT_TRUE(within(seconds(5), [&] { return lab.serves(0) && lab.starts().size() == starts + 1; }));
}

/// One after the other: every second one is silent, the others say the beginning of a request, some of them slowly.
class Crowd {
 public:
  static constexpr int kConnections = 10'000;

  explicit Crowd(const std::string& socket) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, socket.c_str(), socket.size() + 1);
    thread_ = std::jthread([this](const std::stop_token& stop) { come(stop); });
  }
  int connected() const { return connected_; }

 private:
  void come(const std::stop_token& stop) {
    std::vector<os::Fd> open;
    while (!stop.stop_requested() && connected_ < kConnections) {
      os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) {
        ::poll(nullptr, 0, 1);  // its queue is full
        continue;
      }
      const int number = connected_++;
      if (number % 2 == 0) say(fd.get(), "GET /v1/status HT");
      if (number % 100 == 0) {
        for (const os::Fd& other : open) say(other.get(), "T");
      }
      open.push_back(std::move(fd));
    }
    while (!stop.stop_requested()) ::poll(nullptr, 0, 10);
  }
  static void say(int fd, std::string_view text) {
    [[maybe_unused]] const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  sockaddr_un address_{};
  std::atomic<int> connected_ = 0;
  std::jthread thread_;
};

TEST(DaemonApi, AnswersBesideTenThousandSlowAndSilentConnections) {
  Lab lab;
  BadServer asked(lab.port(8), once);
  lab.configure({lab.service("web"), watched(lab)});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy" && lab.health("seen") == "healthy"; }));
  want_descriptors(Crowd::kConnections + 1'000);
  const Grid grid(asked);
  const Crowd crowd(lab.socket());
  int answered = 0;
  ASSERT_TRUE(within(seconds(60), [&] {
    const auto answer = ask_socket(lab.socket(), "GET", "/v1/status");
    EXPECT_TRUE(answer && answer->status == 200) << "after " << crowd.connected() << " connections";
    if (++answered == 5) expect_repair(lab);
    return crowd.connected() == Crowd::kConnections;
  })) << crowd.connected();
  expect_repair(lab);
  EXPECT_EQ(lab.post("pause", {{"service", "seen"}, {"for", "1s"}}).status, 200);
  EXPECT_GT(answered, 5);
  EXPECT_GT(grid.kept(), 0.8);
  EXPECT_TRUE(at(lab.status(), "engine.tilt_since").is_null());
  EXPECT_EQ(lab.starts().size(), 4U);
}

TEST(DaemonTargets, AThousandThatHangDelayNobody) {
  Lab lab;
  want_descriptors(10'000);
  BadServer asked(lab.port(8), once);
  // Connections are made by the kernel, and nobody ever takes one; when its queue is full they are not even made.
  const os::Fd silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(lab.port(9)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent.get(), 4'096), 0);
  std::string checks = "alive: { http: { path: /healthz } }";
  for (int i = 0; i < 1'000; ++i) {
    checks += fmt::format(", hung{}: {{ role: watch, http: {{ port: {}, path: /{} }} }}", i, lab.port(9), i);
  }
  lab.configure({lab.service("web", {.checks = checks}), watched(lab)});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy" && lab.health("seen") == "healthy"; }));
  ASSERT_TRUE(eventually([&] { return text_at(lab.check_status("web", "hung999"), "status") == "unhealthy"; }));
  const Grid grid(asked);
  for (int i = 0; i < 3; ++i) expect_repair(lab);
  EXPECT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_GT(grid.kept(), 0.8);
  EXPECT_EQ(lab.starts().size(), 5U);
}

}  // namespace
}  // namespace homeostat::lab
