#include "runtime/ports.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::runtime {

namespace {

bool can_bind(std::uint16_t port, in_addr_t address) {
  const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // With this, connections of an earlier run that are still closing do not count; a listener does.
  constexpr int kOn = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(address);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 || errno != EADDRINUSE;
}

// The inodes of the sockets that listen on the port, from lines as
// "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …".
void listening_sockets(const char* table, std::uint16_t port, std::set<std::string>& sockets) {
  std::ifstream lines(table);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::array<std::string, 10> word;
    for (std::string& each : word) words >> each;
    const std::size_t colon = word[1].rfind(':');
    if (word[3] != "0A" || colon == std::string::npos) continue;
    unsigned number = 0;
    std::from_chars(word[1].data() + colon + 1, word[1].data() + word[1].size(), number, 16);
    if (number == port) sockets.insert("socket:[" + word[9] + "]");
  }
}

bool has_one_of(const std::filesystem::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (const auto& fd : std::filesystem::directory_iterator(process / "fd", error)) {
    if (sockets.contains(std::filesystem::read_symlink(fd.path(), error).string())) return true;
  }
  return false;
}

std::string taken_text(const PortWish& wish) {
  return wish.first == wish.last ? fmt::format("port {} is taken", wish.first)
                                 : fmt::format("all ports {}-{} are taken", wish.first, wish.last);
}

}  // namespace

bool port_is_free(std::uint16_t port) { return can_bind(port, INADDR_ANY) && can_bind(port, INADDR_LOOPBACK); }

std::string who_listens_on(std::uint16_t port) {
  std::set<std::string> sockets;
  listening_sockets("/proc/net/tcp", port, sockets);
  listening_sockets("/proc/net/tcp6", port, sockets);
  std::error_code error;
  if (sockets.empty()) return "another program";
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !has_one_of(process.path(), sockets)) continue;
    std::string name;
    std::getline(std::ifstream(process.path() / "comm"), name);
    return fmt::format("{} (pid {})", name.empty() ? "a program" : name, pid);
  }
  return "another program";
}

std::expected<std::uint16_t, Error> choose_port(const PortWish& wish) {
  std::vector<std::uint16_t> order{wish.preferred, wish.usual};
  for (int port = wish.first; port <= wish.last; ++port) order.push_back(static_cast<std::uint16_t>(port));
  for (const std::uint16_t port : order) {
    if (port < wish.first || port > wish.last || wish.others.contains(port)) continue;
    if (port_is_free(port)) return port;
  }
  std::string why;
  int named = 0;
  for (int number = wish.first; number <= wish.last && named < 3; ++number) {
    const auto port = static_cast<std::uint16_t>(number);
    if (wish.others.contains(port)) continue;
    const std::string who = who_listens_on(port);
    why += wish.first == wish.last ? " by " + who : fmt::format("{}{} by {}", named == 0 ? ": " : ", ", port, who);
    ++named;
  }
  if (named == 0) why = " by other instances: the range is too small";
  return fail(taken_text(wish) + why);
}

}  // namespace homeostat::runtime
