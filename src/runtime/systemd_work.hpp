// What the keeper knows of one unit, and of an order to it.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "runtime/systemd_keeper.hpp"

namespace homeostat::runtime {

/// An order that is being carried out.
struct SystemdKeeper::Work {
  std::uint64_t id = 0;
  Order order;
  Done done;
  Instant ends{};
  Incarnation before{};       // the run that was there, or was last
  bool judged = false;        // it was meant for the run that is there
  bool asked = false;         // from here on something may have happened
  const char* mode = "fail";  // in which it is started
  bool all_done = false;
  bool cancelled = false;  // by somebody else
  std::string left{};      // the version that the link stood for before, while nothing else has happened
  std::deque<Step> steps{};
  std::string job{};  // the path of the one that is waited for
};

struct SystemdKeeper::Unit {
  explicit Unit(Charge kept) : charge(std::move(kept)), path(unit_path(charge.spec.unit)) {}

  Charge charge;
  std::string path;
  UnitState state{};
  bool read = false;           // the state is known
  bool told_to_stop = false;   // since it ran, by somebody else, or so it must be feared
  bool put_down = false;       // since it ran, by us
  std::uint32_t down_job = 0;  // of somebody else's, that was there when it went down
  std::uint32_t seen_job = 0;  // the last one of somebody else's …
  std::uint32_t no_stop = 0;   // … and the last one that is known to be none by which anybody stops it
  std::uint32_t fall_job = 0;  // by which systemd stops it because one that it is bound to has ended
  bool restarting = false;     // since it ran, by systemd itself
  std::uint32_t restarts = 0;  // when it ran
  std::optional<Work> work{};
  Sight last{};

  /// By somebody else.
  bool stopped() const { return told_to_stop || (down_job != 0 && down_job != no_stop); }
  void forget_stop() {
    told_to_stop = put_down = false;
    down_job = 0;
  }
  /// Nobody had it stopped, we neither.
  bool fell() const { return read && state.rests() && !stopped() && !put_down; }
  /// Whoever stopped it does not want it back for the sake of another one. What has not run yet was not stopped.
  bool stays_down() const { return read && state.rests() && !state.run.none() && (stopped() || put_down); }
  /// Nobody has listened: it may have been stopped by others meanwhile, and the restarts so far say nothing of now.
  void meet(const UnitState& fresh) {
    told_to_stop = was_stopped(fresh);
    restarting = false;
    restarts = fresh.restarts;
  }
};

}  // namespace homeostat::runtime
