// Somebody else who runs instances for us, and lives by himself: systemd, for one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/loop.hpp"
#include "runtime/outcome.hpp"
#include "runtime/spec.hpp"

namespace homeostat::runtime {

/// How an instance is, as its keeper has told last.
struct Sight {
  enum class Is : std::uint8_t {
    unreachable,  // the keeper does not tell
    busy,         // it is being started or stopped, by the keeper himself or by others
    running,      // the run `run`
    ended,        // by itself
    stopped,      // it does not run because somebody wanted so, or nobody has started it yet
  };
  Is is = Is::unreachable;
  Incarnation run{};
  bool known = false;  // ended: how
  bool signalled = false;
  std::int32_t code = 0;       // the exit status, or the signal's number; 0 of a signal: he does not tell which
  bool out_of_memory = false;  // signalled: because it needed more than it may have
  std::string detail{};        // for people
  std::string version{};       // of what runs, where there are releases
  std::uint32_t restarts = 0;  // by the keeper himself, so far
  std::string unwell{};        // he says that it is not well although it runs; empty: he does not
  bool unfit = false;          // it could not be started if it had to be: `detail` says why
  friend bool operator==(const Sight&, const Sight&) = default;
};

/// One instance and what it is called there.
struct Charge {
  Target target;
  KeptSpec spec;  // with {instance} filled in
  friend bool operator==(const Charge&, const Charge&) = default;
};

/// Start, stop or restart, meant for the run `expected` (none: it must not run).
struct Order {
  Target target;
  engine::Op op = engine::Op::start;
  Incarnation expected;
  std::string version;  // empty: as it is
};

/// Single threaded, never waits. Give it the time by `advance` when `next_deadline` has come.
///
/// An order for another run than the one that is there ends as not_started, and so does any while the keeper cannot be
/// reached or is at it himself. What was asked for and never answered ends as unknown; nothing is ever asked twice.
class Keeper {
 public:
  /// Called when something has changed; not while an order for the target is carried out.
  using OnSight = std::function<void(const Target&, const Sight&)>;

  virtual ~Keeper() = default;
  /// Everything it is to look after from now on.
  virtual void keep(std::vector<Charge> charges) = 0;
  virtual void perform(Order order, Instant now, Done done) = 0;
  virtual std::optional<Instant> next_deadline() const = 0;
  virtual void advance(Instant now) = 0;
};

/// `looks_only`: it gets no orders, and does nothing of its own accord either.
std::unique_ptr<Keeper> make_keeper(os::Loop& loop, const KeptSpec& spec, Keeper::OnSight on_sight,
                                    bool looks_only = false);

}  // namespace homeostat::runtime
