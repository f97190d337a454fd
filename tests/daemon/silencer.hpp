// Stands between Homeostat and the API of a podman, which may fall silent after one question was heard.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::lab {

class Silencer {
 public:
  Silencer(const std::string& door, std::string behind) : behind_(std::move(behind)) {
    listener_ = unix_socket();
    const sockaddr_un address = address_of(door);
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_.get(), 64);
    thread_ = std::jthread([this](const std::stop_token& end) {
      while (!end.stop_requested()) turn();
    });
  }

  /// The next question whose first line is `the_last` is heard, and answered no more; nor is any after it.
  void silence_after(std::function<bool(const std::string& line)> the_last) {
    const std::lock_guard lock(mutex_);
    the_last_ = std::move(the_last);
    silent_ = false;
  }
  /// What that question asked for has been done, and nobody was told.
  bool silent() const { return silent_; }
  /// Everybody is answered again.
  void speak() {
    const std::lock_guard lock(mutex_);
    the_last_ = nullptr;
    silent_ = false;
  }

 private:
  struct Visit {
    os::Fd guest;
    os::Fd host;
    bool asked = false;  // its first line has been looked at
    bool last = false;   // the last one that is heard
  };

  static os::Fd unix_socket() { return os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }

  void turn() {
    std::vector<pollfd> look{{listener_.get(), POLLIN, 0}};
    for (const Visit& visit : visits_) {
      look.push_back({visit.guest.get(), POLLIN, 0});
      look.push_back({visit.host.get(), POLLIN, 0});
    }
    if (::poll(look.data(), look.size(), 20) <= 0) return;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < visits_.size(); ++i) {
      Visit& visit = visits_[i];
      if (look[1 + 2 * i].revents != 0) from_guest(visit);
      if (visit.guest && look[2 + 2 * i].revents != 0) from_host(visit);
    }
    std::erase_if(visits_, [](const Visit& visit) { return !visit.guest; });
    if (look[0].revents != 0) let_in();
  }
  void let_in() {
    Visit visit{os::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)), unix_socket()};
    const sockaddr_un address = address_of(behind_);
    if (::connect(visit.host.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && visit.guest)
      visits_.push_back(std::move(visit));
  }
  // A question comes in one piece.
  void from_guest(Visit& visit) {
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(visit.guest.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return visit.guest.reset();
    if (silent_) return;
    const std::string text(bytes.data(), static_cast<std::size_t>(got));
    if (!std::exchange(visit.asked, true)) {
      visit.last = the_last_ && the_last_(text.substr(0, text.find("\r\n")));
    }
    ::send(visit.host.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  void from_host(Visit& visit) {
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(visit.host.get(), bytes.data(), bytes.size(), 0);
    silent_ = silent_ || visit.last;
    // Who waits for an answer is not told that there is none.
    if (got <= 0) return silent_ ? visit.host.reset() : visit.guest.reset();
    if (!silent_) ::send(visit.guest.get(), bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
  }

  std::string behind_;
  os::Fd listener_;
  std::vector<Visit> visits_;
  std::mutex mutex_;
  std::function<bool(const std::string&)> the_last_;
  std::atomic<bool> silent_ = false;
  std::jthread thread_;  // ends first
};

}  // namespace homeostat::lab
