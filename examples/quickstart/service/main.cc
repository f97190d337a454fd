// The example's service: a small HTTP server that can be broken from outside, and says who it is in every answer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "request.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kMaxInput = 16384;
constexpr auto kSlow = milliseconds(1500);
constexpr auto kCrashAfter = milliseconds(200);

enum class Fault { none, error, sick, hang, slow, stubborn };

struct Service {
  std::string identity;  // who answers: the JSON of every answer, but for its end
  Fault fault = Fault::none;
  bool broken = false;       // the release answers 500, whatever is asked of it
  bool terminating = false;  // SIGTERM was seen, and a stubborn service goes on
  bool stopping = false;     // SIGTERM was seen: answer what has been asked, then end
  Clock::time_point crash_at = Clock::time_point::max();
};

struct Connection {
  int fd = -1;
  std::string input;
  std::string answer;  // waits for `due`
  Clock::time_point due;
  bool last = false;  // close after the answer
};

std::string response(int status, std::string_view body, bool last) {
  const std::string_view reason = status == 200 ? "OK" : status == 500 ? "Internal Server Error" : "Client Error";
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: " + (last ? "close" : "keep-alive") + "\r\n\r\n" + std::string(body);
}

std::string body(const Service& service) {
  return service.identity + (service.terminating ? ",\"terminating\":true}\n" : "}\n");
}

/// Carries out POST /fault?kind=…; returns the status to answer with.
int set_fault(Service& service, std::string_view kind) {
  if (kind == "exit") std::_Exit(3);
  if (kind == "500") {
    service.fault = Fault::error;
  } else if (kind == "sick") {  // well, as its own check sees it
    service.fault = Fault::sick;
  } else if (kind == "hang") {
    service.fault = Fault::hang;
  } else if (kind == "slow") {
    service.fault = Fault::slow;
  } else if (kind == "stubborn") {
    service.fault = Fault::stubborn;
  } else if (kind == "none") {
    service.fault = Fault::none;
  } else {
    return 400;
  }
  return 200;
}

/// Prepares the answer to one request. A hanging service leaves it empty, for ever.
void answer(Service& service, const quickstart::Request& request, Connection& connection) {
  constexpr std::string_view kFault = "/fault?kind=";
  connection.last = connection.last || !request.keep_alive || service.stopping;
  connection.due = Clock::now();
  int status = 404;
  if (request.method == "POST" && request.target.starts_with(kFault)) {
    status = set_fault(service, std::string_view(request.target).substr(kFault.size()));
  } else if (service.fault == Fault::hang) {
    connection.due = Clock::time_point::max();
    return;
  } else if (request.target == "/" || request.target == "/healthz") {
    const bool bad = service.broken || service.fault == Fault::error || service.fault == Fault::stubborn ||
                     (service.fault == Fault::sick && request.target == "/");
    status = bad ? 500 : 200;
    if (service.fault == Fault::slow) connection.due += kSlow;
  }
  connection.answer = response(status, body(service), connection.last);
}

/// Takes the next whole request from the input, unless an answer is still owed.
void take_request(Service& service, Connection& connection) {
  if (!connection.answer.empty()) return;
  const quickstart::Parsed parsed = quickstart::parse(connection.input);
  if (parsed.state == quickstart::State::bad) {
    connection.last = true;
    connection.due = Clock::now();
    connection.answer = response(400, body(service), true);
  } else if (parsed.state == quickstart::State::whole) {
    connection.input.erase(0, parsed.used);
    answer(service, parsed.request, connection);
  }
}

/// Sends an answer whose time has come. Answers are smaller than any socket buffer: a short write means a client that
/// does not read, and that one is dropped. Returns false when the connection is over.
bool send_due(Connection& connection) {
  if (connection.answer.empty() || connection.due > Clock::now()) return true;
  const ssize_t sent = ::send(connection.fd, connection.answer.data(), connection.answer.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(connection.answer.size())) return false;
  connection.answer.clear();
  return !connection.last;
}

