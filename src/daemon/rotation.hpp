// Takes instances out of the proxy's rotation before a planned stop, and puts them back when they run again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "engine/engine.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::daemon {

/// A proxy that does not answer holds nothing up: what was to be stopped is stopped, and that it could not be taken out
/// is said. What somebody else has drained or put in maintenance stays so.
class Rotation {
 public:
  /// False: it is not stopped after all.
  using Then = std::move_only_function<bool(Instant)>;

  Rotation(os::Loop& loop, const engine::Engine& engine, std::function<Instant()> now);
  ~Rotation();
  Rotation(const Rotation&) = delete;
  Rotation& operator=(const Rotation&) = delete;

  /// A configuration has been loaded: services have other numbers. What is under way goes on as it was begun.
  void configure(const config::Config& config);

  /// The instance gets no new requests once another one takes them, and `then` is called when it has none left, or when
  /// its time is up. Without a proxy: at once. If it is not stopped after all, it gets them again.
  void take_out(engine::ServiceId service, engine::Slot slot, Instant now, Then then);
  /// When this run of it is well. `ours`: if it is drained, it is by a life of ours that has ended since.
  void put_back(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run,
                bool ours = false);

  /// Others have begun this run of it: what we have drained gets requests again when it is well.
  void begun_by_others(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run);

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  class Task;
  class TakingOut;
  class PuttingBack;
  class GivingUp;
  /// Two proxies may have the same names.
  struct Key {
    std::string socket, backend, server;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  const traffic::Spec* spec_of(engine::ServiceId service) const;
  std::vector<std::string> others_of(engine::ServiceId service, engine::Slot slot) const;
  void begin(std::unique_ptr<Task> task);

  os::Loop& loop_;
  const engine::Engine& engine_;
  std::function<Instant()> now_;
  const config::Config* config_ = nullptr;
  std::vector<std::unique_ptr<Task>> tasks_;
  // Of each server whether its drain is of our making; not known of one that may be older than we are.
  std::map<Key, bool> ours_;
  /// What was taken out last for each place: a reload may have taken the proxy away since.
  struct Led {
    traffic::Spec spec;
    std::string server;
  };
  std::map<std::pair<std::string, engine::Slot>, Led> led_;
  std::set<Key> served_;  // have been in the rotation in this life of ours
};

}  // namespace homeostat::daemon
