// HAProxy's runtime socket: one command after the other, each on a connection of its own, with a time-out that counts
// from when it was asked for.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.hpp"
#include "os/loop.hpp"
#include "traffic/haproxy_text.hpp"
#include "traffic/share.hpp"
#include "traffic/spec.hpp"
#include "traffic/turnstile.hpp"

namespace homeostat::traffic {

/// Single threaded, never waits. Call `advance` when `next_deadline` has come. Commands are carried out in the order in
/// which they are given; all that ask the same socket share its room. A socket that has no room at the moment, or whose
/// HAProxy is being exchanged for another one, is tried again before anything is said.
class Haproxy : private Turnstile::Guest {
 public:
  using Answer = std::expected<std::string, Error>;
  using Answered = std::move_only_function<void(Answer)>;
  using Seen = std::move_only_function<void(std::expected<std::vector<ServerStat>, Error>)>;
  using Told = std::move_only_function<void(std::expected<std::vector<StatLine>, Error>)>;
  using Set = std::move_only_function<void(std::expected<std::vector<ServerSetting>, Error>)>;
  using Done = std::move_only_function<void(std::expected<void, Error>)>;

  Haproxy(os::Loop& loop, HaproxyPlace place, std::function<Instant()> now, Duration timeout = std::chrono::seconds(2));
  ~Haproxy() override;
  Haproxy(const Haproxy&) = delete;
  Haproxy& operator=(const Haproxy&) = delete;

  /// The servers of the backend with their counters. Each callback is called exactly once, from the loop or from
  /// `advance`, never from within the call; it may ask again.
  void look(Seen done);
  /// The same of any columns that HAProxy has, of the backend itself, too.
  void look(std::vector<std::string> columns, Told done);

  /// How its servers are set.
  void read_back(Set done);

  /// What the socket allows, such as "admin": nothing can be changed with less.
  void read_level(Answered done);

  /// Every server named in `weights` gets its weight (0 … 256), the raised ones first, and each is read back; a server
  /// that is not named is left alone. Whatever HAProxy forgets meanwhile (a reload), nothing is lowered while nobody
  /// has a weight. Done only when HAProxy has confirmed all of them; an error says how far it came.
  void set_weights(std::map<std::string, int> weights, Done done);

  /// `drain`: it gets no new requests and finishes what it has. `ready`: it gets its share again.
  void set_drain(const std::string& server, bool drain, Done done);

  /// What has answered since the first command may be more than one HAProxy (a reload): one took no commands, or forgot
  /// what it had been told. The one before may still have requests that nobody sees.
  bool was_exchanged() const { return was_exchanged_; }

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  class Exchange;
  struct Command {
    std::string text;
    Instant asked;
    Answered done;
  };
  enum class Trouble { lasting, exchanged, crowded };
  /// Why a command could not be carried out so far.
  struct Miss {
    Trouble trouble = Trouble::lasting;
    std::string text;
    Instant since{};  // it has been this trouble
  };
  struct Writing;
  struct Draining {
    std::string server;
    bool drain = false;
    Done done;
    int rounds = 0;
  };

  void ask(std::string text, Answered done);
  void ask_backend(std::string_view command, std::string_view after, Answered done);
  void ask_stat(Answered done);
  void enter() override;
  void missed(Trouble trouble, std::string text);
  void end(Answer answer);
  Instant ends() const;
  void compare(std::shared_ptr<Writing> writing);
  void write_next(std::shared_ptr<Writing> writing);
  void write_drain(Draining draining);

  os::Loop& loop_;
  HaproxyPlace place_;
  std::function<Instant()> now_;
  Duration timeout_;
  std::shared_ptr<Turnstile> turnstile_;
  std::deque<Command> waiting_;
  std::unique_ptr<Exchange> running_;
  std::optional<Miss> missed_;  // of the first command, until it is answered
  Instant again_at_ = kNever;   // the first command is tried
  bool was_exchanged_ = false;
};

}  // namespace homeostat::traffic
