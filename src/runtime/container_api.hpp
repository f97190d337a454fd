// The API of docker and podman over its socket: one question after the other, and what happens, as it happens.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/container_events.hpp"
#include "runtime/http_ask.hpp"

namespace homeostat::runtime {

/// It is asked every two seconds whether it is there. Without an answer it is down, and is connected to again after
/// half a second, then after ever longer waits, up to 30 seconds.
class ContainerApi {
 public:
  struct Hooks {
    std::function<void()> up;
    std::function<void(const std::string& why)> down;
    std::function<void(const ContainerEvent&)> event;
  };
  using Answered = std::move_only_function<void(const HttpReply&)>;

  ContainerApi(os::Loop& loop, std::string peer, Hooks hooks)
      : peer_(std::move(peer)), hooks_(std::move(hooks)), asker_(loop) {}

  /// Also while it is down. `answered` is called once, later, in `advance`.
  void call(const char* method, std::string path, std::string body, Duration within, Answered answered);
  bool is_up() const { return up_; }
  const std::string& why_down() const { return why_down_; }

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  void connect();
  void ping();
  void fall(const std::string& why);

  std::string peer_;
  Hooks hooks_;
  HttpAsker asker_;
  std::uint64_t events_ = 0;  // the stream of them; 0: there is none
  std::uint64_t connections_ = 0;
  bool up_ = false;
  bool pinging_ = false;
  std::string why_down_ = "it has not answered yet";
  Duration wait_{};
  Instant next_{};
  Instant now_{};
};

/// What an answer says went wrong, for people; empty: nothing did.
std::string problem_of(const HttpReply& reply);

}  // namespace homeostat::runtime
