// The loop that owns the engine: waits, feeds it, and carries out what it wants.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "api/answer.hpp"
#include "api/server.hpp"
#include "daemon/alerts.hpp"
#include "daemon/comparer.hpp"
#include "daemon/eyes.hpp"
#include "daemon/hands.hpp"
#include "daemon/inbox.hpp"
#include "daemon/meters.hpp"
#include "daemon/recorder.hpp"
#include "daemon/router.hpp"
#include "daemon/run.hpp"
#include "daemon/signals.hpp"
#include "daemon/time_keeper.hpp"
#include "engine/secrets.hpp"

namespace homeostat::daemon {

class Daemon {
 public:
  /// Everything that can go wrong at the start goes wrong here, before anything is started.
  static std::expected<std::unique_ptr<Daemon>, Error> open(const RunOptions& options, config::Config config);
  ~Daemon();

  /// Until SIGTERM or SIGINT.
  void run();

 private:
  Daemon(RunOptions options, config::Config config);
  std::expected<void, Error> open_parts();
  void begin();
  void keep_secrets();
  void give_memory_back();

  Instant now() const { return time_->now(); }
  Instant next_deadline() const;
  void turn();
  void notice_gap(Instant planned);
  void feed(engine::Input input) { inputs_.push_back(std::move(input)); }
  void drain();
  void step(engine::Input input);
  std::optional<std::pair<engine::ServiceId, engine::Slot>> place_of(const engine::Input& input) const;
  void carry_out(engine::Commands& out);
  void hear_journal();
  void tell_of_journal();
  void hear_signals();
  void keep_house();
  bool ended() const;

  void serve(api::Request request, api::Reply reply);
  /// Answered when what it caused is durable: what was confirmed outlives us.
  void serve_alerts(const std::string& body, const api::Reply& reply);
  runtime::Values alert_of(engine::ServiceId service, engine::Slot slot) const;
  void take_alerts(const std::vector<api::Alert>& alerts, const api::Reply& reply);
  void command(const api::Request& request, std::expected<config::Config, Error>* loaded, api::Reply reply);
  void send_replies();
  api::Response answer(const api::Request& request, std::expected<config::Config, Error>* loaded);
  /// Loads the file beside the loop, then goes over to it; `then` hears about it on the loop.
  void load_then(std::function<void(std::expected<config::Config, Error>)> then);
  /// What must be known of it, or nothing.
  std::expected<std::string, Error> go_over(config::Config next, bool accept_shrink);

  RunOptions options_;
  std::unique_ptr<config::Config> config_;
  engine::Secrets secrets_;  // of all configurations of this life: what is under way may still repeat an old one
  std::optional<os::Loop> loop_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<TimeKeeper> time_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Eyes> eyes_;
  std::unique_ptr<Hands> hands_;
  std::unique_ptr<Meters> meters_;
  std::unique_ptr<Comparer> comparer_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<os::Watcher> journal_watcher_;
  std::unique_ptr<api::Server> server_;
  std::deque<engine::Input> inputs_;
  engine::Commands out_;
  std::optional<Instant> stopping_since_;
  Instant next_house_ = kLongAgo;
  std::optional<Duration> watchdog_;
  std::string journal_told_;
  struct Unsent {
    std::uint64_t seq = 0;
    api::Response response;
    api::Reply reply;
  };
  std::deque<Unsent> unsent_;  // by seq
  std::jthread loader_;        // at most one configuration is read at a time
  std::atomic<bool> loading_ = false;
};

}  // namespace homeostat::daemon
