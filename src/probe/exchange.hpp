// One target that is spoken to in the clear, over our own epoll: plain HTTP or TCP, one run at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "homeostat/observation.hpp"
#include "os/fd.hpp"
#include "os/loop.hpp"
#include "probe/address.hpp"
#include "probe/http_parser.hpp"
#include "probe/judge.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

/// What all exchanges of one loop share.
struct Network {
  os::Loop& loop;
  std::function<Instant()> now;
  /// A run of this exchange ended. The exchange is idle when it is called and may be started again.
  std::function<void(std::uint32_t id, Finding&&)> finished;
  /// Descriptors have run out: closes connections that only wait to be reused. False: there was none.
  std::function<bool()> spare_descriptors;
  bool keep_connections = true;                        // false while descriptors are short
  std::vector<std::unique_ptr<HttpParser>> parsers{};  // those that no run needs now
  std::array<char, 64 * 1024> buffer{};
};

class Exchange final : public os::Watcher {
 public:
  struct Http {
    std::shared_ptr<const HttpSpec> spec;  // how the answer is judged
    std::string request;
    bool reuse = true;
  };
  using What = std::variant<Http, std::unique_ptr<const TcpSpec>>;

  Exchange(Network& network, std::uint32_t id, const Address& to, What what);
  ~Exchange() override;

  void start();
  /// Time is up: a last look whether the answer is there after all (it is we who may have been late), then the end.
  void time_out();
  /// Ends a run without a result.
  void cancel();
  /// Closes a connection that waits for the next run; false when there is none.
  bool close_idle();

  void ready(std::uint32_t events) override;

 private:
  enum class Phase : std::uint8_t { idle, connecting, sending, receiving };

  const std::string& outgoing() const;
  const TcpSpec* tcp() const;
  void open();
  void expect_answer(const Http& http);
  void give_parser_back();
  bool connected();
  void send_more();
  void receive();
  void take(std::string_view bytes);
  void take_tcp(std::string_view bytes);
  void on_close(int error);
  void fail_with(int error);
  bool watch(std::uint32_t events);
  void close(bool abruptly);
  void finish(Finding found);
  Duration elapsed() const { return network_.now() - began_; }

  Network& network_;
  std::uint32_t id_;
  Phase phase_ = Phase::idle;
  bool reused_ = false;        // this run goes over a connection of an earlier one
  bool answering_ = false;     // a first byte has come
  std::uint32_t watched_ = 0;  // EPOLL* bits, 0: not registered
  std::uint32_t runs_ = 0;     // over this connection
  std::uint32_t starts_ = 0;   // of runs, to notice a new one begun within `finished`
  os::Fd fd_;
  Instant began_{};
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  Address to_;
  What what_;
  std::unique_ptr<HttpParser> parser_;  // while an HTTP run is under way
};

}  // namespace homeostat::probe
