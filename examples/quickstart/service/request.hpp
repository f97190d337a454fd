// Just enough of HTTP/1.1 to be asked for a page: request line, Connection, Content-Length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quickstart {

struct Request {
  std::string method;
  std::string target;
  bool keep_alive = true;
};

enum class State { partial, whole, bad };

struct Parsed {
  State state = State::partial;
  std::size_t used = 0;  // bytes of input the request took, body included
  Request request;
};

/// Looks at the beginning of what a client has sent. More than 8 KiB without an end is bad.
Parsed parse(std::string_view input);

}  // namespace quickstart