/// Reads what has come and works through it. Returns false when the connection is over.
bool advance(Service& service, Connection& connection, bool readable) {
  if (readable) {
    if (connection.input.size() > kMaxInput) return false;
    char buffer[4096];
    const ssize_t got = ::recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got > 0) connection.input.append(buffer, static_cast<std::size_t>(got));
  }
  while (true) {
    take_request(service, connection);
    if (connection.answer.empty() || connection.due > Clock::now()) return true;
    if (!send_due(connection)) return false;
  }
}

void take_signal(Service& service, int signals) {
  signalfd_siginfo taken{};
  if (::read(signals, &taken, sizeof taken) != sizeof taken) return;
  (service.fault == Fault::stubborn ? service.terminating : service.stopping) = true;
}

int wait_milliseconds(const Service& service, const std::vector<Connection>& connections) {
  Clock::time_point next = service.crash_at;
  for (const Connection& connection : connections) {
    if (!connection.answer.empty() && connection.due < next) next = connection.due;
  }
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(next - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

void accept_one(int listener, std::vector<Connection>& connections) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (connections.size() >= kMaxConnections) {
    ::close(fd);
    return;
  }
  connections.push_back({.fd = fd, .input = {}, .answer = {}, .due = {}});
}

int serve(Service& service, int listener, int signals) {
  std::vector<Connection> connections;
  while (true) {
    std::erase_if(connections, [&](const Connection& connection) {
      const bool over = connection.fd < 0 || (service.stopping && connection.answer.empty());
      if (over && connection.fd >= 0) ::close(connection.fd);
      return over;
    });
    if (service.stopping && connections.empty()) return 0;
    std::vector<pollfd> watched{{signals, POLLIN, 0}, {service.stopping ? -1 : listener, POLLIN, 0}};
    for (const Connection& connection : connections) watched.push_back({connection.fd, POLLIN, 0});
    ::poll(watched.data(), watched.size(), wait_milliseconds(service, connections));

    if (Clock::now() >= service.crash_at) std::_Exit(3);
    if (watched[0].revents != 0) take_signal(service, signals);
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if (advance(service, connections[i], watched[i + 2].revents != 0)) continue;
      ::close(connections[i].fd);
      connections[i].fd = -1;
    }
    if (watched[1].revents != 0) accept_one(listener, connections);
  }
}

int open_listener(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  // Loopback only: whoever may break this service from outside is on this machine.
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  return ::listen(fd, 64) == 0 ? fd : -1;
}

int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC);
}

std::string identity(std::string_view version) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) std::abort();
  char nonce[17];
  std::snprintf(nonce, sizeof nonce, "%016llx", static_cast<unsigned long long>(random));
  return "{\"nonce\":\"" + std::string(nonce) + "\",\"pid\":" + std::to_string(::getpid()) + ",\"version\":\"" +
         std::string(version) + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::filesystem::path release;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--port") std::from_chars(value.data(), value.data() + value.size(), port);
    if (name == "--release") release = value;
  }
  if (port == 0 || argc % 2 == 0) {
    std::fputs("usage: quickstart_service --port N [--release DIR]\n", stderr);
    return 2;
  }
  if (!release.has_filename()) release = release.parent_path();
  Service service{.identity = identity(release.empty() ? "none" : release.filename().native())};
  std::error_code ignored;
  service.broken = !release.empty() && std::filesystem::exists(release / "broken", ignored);
  if (!release.empty() && std::filesystem::exists(release / "crashing", ignored)) {
    service.crash_at = Clock::now() + kCrashAfter;
  }
  const int signals = open_signals();
  const int listener = open_listener(port);
  if (signals < 0 || listener < 0) {
    std::perror("quickstart_service: cannot listen");
    return 1;
  }
  return serve(service, listener, signals);
}
