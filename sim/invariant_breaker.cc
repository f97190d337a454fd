// What holds for the circuit breakers before commands, notifiers and sources of metrics: told from their calls and what
// became of them.
#include <map>
#include <set>

#include "engine/breakers.hpp"
#include "engine/sources.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

constexpr std::string_view kClosed = "closed";
constexpr std::string_view kOpen = "open";
constexpr std::string_view kHalfOpen = "half_open";

/// What stands behind a breaker now; nothing: it is not configured any more.
std::optional<std::uint64_t> identity_of(const Plan& plan, const std::string& name) {
  const auto all = dependencies(plan);
  const auto found = all.find(name);
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

/// An open breaker admits none, a half-open one its limit at a time; it changes only along legal edges, and opens when
/// so many have failed in a row and not before.
class BreakersHold : public Invariant {
 public:
  explicit BreakersHold(Scene& scene) : Invariant(scene, "breakers_hold") {}

  void given(const Input& input) override {
    const auto* told = std::get_if<Measured>(&input);
    if (told == nullptr || told->service >= arena().plan().services.size() || !waits_for(*told)) return;
    const auto round = rounds_.extract(arena().plan().services[told->service].name);
    if (round.empty()) return;
    for (const auto& [metric, id] : round.mapped().calls)
      answered(id, told->metrics[metric].fault != MetricFault::none);
  }
  void recorded(const Record& record) override {
    if (const auto* changed = std::get_if<BreakerChanged>(&record.body)) return moved(*changed, record.at);
    if (const auto* notified = std::get_if<Notified>(&record.body)) return answered(notified->id, !notified->ok);
    const auto* outcome = std::get_if<Outcome>(&record.body);
    if (outcome == nullptr) return;
    if (outcome->outcome == OutcomeKind::not_started) return forget(outcome->id);
    answered(outcome->id, outcome->outcome != OutcomeKind::succeeded);
  }
  void commanded(const Command& command) override {
    const Plan& plan = arena().plan();
    if (const auto* measure = std::get_if<Measure>(&command)) return asked(*measure);
    if (const auto* notify = std::get_if<Notify>(&command)) {
      return called(dependency_of(plan.notifiers[notify->notifier]), notify->escalation);
    }
    const auto* dispatch = std::get_if<Dispatch>(&command);
    if (dispatch == nullptr) return;
    const auto behind = command_behind(plan.services[dispatch->service], dispatch->op);
    if (behind) called(*behind, dispatch->id);
  }
  void stepped() override {
    std::erase_if(rounds_, [this](const auto& round) {
      const auto id = arena().engine().find_service(round.first);
      const auto* live = id ? &arena().engine().state().services[*id].scaling : nullptr;
      if (live == nullptr || !*live || (*live)->measuring) return false;
      unanswered(round.second);
      return true;
    });
    for (const std::string& name : ended_) {
      const Seen& seen = seen_[name];
      if (seen.state != kClosed || seen.failures < limit()) continue;
      expect(false, [&] { return name + " is closed after " + std::to_string(seen.failures) + " failures in a row"; });
    }
    ended_.clear();
  }
  // Those that are not closed are withdrawn by a record.
  void reloaded() override {
    for (auto& [name, seen] : seen_) {
      if (seen.state == kClosed && identity_of(arena().plan(), name) != seen.identity) seen = {};
    }
    // Nobody waits for what was asked before.
    for (const auto& [name, round] : rounds_) {
      for (const auto& [metric, id] : round.calls) forget(id);
    }
    rounds_.clear();
  }
  // What was under way is lost with the engine, and so is what was counted, but not that a breaker was open.
  void durable(const Record& record) override {
    const auto* changed = std::get_if<BreakerChanged>(&record.body);
    if (changed == nullptr) return;
    if (changed->to == kClosed) safe_.erase(changed->breaker);
    if (changed->to == kOpen) safe_[changed->breaker] = Seen{changed->to, changed->probe_at, changed->identity};
  }
  void died() override {
    where_.clear();
    rounds_.clear();
    ended_.clear();
    seen_ = safe_;
  }

 private:
  struct Seen {
    std::string state{kClosed};
    Instant probe_at = kNever;
    std::uint64_t identity = 0;
    std::uint32_t failures = 0;  // in a row, of the calls that this state has admitted
    bool last_failed = false;
    std::set<CommandId> calls{};  // admitted by this state, without an answer
  };
  /// What the metrics of one service were asked in one round.
  struct Round {
    Instant at{};
    std::vector<std::pair<std::size_t, CommandId>> calls;
  };
  bool waits_for(const Measured& told) const {
    const auto& live = arena().engine().state().services[told.service].scaling;
    const auto& scaling = arena().plan().services[told.service].scaling;
    // What was asked before a reload may be of other metrics.
    const bool fits = scaling && told.metrics.size() == scaling->policy.metrics.size();
    return fits && live && live->measuring && live->round == told.round;
  }
  void asked(const Measure& c) {
    const ServicePlan& service = arena().plan().services[c.service];
    unanswered(rounds_[service.name]);
    Round& round = rounds_[service.name] = {arena().now(), {}};
    for (std::size_t i = 0; i < service.scaling->policy.metrics.size(); ++i) {
      const auto behind = source_behind(service, i);
      if (!behind || (c.held >> i & 1) != 0) continue;
      round.calls.emplace_back(i, CommandId{0, ++questions_});
      called(*behind, round.calls.back().second);
    }
  }
  void unanswered(const Round& round) {
    for (const auto& [metric, id] : round.calls) answered(id, true);
  }
  /// Without an answer for so long it has failed.
  void give_up(const std::string& breaker, Instant now) {
    for (const auto& [name, round] : rounds_) {
      if (now < later(round.at, std::chrono::seconds(10))) continue;
      for (const auto& [metric, id] : round.calls) {
        const auto where = where_.find(id);
        if (where != where_.end() && where->second == breaker) return answered(id, true);
      }
    }
  }
  std::uint32_t limit() const { return arena().plan().breaker.consecutive_failures; }

  void called(const Dependency& behind, CommandId id) {
    Seen& seen = seen_[behind.name];
    seen.identity = behind.identity;
    if (seen.state != kClosed) {
      const bool room = seen.calls.size() < arena().plan().breaker.half_open_max_calls;
      expect(seen.state == kHalfOpen && room, [&] { return behind.name + " is " + seen.state + " and admits a call"; });
    }
    seen.calls.insert(id);
    where_[id] = behind.name;
  }
  void answered(CommandId id, bool failed) {
    const auto where = where_.extract(id);
    if (where.empty()) return;
    Seen& seen = seen_[where.mapped()];
    if (seen.calls.erase(id) == 0) return;  // an older state has admitted it
    seen.last_failed = failed;
    seen.failures = failed ? seen.failures + 1 : 0;
    ended_.insert(where.mapped());
  }
  void forget(CommandId id) {
    const auto where = where_.extract(id);
    if (!where.empty()) seen_[where.mapped()].calls.erase(id);
  }
  void moved(const BreakerChanged& r, Instant at) {
    give_up(r.breaker, at);
    Seen& seen = seen_[r.breaker];
    expect(r.from == seen.state && legal(r, seen, at), [&] {
      return r.breaker + " is " + seen.state + " and goes from " + r.from + " to " + r.to + " (" + r.reason + ")";
    });
    seen = Seen{r.to, r.to == kHalfOpen ? seen.probe_at : r.probe_at, r.identity};
  }
  // Nobody has asked it for calls: what it has counted speaks for itself. Who is started anew is tried at once.
  bool legal_by_rate(const BreakerChanged& r, Instant at) const {
    const BreakerOptions& options = breaker_options(arena().plan(), r.breaker);
    const bool fails = static_cast<double>(r.failed) * 100 >= options.failure_rate * static_cast<double>(r.calls);
    const bool wait = r.probe_at > at && r.probe_at <= later(at, options.open_cap);
    if (r.from == kClosed) return r.to == kOpen && wait && fails && r.calls >= options.min_calls;
    if (r.from == kHalfOpen && r.to == kOpen) return wait && fails && r.calls >= options.success_threshold;
    if (r.from == kHalfOpen && r.reason == "proved") return !fails && r.calls >= options.success_threshold;
    return (r.from == kOpen && r.to == kHalfOpen) || (r.to == kClosed && r.reason == "withdrawn");
  }
  // What a proxy answered is not told apart here.
  bool legal_of_proxy(const BreakerChanged& r, const Seen& seen, Instant at) const {
    const bool wait = r.probe_at > at && r.probe_at <= later(at, arena().plan().breaker.open_cap);
    if (r.to == kOpen) return wait && (r.from == kHalfOpen || (r.from == kClosed && r.failures == limit()));
    return r.to == kClosed || (r.from == kOpen && at >= seen.probe_at);
  }
  bool legal(const BreakerChanged& r, const Seen& seen, Instant at) const {
    if (r.breaker.starts_with("traffic:")) return legal_by_rate(r, at);
    if (r.breaker.starts_with("proxy:")) return legal_of_proxy(r, seen, at);
    const bool wait = r.probe_at > at && r.probe_at <= later(at, arena().plan().breaker.open_cap);
    if (r.from == kClosed) return r.to == kOpen && wait && seen.failures == limit();
    if (r.from == kOpen && r.to == kHalfOpen) return at >= seen.probe_at;
    if (r.from == kHalfOpen && r.to == kOpen) return seen.last_failed && wait;
    if (r.to != kClosed) return false;
    const bool proved = r.from == kHalfOpen && r.reason == "proved" && seen.calls.empty() && !seen.last_failed;
    return proved || r.reason == "forced" || r.reason == "withdrawn";
  }

  std::map<std::string, Seen> seen_;
  std::map<CommandId, std::string> where_;
  std::map<std::string, Round> rounds_;  // of services, without an answer
  std::uint64_t questions_ = 0;
  std::set<std::string> ended_;
  std::map<std::string, Seen> safe_;  // those that the journal knows as open
};

/// One that was open when the engine was killed is open again until the same time, unless it stands before something
/// else now.
class OpenSurvives : public Invariant {
 public:
  explicit OpenSurvives(Scene& scene) : Invariant(scene, "open_breakers_survive_a_crash") {}
  void durable(const Record& record) override {
    const auto* changed = std::get_if<BreakerChanged>(&record.body);
    if (changed == nullptr) return;
    if (changed->to == kClosed) open_.erase(changed->breaker);
    if (changed->to == kOpen) open_[changed->breaker] = {changed->probe_at, changed->identity};
  }
  void booted() override {
    const auto& breakers = arena().engine().state().breakers;
    for (const auto& [name, was] : open_) {
      if (identity_of(arena().plan(), name) != was.identity) continue;
      const auto found = breakers.find(name);
      const bool open = found != breakers.end() && found->second.machine.state() == BreakerState::open &&
                        found->second.machine.open_until() == was.probe_at;
      expect(open, [&, &which = name] { return which + " was open when the engine was killed, and is no more"; });
    }
  }

 private:
  struct Open {
    Instant probe_at{};
    std::uint64_t identity = 0;
  };
  std::map<std::string, Open> open_;
};

}  // namespace

void add_breaker_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<BreakersHold>(scene));
  out.push_back(std::make_unique<OpenSurvives>(scene));
}

}  // namespace homeostat::sim
