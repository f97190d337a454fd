// One HTTP call over a unix socket.
#pragma once

#include <chrono>
#include <expected>
#include <string>

namespace homeostat::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

struct HttpError {
  bool nobody = false;  // nobody listens there
  bool silent = false;  // it was closed before an answer began: worth another try
  std::string text;
};

/// Sends `method target` with a JSON body (none when empty) and waits for the whole answer.
std::expected<HttpAnswer, HttpError> http_call(const std::string& socket, const std::string& method,
                                               const std::string& target, const std::string& body,
                                               std::chrono::milliseconds within);

}  // namespace homeostat::cli
