// One connection to a D-Bus, on our loop, to talk to systemd: opened, watched and opened again by itself.
#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "homeostat/time.hpp"
#include "os/loop.hpp"
#include "runtime/peer_breaker.hpp"

namespace homeostat::runtime {

class Bus final : public os::Watcher {
 public:
  struct Failure {
    std::string text;
    bool refused = false;  // systemd said no; else nobody knows what it has heard
  };
  /// The message lives during the call only.
  using Answer = std::move_only_function<void(std::expected<sd_bus_message*, Failure>)>;
  struct Hooks {
    std::function<void()> up;                          // systemd answers, anew: all matches must be made
    std::function<void(const std::string& why)> down;  // it does not; no call that is under way is answered any more
    std::function<void(sd_bus_message&)> signal;       // of a match
  };

  Bus(os::Loop& loop, std::string address, Hooks hooks)
      : loop_(loop), address_(std::move(address)), hooks_(std::move(hooks)) {}
  ~Bus() override { close(); }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  bool is_up() const { return up_; }
  std::string why_down() const { return why_down_ + std::string(breaker_.words()); }

  /// Calls a method of systemd whose arguments are all texts. Answered within a few seconds, on the loop.
  void call(const std::string& path, const char* face, const char* member, std::initializer_list<std::string> arguments,
            Answer answer);
  void match(const std::string& rule);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);
  void ready(std::uint32_t events) override;

 private:
  struct Unref {
    void operator()(sd_bus* bus) const {
      sd_bus_close(bus);  // not flushed: that could wait
      sd_bus_unref(bus);
    }
  };

  void open();
  void close();
  void process();
  void arm();
  void fall(const std::string& why);
  void ping();
  void answered();
  void heard(sd_bus_message& message);
  static int on_signal(sd_bus_message* message, void* self, sd_bus_error* error);

  os::Loop& loop_;
  std::string address_;
  Hooks hooks_;
  std::unique_ptr<sd_bus, Unref> bus_;
  int fd_ = -1;
  std::uint32_t events_ = 0;
  bool up_ = false;
  bool pinging_ = false;
  std::string doomed_{};  // why the connection is to be given up once nothing of it is running
  std::string why_down_ = "it has not answered yet";
  Instant now_{};
  Instant next_{};  // to ask whether it is there, or to open the connection again
  PeerBreaker breaker_;
};

}  // namespace homeostat::runtime
