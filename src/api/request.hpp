// A call to the local API, after HTTP and before anybody knows how to answer it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace homeostat::api {

struct Request {
  bool post = false;
  std::string verb;     // "status", "why", "deploy": what follows /v1/
  std::string service;  // why, check: from the path
  std::map<std::string, std::string> query;
  std::string body;      // POST: JSON
  bool outside = false;  // it came over the network
  std::uint32_t uid = 0;
  std::string user;  // the peer's name, for the history
};

struct Response {
  unsigned status = 200;
  std::string json;
};

/// Gives the answer, once, from any thread; further calls do nothing.
using Reply = std::function<void(Response)>;

/// Called on the server's thread; must not wait. Usually posts to the thread that owns the engine.
using Handler = std::function<void(Request, Reply)>;

/// {"error": text}
Response refuse(unsigned status, std::string_view text);

/// A request out of a method, a target and a body, or the refusal.
std::expected<Request, Response> parse_request(bool post, std::string_view target, std::string body);

/// True for what is answered from the journal alone, on a thread that may wait for the disk.
bool reads_journal(const Request& request);

}  // namespace homeostat::api
