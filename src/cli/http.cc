#include "cli/http.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "os/fd.hpp"

namespace homeostat::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxAnswer = 256U << 20;

std::unexpected<HttpError> fail_with(std::string text, bool nobody = false, bool silent = false) {
  return std::unexpected(HttpError{nobody, silent, std::move(text)});
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::expected<os::Fd, HttpError> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail_with("the socket's path is too long: " + path);
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_with(std::strerror(errno));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const bool nobody = errno == ECONNREFUSED || errno == ENOENT || errno == ENOTDIR;
    return fail_with(fmt::format("cannot connect to {}: {}", path, std::strerror(errno)), nobody);
  }
  return fd;
}

/// False when the other side does not take it; it may have answered all the same.
bool send_all(int fd, std::string_view text, Clock::time_point deadline) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (!wait_for(fd, POLLOUT, deadline)) return false;
    } else if (n <= 0) {
      return false;
    } else {
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  return true;
}

std::expected<std::string, HttpError> receive_all(int fd, Clock::time_point deadline) {
  std::string all;
  std::array<char, 64 << 10> room{};
  while (wait_for(fd, POLLIN, deadline)) {
    const ssize_t n = ::recv(fd, room.data(), room.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || (n < 0 && errno == ECONNRESET)) return all;
    if (n < 0) return fail_with(std::strerror(errno));
    all.append(room.data(), static_cast<std::size_t>(n));
    if (all.size() > kMaxAnswer) return fail_with("the daemon's answer does not end");
  }
  return fail_with("the daemon did not answer in time");
}

std::expected<HttpAnswer, HttpError> parse(const std::string& all) {
  if (all.empty()) return fail_with("the daemon closed the connection without an answer", false, true);
  const std::size_t end = all.find("\r\n\r\n");
  HttpAnswer answer;
  if (end == std::string::npos || !all.starts_with("HTTP/1.1 ") ||
      std::from_chars(all.data() + 9, all.data() + 12, answer.status).ec != std::errc{}) {
    return fail_with("what listens there is no Homeostat");
  }
  answer.body = all.substr(end + 4);
  return answer;
}

}  // namespace

std::expected<HttpAnswer, HttpError> http_call(const std::string& socket, const std::string& method,
                                               const std::string& target, const std::string& body,
                                               std::chrono::milliseconds within) {
  const auto deadline = Clock::now() + within;
  const auto fd = connect_to(socket);
  if (!fd) return std::unexpected(fd.error());
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: homeostat\r\nConnection: close\r\n", method, target);
  if (!body.empty()) text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  send_all(fd->get(), text + "\r\n" + body, deadline);
  ::shutdown(fd->get(), SHUT_WR);
  const auto all = receive_all(fd->get(), deadline);
  if (!all) return std::unexpected(all.error());
  return parse(*all);
}

}  // namespace homeostat::cli
