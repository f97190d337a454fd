// The decisions of a Healer: which look is due, which remedy is next, what an answer means. It is told the time and
// calls nothing, so that it can be tested in any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/healing.hpp"
#include "homeostat/random.hpp"
#include "homeostat/strategy.hpp"

namespace homeostat {

enum class CallKind : std::uint8_t { look, remedy, escalation };

/// A callable that must be called now. Answered once by its *_done function, and perhaps before by timed_out.
struct Call {
  std::uint64_t id = 0;
  CallKind kind = CallKind::look;
  std::size_t check = 0;
  std::size_t remedy = 0;
};

enum class RemedyAnswer : std::uint8_t { repaired, failed, not_met };

class HealerCore {
 public:
  HealerCore(std::uint64_t seed, std::size_t history_limit) : random_(seed), seed_(seed), limit_(history_limit) {}

  std::expected<void, std::string> add(std::shared_ptr<const Check> check);

  /// Gives checks that are new a place: due at `now`, or somewhere within their first interval (`spread`).
  void place(Instant now, bool spread);
  /// What must be called at `now`. Time that goes back counts as standing still, here and below.
  std::vector<Call> due(Instant now);

  void look_done(const Call& call, const Observation& seen, std::string detail, Instant now);
  void remedy_done(const Call& call, RemedyAnswer answer, const std::string& detail, Instant now);
  void escalation_done(const Call& call, bool ok, const std::string& detail, Instant now);
  void timed_out(const Call& call, Instant now);

  /// When due() has something to say again, if no answer comes before.
  Instant next_deadline() const;

  std::shared_ptr<const Check> check(std::size_t index) const { return watched_[index].check; }
  Escalation escalation(std::size_t index) const;
  RepairContext repair_context(std::size_t index) const;
  std::vector<CheckState> states() const;
  std::optional<CheckState> state(std::string_view id) const;
  const std::deque<HealingEvent>& history() const { return history_; }

 private:
  enum class Phase : std::uint8_t { quiet, waiting, repairing, verifying };

  struct Watched {
    std::shared_ptr<const Check> check;
    std::vector<RungPolicy> rungs;
    Health health;
    std::string detail;
    Instant last_check = kLongAgo;

    Instant anchor = kNever;  // kNever: has no place yet
    Instant next_look = kNever;
    Instant scheduled = kLongAgo;  // of the latest look
    std::uint64_t look = 0;        // the call under way; 0: none
    bool look_overdue = false;

    Phase phase = Phase::quiet;
    LadderState ladder;
    Instant failing_since = kNever;     // of the incident under way
    std::size_t remedy = 0;             // the one that is run or verified
    std::uint64_t repair = 0;           // the remedy call that is waited for
    std::vector<std::uint64_t> runs{};  // the call under way of each remedy, also an overdue one
    Instant verify_until = kNever;
    std::uint64_t proof_from = 0;  // looks with a lower id began before the repair ended: they prove nothing
    std::uint64_t escalation = 0;
    bool escalated = false;
  };

  Instant tick(Instant now);
  void schedule_look(Watched& watched, Instant now);
  void take(Watched& watched, const Observation& seen, std::uint64_t id, Instant now);
  void start_look(std::size_t index, Instant now, std::vector<Call>& out);
  void heal(std::size_t index, Instant now, std::vector<Call>& out);
  bool start_try(std::size_t index, Instant now, std::vector<Call>& out);
  void escalate(std::size_t index, Instant now, std::vector<Call>& out);
  void give_up_try(Watched& watched, Instant now);
  void close(Watched& watched, HealingStep step, Instant now);
  void record(const Watched& watched, HealingStep step, std::string remedy, std::string detail, Instant now);
  CheckState describe(const Watched& watched) const;

  std::vector<Watched> watched_;
  std::deque<HealingEvent> history_;
  Random random_;
  std::uint64_t seed_;
  std::size_t limit_;
  std::uint64_t next_id_ = 1;
  Instant now_ = kLongAgo;
};

}  // namespace homeostat
