// The real daemon is killed at random points while it looks after services that another program runs. Each of them
// notes its starts itself, durably; for everything that is done to it, it is started once more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "lab.hpp"
#include "phases.hpp"

namespace homeostat::soak {

/// Services that run in a real runtime. `web` and `other` are looked after in `lab()`, which is configured.
class KeptWorld {
 public:
  virtual ~KeptWorld() = default;
  /// Empty when it can be used, else why it cannot here.
  virtual std::string begin() = 0;
  virtual lab::Lab& lab() = 0;
  /// Its process is killed.
  virtual void crash(const std::string& service) = 0;
  /// It goes on running, and fails its check until it is started again.
  virtual void sicken(const std::string& service) = 0;
  /// How often it has been started.
  virtual std::uint64_t starts(const std::string& service) = 0;
};

/// How such a service is looked after: `run` starts it, and the file `sign` is there while it is well.
std::string looked_after(const std::string& name, const std::string& run, const std::string& sign);

/// `script` makes a systemd the first process of namespaces of its own.
std::unique_ptr<KeptWorld> systemd_world(const std::string& script);
/// `script` begins a podman of its own.
std::unique_ptr<KeptWorld> podman_world(const std::string& script);

struct KeptReport {
  std::uint64_t kills = 0;
  PhaseCounts phases;
  std::uint64_t starts = 0;  // noted by the services
  std::uint64_t locked = 0;  // an action of which nobody could tell what became of it, told to a person
  std::string problem;       // the first thing that was wrong; empty: nothing
};
std::ostream& operator<<(std::ostream& out, const KeptReport& report);

/// Ends early at the first problem. `progress` is told how many kills are done.
KeptReport run_kept_kills(KeptWorld& world, std::uint64_t seed, std::uint64_t count,
                          const std::function<void(std::uint64_t)>& progress = {});

}  // namespace homeostat::soak
