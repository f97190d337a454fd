// For the tests of this room: a runtime socket that does only what the test says.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::traffic::testing {

inline os::Fd unix_socket() { return os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// The answer to `show servers state` of the backend `pool`; of each server its name, states and weight.
inline std::string settings_of(std::initializer_list<const char*> servers) {
  std::string text = "1\n# be_id be_name srv_id srv_name srv_op_state srv_admin_state srv_uweight\n";
  for (const char* server : servers) text += std::string("2 pool 1 ") + server + "\n";
  return text + "\n";
}

/// Accepts one connection at a time, when it is told to.
class Listener {
 public:
  Listener(const std::string& path, int backlog) : fd_(unix_socket()) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
  }
  /// Answers the next one: what it was asked, or nothing when nobody is there.
  std::optional<std::string> serve(std::string_view answer) {
    const os::Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return std::nullopt;
    char command[256];
    const ssize_t got = ::recv(peer.get(), command, sizeof command, 0);
    EXPECT_EQ(::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    return std::string(command, static_cast<std::size_t>(std::max(got, ssize_t{0})));
  }
  /// So many are connected and have not been accepted.
  std::size_t waiting() {
    std::vector<os::Fd> peers;
    while (os::Fd peer{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)}) peers.push_back(std::move(peer));
    return peers.size();
  }

 private:
  os::Fd fd_;
};

}  // namespace homeostat::traffic::testing
