// Customers who ask as fast as they are answered, over connections that they keep; says every second how many were
// served by which version, and how many in vain.
//
// Usage: canary_customers --port N [--customers 8] [--seconds 300]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Tally {
  std::mutex mutex;
  std::map<std::string, long> answers;  // by version; "in vain": neither 200 nor a version
};

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

/// Answers are smaller than one segment and come at once. Empty: there was none.
std::string ask(int fd) {
  constexpr std::string_view kRequest = "GET /buy HTTP/1.1\r\nHost: shop\r\n\r\n";
  if (::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  char buffer[4096];
  while (answer.find("\r\n\r\n") == std::string::npos || !answer.ends_with('}')) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return {};
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return answer;
}

std::string version_of(const std::string& answer) {
  constexpr std::string_view kKey = "\"version\":\"";
  const std::size_t at = answer.find(kKey);
  if (!answer.starts_with("HTTP/1.1 200") || at == std::string::npos) return "in vain";
  const std::size_t begin = at + kKey.size();
  return answer.substr(begin, answer.find('"', begin) - begin);
}

void buy(int port, const std::atomic<bool>& over, Tally& tally) {
  int fd = -1;
  while (!over) {
    if (fd < 0) fd = connect_to(port);
    const std::string answer = fd < 0 ? std::string() : ask(fd);
    if (answer.empty() && fd >= 0) {
      ::close(fd);
      fd = -1;
    }
    const std::lock_guard lock(tally.mutex);
    ++tally.answers[version_of(answer)];
  }
  if (fd >= 0) ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string_view, int> options{{"--port", 0}, {"--customers", 8}, {"--seconds", 300}};
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = std::atoi(argv[i + 1]);
  if (options["--port"] == 0) return std::fputs("usage: canary_customers --port N\n", stderr), 2;
  Tally tally;
  std::atomic<bool> over = false;
  std::vector<std::jthread> customers;
  for (int i = 0; i < options["--customers"]; ++i) {
    customers.emplace_back([&] { buy(options["--port"], over, tally); });
  }
  for (int second = 1; second <= options["--seconds"]; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const std::lock_guard lock(tally.mutex);
    std::printf("%d", second);
    for (const auto& [version, count] : std::exchange(tally.answers, {})) {
      std::printf(",%s=%ld", version.c_str(), count);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  over = true;
}
