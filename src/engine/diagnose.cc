#include "engine/diagnose.hpp"

#include "core/planted.hpp"
#include "engine/actions.hpp"
#include "engine/calls.hpp"
#include "engine/evidence.hpp"
#include "engine/looking.hpp"
#include "engine/maintenance.hpp"

namespace homeostat::engine {
namespace {

using diagnosis::Evidence;
using diagnosis::Finding;
using diagnosis::Sign;

constexpr Duration kLookAgain = std::chrono::seconds(1);
// A look that has not been answered by then says that it cannot be had.
constexpr Duration kLooksEnd = std::chrono::seconds(10);
constexpr Duration kAskAgain = std::chrono::seconds(5);
// Those that wait for each other are taken for what they are when no other root has been found by then.
constexpr Duration kWaitsEnd = std::chrono::minutes(1);
// So long what was repaired in vain leaves it to others, at most.
constexpr Duration kTurnOfOthers = std::chrono::minutes(10);
// A check may see what failed first so much later.
constexpr Duration kSeenLater = std::chrono::seconds(10);
constexpr std::size_t kCandidates = 3;
// What fails so long after what it needs has another cause, while others of its service go on.
constexpr Duration kHasGoneOn = std::chrono::minutes(5);
// A check that looks less often is not waited for: it is made to look when the time is over.
constexpr Duration kLooksOften = std::chrono::minutes(1);
constexpr std::string_view kGivenTime = "it is given time to recover by itself";

// What nobody has said anything about is repaired on its own, and explains nothing.
bool is_linked(const Turn& t, ServiceId id) {
  const diagnosis::Graph& graph = t.s.index.diagnosing.machine->graph();
  return !graph.dependencies(id).empty() || !graph.dependents(id).empty();
}

// Most services are well, and then their status says so.
bool may_alarm(const Turn& t, ServiceId id) {
  const ServiceState& state = *t.s.index.facts[id];
  const bool stopped = state.stopped || !state.stopped_slots.empty();
  return state.incident != 0 || stopped || t.s.services[id].status != Status::healthy;
}

void diagnose(Turn& t) {
  if (t.diagnosed) return;
  t.diagnosed = true;
  Diagnosing& d = t.s.index.diagnosing;
  d.evidence.assign(t.s.services.size(), {});
  for (ServiceId id = 0; id < t.s.services.size(); ++id) {
    if (is_linked(t, id) && may_alarm(t, id)) d.evidence[id] = evidence_of(t, id);
  }
  for (const auto& [place, at] : t.s.suspects) {
    if (is_linked(t, place.service)) d.evidence[place.service] = evidence_of(t, place.service);
  }
  d.machine->diagnose(d.evidence, d.report);
}

const Finding* finding_of(const Turn& t, ServiceId id) {
  for (const Finding& one : t.s.index.diagnosing.report.findings) {
    if (one.node == id) return &one;
  }
  return nullptr;
}

std::string name_of(const Turn& t, diagnosis::Node node) {
  return node < t.s.plan.services.size() ? t.s.plan.services[node].name : std::string();
}

void record(Turn& t, ServiceId id, const Finding& finding, const std::string& reason) {
  const ServiceState& state = t.durable(id);
  if (state.incident == 0) return;
  const Diagnosed* known = t.s.durable.diagnosed(state);
  const auto& report = t.s.index.diagnosing.report;
  const bool alone = report.incidents[finding.incident].count == 1 && finding.role == diagnosis::Role::root;
  if (alone && known == nullptr) return;  // that goes without saying
  Diagnosed r;
  r.incident = state.incident;
  r.service = t.plan(id).name;
  r.role = to_string(finding.role);
  r.by = name_of(t, finding.by);
  r.root = name_of(t, finding.root);
  r.score = finding.score;
  r.reason = reason;
  if (finding.root != id) r.part_of = t.durable(finding.root).incident;
  const bool same = known != nullptr && known->role == r.role && known->by == r.by && known->root == r.root &&
                    known->part_of == r.part_of &&  // the score alone moves with every look
                    known->reason.ends_with(kGivenTime) == r.reason.ends_with(kGivenTime);
  if (!same) t.record(std::move(r));
}

// Time for one look by the grid and for the successes that prove it well.
Duration grace_of(const ServicePlan& plan) {
  Duration longest{};
  for (const CheckPlan& check : plan.checks) {
    if (check.role != homeostat::Role::alive) continue;
    const CheckPolicy& p = check.policy;
    const Duration look = std::min(p.interval, kLooksOften);
    longest = std::max(longest, look + p.fast_interval * p.success_threshold + p.timeout);
  }
  return longest;
}

/// Whether something that it needs, over others too, is so.
template <class Which>
bool any_needed(const Turn& t, ServiceId id, Which which) {
  std::vector<ServiceId> reach{id};
  for (std::size_t i = 0; i < reach.size(); ++i) {
    for (const Need& need : t.plan(reach[i]).depends_on) {
      if (which(need.service)) return true;
      if (std::ranges::find(reach, need.service) == reach.end()) reach.push_back(need.service);
    }
  }
  return false;
}

bool answers_again(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.live(id).places,
                             [&](const Place& place) { return view_of(t, id, place.slot).recovering; });
}

// What it needs is not well again: it was only found not to be the cause.
bool needs_what_was_tried(Turn& t, ServiceId id) {
  return std::ranges::any_of(t.plan(id).depends_on, [&](const Need& need) {
    const Finding* finding = finding_of(t, need.service);
    return finding != nullptr && finding->role == diagnosis::Role::tried && !answers_again(t, need.service);
  });
}

// Something that it needs, over others too, has failed and been repaired a moment ago: what is seen of it only now may
// come from that.
bool failed_with_what_is_well(Turn& t, const Ask& ask) {
  const Instant since = view_of(t, ask.service, ask.slot).first_failure;
  const Duration grace = grace_of(t.plan(ask.service));
  const auto was_there = [&](ServiceId id) {
    const ServiceState& state = t.durable(id);
    const auto incident = t.s.durable.incidents.find(state.last_incident);
    if (state.incident != 0 || incident == t.s.durable.incidents.end()) return false;
    const Instant closed = incident->second.closed_at;
    return t.now < later(closed, grace) && later(since, kSeenLater) >= incident->second.first_failure;
  };
  return any_needed(t, ask.service, was_there);
}

// What has failed while this one did.
std::string why_given_time(Turn& t, const Ask& ask) {
  const Instant since = view_of(t, ask.service, ask.slot).first_failure;
  const bool needed = any_needed(t, ask.service, [&](ServiceId id) {
    const auto incident = t.s.durable.incidents.find(t.durable(id).last_incident);
    if (incident == t.s.durable.incidents.end()) return false;
    return t.durable(id).incident != 0 || incident->second.closed_at >= since;
  });
  return std::string(needed ? "what it needs is well again; " : "another that may have hit it is being repaired; ") +
         std::string(kGivenTime);
}

// What failed with its root recovers with it, mostly: it is looked at, and not touched meanwhile. What is dead cannot.
std::optional<Hold> recovery_grace(Turn& t, const Ask& ask) {
  if (view_of(t, ask.service, ask.slot).dead) return {};
  auto excuse = t.s.excused.find(t.plan(ask.service).name);
  if (excuse == t.s.excused.end()) {
    if (!failed_with_what_is_well(t, ask)) return {};
    excuse = t.s.excused.emplace(t.plan(ask.service).name, kNever).first;
  }
  if (needs_what_was_tried(t, ask.service)) return {};
  Instant& until = excuse->second;
  if (until == kNever) {
    until = later(t.now, grace_of(t.plan(ask.service)));
    for (const Place& place : t.live(ask.service).places) {
      for (const TargetId one : place.targets) look_now(t, one);
    }
  }
  if (t.now >= until) return {};
  return Hold{"recovery", why_given_time(t, ask), until};
}

// Before anything is done on its account, what it needs is looked at again: it may have failed a moment later. So is
// the service itself where its evidence is indirect. After its time to recover it is looked at once more.
std::optional<Hold> look_again(Turn& t, const Ask& ask) {
  const auto excuse = t.s.excused.find(t.plan(ask.service).name);
  const bool recovered = excuse != t.s.excused.end() && excuse->second != kNever;
  const Instant since = std::max(verdict_of(t, ask), recovered ? excuse->second : kLongAgo);
  if (since == kLongAgo || t.now >= later(since, kLooksEnd)) return {};
  const std::string* waiting = nullptr;
  const auto look_at = [&](ServiceId id, const Place& place) {
    for (const TargetId one : place.targets) {
      const Target& target = t.s.targets[one];
      const CheckPlan& check = t.plan(id).checks[target.check];
      if (check.role != homeostat::Role::alive || check.process || !target.active) continue;
      const bool in_vain = target.health.blind();  // nobody can look
      if (in_vain || target.health.last_seen() > since) continue;
      look_now(t, one);
      waiting = &t.plan(id).name;
    }
  };
  for (const Need& need : t.plan(ask.service).depends_on) {
    for (const Place& place : t.live(need.service).places) look_at(need.service, place);
  }
  if (!ask.direct) look_at(ask.service, t.place(ask.service, ask.slot));
  if (waiting == nullptr) return {};
  return Hold{"diagnosis", "looking at " + *waiting + " again first", later(t.now, kLookAgain)};
}

std::optional<Hold> excuse(Turn& t, ServiceId id, const Finding& finding) {
  t.s.excused[t.plan(id).name] = kNever;
  Hold hold = wait_for(t, finding.by);
  hold.retry = later(t.now, kAskAgain);
  if (finding.root == finding.by) return hold;
  const Left root = left_alone(t, finding.root);
  hold.detail += ", after " + name_of(t, finding.root) + (root.why.empty() ? "" : ", which " + root.why);
  hold.planned = hold.planned || root.planned;
  return hold;
}

std::size_t candidates_tried(const Turn& t, const Finding& finding) {
  const auto& all = t.s.index.diagnosing.report.findings;
  return static_cast<std::size_t>(std::ranges::count_if(
      all, [&](const Finding& one) { return one.incident == finding.incident && one.role == diagnosis::Role::tried; }));
}

// Another may be the cause, whose turn it is now; when it has been found not to be, its own ladder goes on.
std::optional<Hold> turn_of_others(Turn& t, const Ask& ask, const Finding& finding) {
  constexpr std::string_view kAllTried = "whatever may be the cause has been repaired in vain";
  const Finding* next = nullptr;
  for (const Finding& one : t.s.index.diagnosing.report.findings) {
    if (one.incident != finding.incident || one.role == diagnosis::Role::tried) continue;
    if (one.role != diagnosis::Role::excused && next == nullptr) next = &one;
  }
  if (next == nullptr) {
    call_about_candidates(t, ask.service, std::string(kAllTried));
    return {};
  }
  const auto& ladders = t.durable(ask.service).ladders;
  const auto ladder = ladders.find(ask.slot);
  const Instant ends = later(ladder == ladders.end() ? t.now : ladder->second.not_before, kTurnOfOthers);
  if (next->role != diagnosis::Role::root || candidates_tried(t, finding) >= kCandidates || t.now >= ends) return {};
  return Hold{"diagnosis", "it was repaired in vain, and " + name_of(t, next->node) + " is taken for the cause now",
              std::min(ends, later(t.now, kAskAgain))};
}

std::string words_of(const Turn& t, const Finding& finding) {
  const std::string by = name_of(t, finding.by);
  if (finding.role == diagnosis::Role::excused) return "excused by " + by;
  std::string words = diagnosis::explain(finding, {});
  if (finding.role == diagnosis::Role::root && t.s.index.diagnosing.evidence[finding.node].changed) {
    words += ", and it was changed lately";
  }
  return by.empty() || finding.role != diagnosis::Role::abstains ? words : words + " (" + by + ")";
}

// Those that may be the cause, the likeliest first, each with what speaks against it.
std::string ranking(const Turn& t, std::uint32_t incident) {
  std::string words;
  std::uint32_t waiting = 0;
  for (const Finding& one : t.s.index.diagnosing.report.findings) {
    if (one.incident != incident) continue;
    if (one.role == diagnosis::Role::excused) {
      ++waiting;
      continue;
    }
    const auto known = t.s.durable.incidents.find(t.s.index.facts[one.node]->incident);
    const std::string seen = known == t.s.durable.incidents.end() ? "" : " (" + known->second.reason + ")";
    words += (words.empty() ? "" : "; ") + name_of(t, one.node) + " " + words_of(t, one) + seen;
  }
  return waiting == 0 ? words : words + "; " + std::to_string(waiting) + " more wait for them";
}

// By us, and as soon as it can be: nobody waits for what somebody has in hand, or is not ours to repair.
bool is_in_our_hands(Turn& t, ServiceId id) {
  const ServicePlan& plan = t.plan(id);
  if (plan.external || !left_alone(t, id).why.empty()) return false;
  if (plan.mode == Mode::shadow) return t.s.plan.shadow;
  if (is_being_repaired(t, id)) return true;
  if (!t.durable(id).locks.empty() || was_all_tried(t, id)) return false;
  const auto is_decided = [&](const Place& place) { return place.action && !awaits_approval(t.s, place); };
  return plan.mode == Mode::act || std::ranges::any_of(t.live(id).places, is_decided);
}

bool nobody_is_root(Turn& t) {
  return std::ranges::none_of(t.s.index.diagnosing.report.findings, [&](const Finding& one) {
    return one.role == diagnosis::Role::root && is_in_our_hands(t, one.node);
  });
}

// No root stands out among those that wait for each other. So many that cannot be reached are a matter of doubt.
bool is_for_doubt(Turn& t, const Ask& ask) {
  const auto waiting = std::ranges::count_if(t.s.index.diagnosing.report.findings, [&](const Finding& one) {
    return one.role == diagnosis::Role::waits && t.s.index.diagnosing.evidence[one.node].sign == Sign::symptom &&
           maintenance_of(t.s.durable, t.plan(one.node).name) == nullptr;
  });
  return !ask.direct && !is_excused(t, ask.service) && waiting >= t.s.plan.doubt_roots;
}

// Fewer, and those whose root is well again, are taken for what they are after a while: the likeliest first, each of
// the others when there was time to see whether those before it were the cause. What was excused begins to wait when
// it has had its time to recover.
bool waits_for_nobody(Turn& t, const Ask& ask, const Finding& finding) {
  const auto& all = t.s.index.diagnosing.report.findings;
  const auto likelier = std::ranges::count_if(all, [&](const Finding& one) {
    const bool before = one.score > finding.score || (one.score == finding.score && one.node < finding.node);
    return one.role == diagnosis::Role::waits && before;
  });
  const auto excuse = t.s.excused.find(t.plan(ask.service).name);
  const bool excused = excuse != t.s.excused.end() && excuse->second != kNever;
  const Instant since = excused ? std::max(verdict_of(t, ask), excuse->second) : verdict_of(t, ask);
  return t.now >= later(since, kWaitsEnd * (1 + likelier));
}

// What may be the doing of `finding` is given time to recover when that has been repaired.
void excuse_others(Turn& t, const Finding& finding) {
  for (const Finding& one : t.s.index.diagnosing.report.findings) {
    if (one.role == diagnosis::Role::waits && one.node != finding.node && t.durable(one.node).incident != 0)
      t.s.excused.try_emplace(t.plan(one.node).name, kNever);
  }
}

std::optional<Hold> judge(Turn& t, const Ask& ask, const Finding& finding) {
  switch (finding.role) {
    case diagnosis::Role::excused:
      return excuse(t, ask.service, finding);
    case diagnosis::Role::tried:
      if (auto hold = turn_of_others(t, ask, finding)) return hold;
      break;
    case diagnosis::Role::root:
      break;
    case diagnosis::Role::waits:
      if (nobody_is_root(t) && is_for_doubt(t, ask)) break;
      if (nobody_is_root(t) && waits_for_nobody(t, ask, finding)) {
        excuse_others(t, finding);
        break;
      }
      [[fallthrough]];
    case diagnosis::Role::look:
      return Hold{"diagnosis", words_of(t, finding), later(t.now, kAskAgain)};
    case diagnosis::Role::abstains:
      if (finding.doubt == diagnosis::Doubt::untouchable) break;  // whatever its own ladder still can: call somebody
      return Hold{"diagnosis", words_of(t, finding), later(t.now, kAskAgain)};
  }
  if (finding.role == diagnosis::Role::root && candidates_tried(t, finding) >= kCandidates) {
    const std::string why = "three candidates have been repaired in vain; the next is left to a person";
    call_about_candidates(t, ask.service, why);
    return Hold{"diagnosis", why, later(t.now, kAskAgain)};
  }
  if (auto hold = recovery_grace(t, ask)) return hold;
  return look_again(t, ask);
}

// What it cannot do without has failed, and the service has not gone on without it for long.
std::optional<ServiceId> needs_in_vain(Turn& t, const Ask& ask) {
  const auto& evidence = t.s.index.diagnosing.evidence;
  const Instant since = view_of(t, ask.service, ask.slot).first_failure;
  const auto fails = [&](const Need& need) {
    const Evidence& seen = evidence[need.service];
    const bool known = seen.sign == Sign::direct || (seen.sign == Sign::symptom && seen.looks >= kVerdictLooks);
    return known && !seen.excluded && since < later(seen.since, kHasGoneOn);
  };
  const auto& needs = t.plan(ask.service).depends_on;
  const auto found = std::ranges::find_if(needs, [&](const Need& need) {
    if (need.tie == diagnosis::Tie::soft || !fails(need)) return false;
    return need.any_of == 0 ||
           std::ranges::all_of(needs, [&](const Need& other) { return other.any_of != need.any_of || fails(other); });
  });
  return found == needs.end() ? std::nullopt : std::optional(found->service);
}

// One place of a service that serves: its own affair, but for what all of them need.
std::optional<Hold> judge_place(Turn& t, const Ask& ask) {
  if (const auto needed = needs_in_vain(t, ask)) {
    t.s.excused[t.plan(ask.service).name] = kNever;
    Hold hold = wait_for(t, *needed);
    hold.retry = later(t.now, kAskAgain);
    return hold;
  }
  if (auto hold = recovery_grace(t, ask)) return hold;
  return view_of(t, ask.service, ask.slot).dead ? std::nullopt : look_again(t, ask);
}

}  // namespace

