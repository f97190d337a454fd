// The local API: HTTP/1.1 over a unix socket, on a thread of its own. It knows nothing of the engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/request.hpp"
#include "core/error.hpp"

namespace homeostat::api {

/// Where and from whom alerts are taken over the network, and nothing else.
struct Outside {
  std::string address{};
  std::uint16_t port = 0;
  std::vector<std::string> authorizations{};  // values of the header that are let in; empty: everybody is
};

struct ServerOptions {
  std::string socket{};  // path
  std::optional<Outside> outside{};
  std::size_t max_connections = 256;  // when all are taken, the longest silent one makes room for a new one
  std::chrono::milliseconds header_within{5'000};
  std::chrono::milliseconds body_within{10'000};
  std::chrono::milliseconds answer_within{10'000};  // for the handler; then 503
};

class ServerCore;

class Server {
 public:
  /// Listens and serves until it is destroyed. `engine` gets what only the engine's thread can answer; `journal` runs
  /// on a thread that may wait for the disk.
  static std::expected<std::unique_ptr<Server>, Error> open(ServerOptions options, Handler engine,
                                                            std::function<Response(const Request&)> journal);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  explicit Server(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  std::shared_ptr<ServerCore> core_;
};

}  // namespace homeostat::api
