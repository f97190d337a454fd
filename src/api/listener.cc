#include "api/listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace homeostat::api {
namespace {

std::unexpected<Error> fail_at(std::string_view what, const std::string& path) {
  return fail(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  return address;
}

int connect_or_bind(int (*call)(int, const sockaddr*, socklen_t), int fd, const sockaddr_un& address) {
  return call(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// Makes room at `path`: nothing there, or a socket whose owner is gone.
std::expected<void, Error> clear(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return fail_at("cannot look at", path);
  }
  if (!S_ISSOCK(found.st_mode))
    return fail(path + " is in the way: it is no socket; move it or choose another --socket");
  const os::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return fail_at("cannot make a socket for", path);
  // EAGAIN: its queue of connections is full, so somebody lives.
  if (connect_or_bind(::connect, probe.get(), address) == 0 || errno == EAGAIN) {
    return fail("another Homeostat is listening at " + path + "; stop it, or choose another --socket");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return fail_at("cannot look at", path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_at("cannot remove the stale socket", path);
  return {};
}

}  // namespace

std::expected<os::Fd, Error> listen_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(fmt::format("the socket's path {} must have 1 to {} bytes", path, sizeof address.sun_path - 1));
  }
  // Two that start at once must not both find the same socket stale: the second would remove the first one's new one.
  const std::string folder = path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  const os::Fd guard(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!guard || ::flock(guard.get(), LOCK_EX | LOCK_NB) != 0) return fail_at("cannot lock the folder of", path);
  if (auto cleared = clear(path, address); !cleared) return std::unexpected(cleared.error());
  os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail_at("cannot make a socket for", path);
  if (connect_or_bind(::bind, listener.get(), address) != 0) return fail_at("cannot bind", path);
  // Nobody can connect before listen(), so nobody gets in before the mode is right.
  if (::chmod(path.c_str(), 0600) != 0) return fail_at("cannot protect", path);
  if (::listen(listener.get(), 128) != 0) return fail_at("cannot listen at", path);
  return listener;
}

void unlink_listener(const std::string& path, int listener) {
  // A socket's own inode says nothing about the file, so ask whether the file still leads to somebody who listens.
  const os::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::shutdown(listener, SHUT_RDWR) != 0 || !probe) return;
  if (connect_or_bind(::connect, probe.get(), address_of(path)) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

std::expected<uid_t, Error> peer_uid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return fail("who is calling cannot be told");
  return peer.uid;
}

std::string user_name(uid_t uid) {
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return "uid " + std::to_string(uid);
  }
  return entry.pw_name;
}

}  // namespace homeostat::api
