// Names to addresses by c-ares on an Asio context: never blocks, forgets nothing longer than one question.
#pragma once

#include <ares.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "probe/address.hpp"

namespace homeostat::probe {

/// One thread only: that of the context.
class Resolver {
 public:
  /// The addresses (port 0), best first; or why there are none.
  using Answer = std::expected<std::vector<Address>, std::string>;

  explicit Resolver(boost::asio::io_context& io);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls `done` exactly once, perhaps at once. Questions for the same name share one query.
  void resolve(const std::string& name, std::function<void(const Answer&)> done);

 private:
  struct Query {
    Resolver* resolver = nullptr;
    std::string name;
  };

  bool open();
  void close();
  void answered(const std::string& name, const Answer& answer);
  void process();
  void arm();
  static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
  static void on_answer(void* query, int status, int timeouts, ares_addrinfo* found);

  boost::asio::posix::stream_descriptor epoll_;  // of c-ares' sockets
  boost::asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::int64_t configured_ = 0;  // when /etc/resolv.conf was last changed
  bool waiting_ = false;
  std::map<std::string, std::vector<std::function<void(const Answer&)>>> asked_;
};

}  // namespace homeostat::probe
