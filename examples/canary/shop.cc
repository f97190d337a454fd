// A small HTTP server whose release says how well it does: in its folder a file `behaviour` holds how many milliseconds
// an answer takes, and how many of a hundred are errors.
//
// Usage: canary_shop --port N --release FOLDER
//   GET /healthz   200
//   GET /stats     {"version":"v1","requests":120,"failed":3,"busy_ms":2520}: what it has answered so far
//   GET anything   200, or 500 as often as it is said
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

struct Shop {
  std::string version;
  int answer_ms = 20;
  int errors_percent = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> busy_us = 0;
};

std::string response(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Error") +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string stats(const Shop& shop) {
  return "{\"version\":\"" + shop.version + "\",\"requests\":" + std::to_string(shop.requests) +
         ",\"failed\":" + std::to_string(shop.failed) + ",\"busy_ms\":" + std::to_string(shop.busy_us / 1000) + "}";
}

/// Takes as long as the release says, now and then half as long again, and fails as often.
std::string sell(Shop& shop) {
  const Clock::time_point began = Clock::now();
  const std::uint64_t number = ++shop.requests;
  const int extra = number % 4 == 0 ? shop.answer_ms / 2 : 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(shop.answer_ms + extra));
  const bool fails = static_cast<int>(number * 37 % 100) < shop.errors_percent;
  shop.failed += fails ? 1 : 0;
  const auto busy = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  shop.busy_us += static_cast<std::uint64_t>(busy.count());
  return response(fails ? 500 : 200, "{\"version\":\"" + shop.version + "\"}");
}

void serve(Shop& shop, int client) {
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string input;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(client, buffer, sizeof buffer, 0)) > 0 && input.size() < 65536;) {
    input.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = input.find("\r\n\r\n")) != std::string::npos; input.erase(0, end + 4)) {
      const std::string_view request(input.data(), end);
      const std::string out = request.starts_with("GET /healthz ") ? response(200, "{}")
                              : request.starts_with("GET /stats ") ? response(200, stats(shop))
                                                                   : sell(shop);
      if (::send(client, out.data(), out.size(), MSG_NOSIGNAL) < 0) break;
    }
  }
  ::close(client);
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  return bound && ::listen(fd, 256) == 0 ? fd : -1;
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  std::filesystem::path release;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") port = std::atoi(argv[i + 1]);
    if (name == "--release") release = argv[i + 1];
  }
  Shop shop;
  shop.version = release.filename().string();
  std::ifstream behaviour(release / "behaviour");
  if (port == 0 || !(behaviour >> shop.answer_ms >> shop.errors_percent)) {
    std::fputs("usage: canary_shop --port N --release FOLDER (in which a file `behaviour` holds two numbers)\n",
               stderr);
    return 2;
  }
  const int listener = listen_on(port);
  if (listener < 0) return std::perror("canary_shop"), 1;
  while (true) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) std::thread(serve, std::ref(shop), client).detach();
  }
}
