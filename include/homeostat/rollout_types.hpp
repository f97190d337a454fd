// The words of the rollout: what is wanted of it, what it is told, what it wants done, what it remembers.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat::rollout {

/// Shares of the traffic are whole numbers, in hundredths of a percent.
inline constexpr std::uint32_t kAll = 10'000;
/// A pause that only a person ends.
inline constexpr Duration kForever = Duration::max();
inline constexpr std::size_t kMostStages = 32;
inline constexpr std::size_t kMostGates = 16;

enum class Strategy : std::uint8_t {
  canary,      // a few instances of the new version beside the old ones, then more
  blue_green,  // all instances of the new version beside the old ones; only the traffic moves
  rolling,     // one after the other, without stages
};
/// How traffic is divided: something in front of the instances takes weights, or each instance gets as much.
enum class Routing : std::uint8_t { by_weight, by_count };
/// When a stage's gates are still open at its deadline.
enum class AtDeadline : std::uint8_t { roll_back, promote, freeze };
enum class GateResult : std::uint8_t {
  waiting,
  passed,
  failed,
  closed,  // not at this time: the deadline does not run meanwhile
};
enum class Phase : std::uint8_t {
  shifting,     // on the way to the stage's share
  baking,       // there: its gates decide
  watching,     // all traffic is on the new version, and it is still looked at
  finishing,    // what is left of the old version goes away
  reverting,    // back to the old version
  promoted,     // done
  rolled_back,  // done
};

inline constexpr std::array<std::string_view, 3> kStrategyNames{"canary", "blue_green", "rolling"};
constexpr std::span<const std::string_view> names_of(Strategy) { return kStrategyNames; }
inline constexpr std::array<std::string_view, 3> kAtDeadlineNames{"roll_back", "promote", "freeze"};
constexpr std::span<const std::string_view> names_of(AtDeadline) { return kAtDeadlineNames; }
inline constexpr std::array<std::string_view, 4> kGateResultNames{"waiting", "passed", "failed", "closed"};
constexpr std::span<const std::string_view> names_of(GateResult) { return kGateResultNames; }
inline constexpr std::array<std::string_view, 7> kPhaseNames{"shifting",  "baking",   "watching",   "finishing",
                                                             "reverting", "promoted", "rolled_back"};
constexpr std::span<const std::string_view> names_of(Phase) { return kPhaseNames; }

template <class Enum>
constexpr std::string_view to_string(Enum value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

struct Stage {
  std::uint32_t traffic = kAll;        // of the new version
  Duration bake{};                     // it lasts so long at least
  std::vector<std::string> gates{};    // each must have passed
  std::optional<Duration> pause = {};  // after the bake
  friend bool operator==(const Stage&, const Stage&) = default;
};

struct Policy {
  Strategy strategy = Strategy::canary;
  Routing routing = Routing::by_count;
  std::uint32_t surge = 1;         // instances beyond those that are needed; 0: one is replaced at a time
  std::uint32_t baseline = 0;      // so many new instances of the old version are compared with, where there is room
  std::vector<Stage> stages = {};  // all of the traffic follows the last one
  Duration step_within = std::chrono::minutes(15);
  Duration deadline = std::chrono::hours(1);  // of a stage, its bake and pause not counted
  AtDeadline at_deadline = AtDeadline::roll_back;
  Duration watch_after{};  // so long after all traffic is on it, harm still brings the old version back

  Policy& add_stage(double percent, std::vector<std::string> gates = {}, Duration bake = {});
  friend bool operator==(const Policy&, const Policy&) = default;
};

/// Nothing, or what is wrong: the field, and what it may be.
std::expected<void, std::string> validate(const Policy& policy);

/// So many instances of each version, and the new version's share of the traffic. Each of the baseline, which runs the
/// old version and was started with the new one, gets as much of it as one of the new version.
struct Split {
  std::uint32_t stable = 0;
  std::uint32_t fresh = 0;
  std::uint32_t weight = 0;
  std::uint32_t baseline = 0;
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("stable", self.stable);
    visit("fresh", self.fresh);
    visit("weight", self.weight);
    visit("baseline", self.baseline);
  };
  friend bool operator==(const Split&, const Split&) = default;
};

/// What shall be so now, in absolute numbers: doing it twice does nothing more. It counts when it is confirmed.
struct Step {
  std::uint32_t id = 0;
  Split to{};
  Instant since{};
  std::string why{};
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("id", self.id);
    visit("to", self.to);
    visit("since", self.since);
    visit("why", self.why);
  };
  friend bool operator==(const Step&, const Step&) = default;
};

/// What is so at the moment.
struct Seen {
  std::uint32_t needed = 1;        // instances that carry all of the traffic
  std::uint32_t ready_stable = 0;  // without the baseline
  std::uint32_t ready_fresh = 0;
  // People may have stopped some: so many can run at all, and so many of each version are still meant to, the baseline
  // beside them.
  static constexpr std::uint32_t kAny = 0xffffffffU;
  std::uint32_t room = kAny;
  std::uint32_t stable = kAny;
  std::uint32_t fresh = kAny;
  std::uint32_t baseline = kAny;
  bool dark = false;  // nobody can see now: no deadline comes, and no step is late
};

struct Gate {
  std::string name{};
  GateResult result = GateResult::waiting;
  std::string why{};
  std::string by{};  // a person who passed it
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("name", self.name);
    visit("result", self.result);
    visit("why", self.why);
    visit("by", self.by);
  };
  friend bool operator==(const Gate&, const Gate&) = default;
};

/// A stage that is over.
struct Passed {
  std::uint32_t stage = 0;
  Instant at{};
  std::vector<std::string> waived{};  // gates that had not passed
  std::string by{};                   // who waived them, or ended the stage early; empty: nobody
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("stage", self.stage);
    visit("at", self.at);
    visit("waived", self.waived);
    visit("by", self.by);
  };
  friend bool operator==(const Passed&, const Passed&) = default;
};

struct State {
  std::string from{};  // the version that is known to be good
  std::string to{};
  std::string next{};  // begins when this one has ended
  std::string by{};
  Phase phase = Phase::shifting;
  std::uint32_t stage = 0;
  std::uint32_t needed = 1;                 // the most that was needed since it began: it does not shrink meanwhile
  Split split{};                            // confirmed
  std::optional<Step> step = std::nullopt;  // under way
  std::uint32_t steps = 0;
  Instant began{};
  Instant since{};   // of the phase; while it moves: of its last step
  Instant opened{};  // since when no gate of the stage is closed; kNever: one is
  bool unpaused = false;
  std::vector<Gate> gates{};  // of the stage
  std::vector<Passed> passed{};
  std::string frozen{};   // why nothing moves; empty: it does
  std::string blocked{};  // the same, for as long as what divides the traffic does not do as it is told
  std::string harm{};     // why the new version must go; empty: it need not
  bool bad = false;       // … and must not come again by itself
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("from", self.from);
    visit("to", self.to);
    visit("next", self.next);
    visit("by", self.by);
    visit("phase", self.phase);
    visit("stage", self.stage);
    visit("needed", self.needed);
    visit("split", self.split);
    visit("step", self.step);
    visit("steps", self.steps);
    visit("began", self.began);
    visit("since", self.since);
    visit("opened", self.opened);
    visit("unpaused", self.unpaused);
    visit("gates", self.gates);
    visit("passed", self.passed);
    visit("frozen", self.frozen);
    visit("blocked", self.blocked);
    visit("harm", self.harm);
    visit("bad", self.bad);
  };
  friend bool operator==(const State&, const State&) = default;
};

}  // namespace homeostat::rollout
