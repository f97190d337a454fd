// What has really happened, written down as it happens: the truth that invariants are checked against. Nothing in it is
// the engine's own opinion.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/arena.hpp"

namespace homeostat::sim {

/// The life of one intent.
struct Story {
  engine::Intent intent;
  std::uint32_t service = 0;
  std::uint32_t round = 0;  // of the ladder, when it was intended
  bool durable = false;
  bool approved = false;
  bool approval_durable = false;
  Instant approved_at = kNever;
  std::uint32_t outcomes = 0;
  std::optional<engine::OutcomeKind> outcome;
  bool outcome_durable = false;
  std::uint32_t dispatches = 0;
  Instant dispatched_at = kNever;
  std::uint32_t stops = 0;
  std::uint32_t others = 0;  // deeds that are no stops
  bool repairs() const {
    return intent.origin == engine::Origin::ladder || (intent.by.empty() && intent.origin == engine::Origin::operation);
  }
};

/// What the engine was told of one check of one place.
struct Told {
  std::uint32_t bad = 0;   // in a row
  std::uint32_t good = 0;  // in a row
  bool verdict = false;    // bad often enough, and not well often enough since
  bool direct = false;     // the last bad one
  Instant last = kLongAgo;
  Instant last_good = kLongAgo;
  Instant last_bad = kLongAgo;
};

/// What happened to one place.
struct Spot {
  std::vector<Told> checks;  // by the plan's number of the check
  Instant last_deed = kLongAgo;
  Instant own_fault = kLongAgo;  // the last bad answer that was not the network's
  bool dead = false;             // the engine was told
  LadderState ladder;
  LadderState safe_ladder;
  std::uint32_t round = 0;  // how often its ladder began anew
  std::uint32_t safe_round = 0;
};

class Ledger : public Witness {
 public:
  explicit Ledger(Arena& arena) : arena_(arena) {}
  void given(const engine::Input& input) override;
  void recorded(const engine::Record& record) override;
  void commanded(const engine::Command& command) override;
  void durable(const engine::Record& record) override;
  void did(const Deed& deed) override;
  void died() override;
  void booted() override;

  Story* find(engine::CommandId id);
  std::map<engine::CommandId, Story>& stories() { return stories_; }
  Spot& spot(std::uint32_t service, Slot slot);
  /// The target of the observation that was given last, when the engine waited for it.
  const engine::Target* observed() const { return observed_; }
  Instant last_gap() const { return last_gap_; }

 private:
  void told(const engine::Observed& in);
  static void move(LadderState& state, std::uint32_t& round, const LadderState& next);

  Arena& arena_;
  std::map<engine::CommandId, Story> stories_;
  std::vector<std::vector<Spot>> spots_;
  const engine::Target* observed_ = nullptr;
  Instant last_gap_ = kLongAgo;
};

}  // namespace homeostat::sim
