// The engine's measure commands: processor time and memory of the instances that run, answered at once.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "engine/engine.hpp"
#include "os/usage.hpp"

namespace homeostat::daemon {

class Meters {
 public:
  using Feed = std::function<void(engine::Input)>;

  Meters(const engine::Engine& engine, Feed feed) : engine_(engine), feed_(std::move(feed)) {}

  /// Services have other numbers: a configuration has been loaded.
  void configure() { last_.clear(); }
  void measure(const engine::Measure& command, Instant now);

 private:
  /// What an instance had used when it was last looked at.
  struct Seen {
    Incarnation incarnation;
    Instant at{};
    os::Usage usage;
  };

  void add(engine::ServiceId service, engine::Slot slot, const engine::InstanceState& instance, Instant now,
           engine::Measured& answer);

  const engine::Engine& engine_;
  Feed feed_;
  std::map<std::pair<engine::ServiceId, engine::Slot>, Seen> last_;
};

}  // namespace homeostat::daemon
