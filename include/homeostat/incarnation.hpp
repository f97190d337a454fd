// Which run of an instance is meant. An action names the incarnation it was decided for, so that it never hits another.
#pragma once

#include <cstdint>

namespace homeostat {

/// For a process: id = pid, started = start time in clock ticks since boot, boot = a number of the boot.
/// What others run (systemd) is named by 128 bits that are never the same again.
/// All zero: no incarnation (nothing was running).
struct Incarnation {
  std::uint64_t id = 0;
  std::uint64_t started = 0;
  std::uint64_t boot = 0;

  /// 0: it is not named by one.
  constexpr std::uint64_t pid() const { return id <= (1U << 22) ? id : 0; }
  constexpr bool none() const { return id == 0 && started == 0; }
  friend constexpr bool operator==(const Incarnation&, const Incarnation&) = default;

  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("id", self.id);
    visit("started", self.started);
    visit("boot", self.boot);
  };
};

}  // namespace homeostat
