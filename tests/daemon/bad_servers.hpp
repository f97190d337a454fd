// Servers on loopback that do not behave: each connection is given to a function, on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::lab {

class BadServer {
 public:
  /// `serve` may take as long as it likes; its descriptor is shut down when the server ends.
  using Serve = std::function<void(int fd)>;
  BadServer(int port, Serve serve);
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;
  ~BadServer();

  /// Connections so far.
  int asked() const { return asked_; }

 private:
  void accept_all();

  os::Fd listener_;
  Serve serve_;
  std::atomic<int> asked_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

/// Reads the head of a request; false when the client is gone.
bool read_request(int fd);
bool send_text(int fd, const std::string& text);

void reset(int fd);
void garbage(int fd);
void endless_body(int fd);
void one_byte_a_second(int fd);
/// Takes the request and says nothing.
void hang(int fd);
void fine(int fd);

}  // namespace homeostat::lab
