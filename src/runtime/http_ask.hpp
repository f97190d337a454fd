// One question to a server, and its answer, or one line of it after the other: HTTP/1.0, over a unix socket or TCP, on
// our loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "homeostat/time.hpp"
#include "os/loop.hpp"

namespace homeostat::runtime {

struct HttpQuestion {
  std::string peer{};  // "unix:/path", or "host:port" with a numeric host
  std::string method = "GET";
  std::string path = "/";
  std::string authorization{};  // the header's value; empty: none
  std::string type{};           // of the body
  std::string body{};
  Duration timeout = std::chrono::seconds(5);
};

struct HttpReply {
  int status = 0;       // 0: there is no whole answer
  std::string body{};   // at most 1 MiB
  std::string error{};  // why there is none
  bool heard = false;   // it was connected to: the server may have acted, whatever became of its answer
};

/// Single threaded, never waits.
class HttpAsker {
 public:
  using Done = std::move_only_function<void(HttpReply)>;
  using Line = std::move_only_function<void(std::string_view)>;

  explicit HttpAsker(os::Loop& loop);
  ~HttpAsker();  // what is under way is not answered any more
  HttpAsker(const HttpAsker&) = delete;
  HttpAsker& operator=(const HttpAsker&) = delete;

  /// `done` is called once, later, in `advance`.
  void ask(HttpQuestion question, Instant now, Done done);
  /// For an answer without an end: each line of it as it comes, at most 64 KiB, and `done` when there is no more. The
  /// question's time-out says nothing here. Returns what to name it by.
  std::uint64_t follow(HttpQuestion question, Line line, Done done);
  /// Nothing more is told of it.
  void drop(std::uint64_t followed);
  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  class Asking;

  void tell_lines();

  os::Loop& loop_;
  std::uint64_t made_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Asking>> asking_;
};

}  // namespace homeostat::runtime
