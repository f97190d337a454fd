// A plain HTTP client for tests: one request a connection, over TCP on loopback or a unix socket.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace homeostat::lab {

struct Answer {
  int status = 0;
  std::string body;
};

/// Nothing: nobody listens, or there was no whole answer within `patience`.
std::optional<Answer> ask_port(int port, const std::string& method, const std::string& target,
                               std::chrono::milliseconds patience = std::chrono::seconds(2));
std::optional<Answer> ask_socket(const std::string& path, const std::string& method, const std::string& target,
                                 const std::string& body = "",
                                 std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace homeostat::lab
