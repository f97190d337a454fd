// What became of something a runtime was asked to do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/input.hpp"
#include "homeostat/incarnation.hpp"

namespace homeostat::runtime {

struct Outcome {
  engine::OutcomeKind kind = engine::OutcomeKind::failed;
  Incarnation now_running{};  // none: nothing runs, or the runtime cannot tell
  std::uint16_t port = 0;
  std::string detail{};    // for people
  std::string version{};   // of what runs, where the runtime knows it
  bool overruled = false;  // somebody else stopped what was being started
};

/// Called exactly once for each request, possibly before the request returns. It may make the next request.
using Done = std::move_only_function<void(Outcome)>;

/// One instance of a service, by the names that outlive a restart.
struct Target {
  std::string service;
  engine::Slot slot = 0;

  friend auto operator<=>(const Target&, const Target&) = default;
};

}  // namespace homeostat::runtime