std::optional<Hold> diagnosis_gate(Turn& t, const Ask& ask) {
  if (!t.s.index.diagnosing.machine || !is_linked(t, ask.service) || planted(Bug::dependency_ignored)) return {};
  diagnose(t);
  const Finding* finding = finding_of(t, ask.service);
  if (finding == nullptr) return judge_place(t, ask);
  auto hold = judge(t, ask, *finding);
  record(t, ask.service, *finding, hold && hold->gate == "recovery" ? hold->detail : words_of(t, *finding));
  return hold;
}

std::string candidates_of(const Turn& t, ServiceId id) {
  const Finding* finding = t.diagnosed ? finding_of(t, id) : nullptr;
  return finding == nullptr ? std::string() : ranking(t, finding->incident);
}

bool is_excused(const Turn& t, ServiceId id) { return t.s.excused.contains(t.plan(id).name); }

void forget_diagnosis(Turn& t, ServiceId id) { t.s.excused.erase(t.plan(id).name); }

std::vector<ServiceId> connected_with(Turn& t, ServiceId id) {
  if (!t.s.index.diagnosing.machine || !is_linked(t, id)) return {id};
  diagnose(t);
  const Finding* finding = finding_of(t, id);
  if (finding == nullptr) return {id};
  std::vector<ServiceId> all;
  for (const Finding& one : t.s.index.diagnosing.report.findings) {
    if (one.incident == finding->incident) all.push_back(one.node);
  }
  return all;
}

}  // namespace homeostat::engine
