// Those who run instances for us (systemd …): what they tell becomes inputs of the engine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "config/config.hpp"
#include "daemon/restarts.hpp"
#include "engine/engine.hpp"
#include "os/loop.hpp"
#include "probe/judge.hpp"
#include "runtime/keeper.hpp"

namespace homeostat::daemon {

class Keepers {
 public:
  using Feed = std::function<void(engine::Input)>;

  Keepers(os::Loop& loop, const engine::Engine& engine, Feed feed)
      : loop_(loop), engine_(engine), feed_(std::move(feed)) {}

  void configure(const config::Config& config);
  /// Looks for every instance; what is found is fed. `found` is called once all is known, or will not be soon.
  void find_all(Instant now, std::function<void()> found);

  /// Null: the service is run otherwise.
  const runtime::KeptSpec* spec_of(engine::ServiceId service) const;
  void perform(const engine::Dispatch& command, const runtime::Target& target, const std::string& version, Instant now,
               runtime::Done done);
  /// Tells the engine what differs from what it knows. Only while no other input waits.
  void reconcile();
  /// The run that is there, or of which nobody can tell whether it is; none: nothing runs.
  Incarnation running(engine::ServiceId service, engine::Slot slot) const;
  /// The instance as its keeper sees it.
  probe::Finding says(engine::ServiceId service, engine::Slot slot, const probe::RuntimeSpec& spec) const;

  /// A run was begun that nobody of us has ordered.
  std::function<void(engine::ServiceId, engine::Slot, const Incarnation&)> begun_by_others;

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  struct Known {
    std::string whose{};  // what is seen
    runtime::Sight sight{};
    Restarts restarts{};
    bool moved = false;  // what ran last was not seen here: another unit, or another runtime
    std::string held{};  // what the engine was told last
    bool told = true;    // the engine knows of the sight
    bool ordered = false;
    bool came_wanted = false;            // it is coming up, and was wanted when that began
    bool overruled = false;              // since it was ordered, by others who stopped it
    std::optional<Incarnation> heard{};  // the last run that the engine was told of, if anything was
  };

  runtime::Keeper* keeper_of(const runtime::KeptSpec& spec);
  void saw(const runtime::Target& target, const runtime::Sight& sight);
  void find(engine::ServiceId service, engine::Slot slot, Known& known);
  /// It was running and does not any more, without a failure.
  bool finished(engine::ServiceId service, engine::Slot slot, const runtime::Sight& sight);
  engine::Found at_rest(engine::ServiceId service, engine::Slot slot, const Known& known) const;
  void hold(engine::ServiceId service, engine::Slot slot, Known& known);
  void tell(engine::ServiceId service, engine::Slot slot, Known& known);
  bool all_seen() const;
  void end_finding();

  os::Loop& loop_;
  const engine::Engine& engine_;
  Feed feed_;
  const config::Config* config_ = nullptr;
  std::map<std::string, std::unique_ptr<runtime::Keeper>> keepers_;  // by where they are reached
  std::map<runtime::Target, Known> known_;
  std::function<void()> found_;  // while it is being looked for
  Instant find_until_{};
  Instant now_{};
};

}  // namespace homeostat::daemon
