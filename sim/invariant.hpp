// One thing that always holds, checked against the ledger at everything that happens.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/ledger.hpp"

namespace homeostat::sim {

/// What every invariant sees, and where the first broken one says so.
struct Scene {
  Arena& arena;
  Ledger& ledger;
  std::string broken;  // the invariant's name; empty: all hold
  std::string how;
};

class Invariant : public Witness {
 public:
  Invariant(Scene& scene, std::string_view name) : scene_(scene), name_(name) {}
  std::string_view name() const { return name_; }
  /// How often it could have been broken, and was not.
  std::uint64_t tested() const { return tested_; }

 protected:
  Arena& arena() const { return scene_.arena; }
  Ledger& ledger() const { return scene_.ledger; }
  /// One test of it. `how` is called when it does not hold.
  template <class How>
  void expect(bool holds, How how) {
    ++tested_;
    if (holds || !scene_.broken.empty()) return;
    scene_.broken = name_;
    scene_.how = how();
    arena().enough();
  }

 private:
  Scene& scene_;
  std::string_view name_;
  std::uint64_t tested_ = 0;
};

/// The action in words: "restart of web/1 (2.17)".
std::string words(const engine::Intent& intent);

/// The truth: so many instances as its load needs, and not many more.
bool scaled_to_need(const Arena& arena, const engine::ServicePlan& plan);

using Invariants = std::vector<std::unique_ptr<Invariant>>;

// One function a file of invariants.
void add_action_invariants(Scene& scene, Invariants& out);
void add_target_invariants(Scene& scene, Invariants& out);
void add_evidence_invariants(Scene& scene, Invariants& out);
void add_limit_invariants(Scene& scene, Invariants& out);
void add_ladder_invariants(Scene& scene, Invariants& out);
void add_operator_invariants(Scene& scene, Invariants& out);
void add_journal_invariants(Scene& scene, Invariants& out);
void add_breaker_invariants(Scene& scene, Invariants& out);
void add_scaling_invariants(Scene& scene, Invariants& out);
void add_rollout_invariants(Scene& scene, Invariants& out);
void add_guard_invariants(Scene& scene, Invariants& out);
void add_traffic_invariants(Scene& scene, Invariants& out);
void add_rest_invariants(Scene& scene, Invariants& out);

}  // namespace homeostat::sim
