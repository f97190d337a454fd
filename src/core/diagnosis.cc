// From numbers to findings: roots, who is excused by whom, and where nothing is done.
#include "homeostat/diagnosis.hpp"

#include <algorithm>
#include <tuple>

namespace homeostat::diagnosis {

Diagnosis::Diagnosis(Graph graph, const Weights& weights)
    : graph_(std::move(graph)),
      weights_(weights),
      beliefs_(graph_.size()),
      leaders_(graph_.size()),
      seen_(graph_.size()) {}

void Diagnosis::diagnose(std::span<const Evidence> evidence, Report& report) {
  report.findings.clear();
  report.incidents.clear();
  if (evidence.size() != graph_.size()) return;
  evidence_ = evidence;
  for (const Node node : graph_.order()) believe(node);
  line_up_failing();
  weigh_undeclared();
  for (const Node node : graph_.order()) {
    const Sign sign = evidence_[node].sign;
    if (!alarms(sign) && !(sign == Sign::unknown && bad(node))) continue;
    Finding finding;
    finding.node = node;
    finding.numbers = beliefs_[node].numbers;
    judge(finding);
    beliefs_[node].finding = static_cast<std::uint32_t>(report.findings.size());
    report.findings.push_back(finding);
  }
  judge_circles(report);
  weigh_beginnings(report, failing_.empty() ? 0 : failing_.back().before + draws(failing_.back().node));
  judge_waiting(report);
  follow(report);
  group(report);
  evidence_ = {};
}

void Diagnosis::judge(Finding& finding) const {
  const Evidence& seen = evidence_[finding.node];
  const Numbers& n = finding.numbers;
  const std::int32_t mistake = n.mistake - n.support;
  finding.score = n.root - std::max(n.hit, mistake);
  finding.by = beliefs_[finding.node].by;
  const auto abstain = [&](Doubt why) {
    finding.role = Role::abstains;
    finding.doubt = why;
  };
  if (n.hit >= n.root && evidence_[finding.by].sign == Sign::unknown && !bad(finding.by)) return abstain(Doubt::unseen);
  // What is known to be bad comes first, whatever the numbers say: when it is well, this one is looked at again.
  if (n.hit >= n.root || beliefs_[finding.node].explained) {
    finding.role = Role::excused;
    return;
  }
  if (seen.excluded) {
    finding.role = Role::tried;
    return;
  }
  if (seen.sign == Sign::unknown) return abstain(Doubt::unseen);
  if (seen.untouchable) return abstain(Doubt::untouchable);
  finding.role = Role::root;  // until `settle`
}

// Whether the odds are enough to act, and if not, what would have to be known first.
void Diagnosis::settle(Finding& finding) const {
  const Numbers& n = finding.numbers;
  const std::int32_t mistake = n.mistake - n.support;
  const std::int32_t other = std::max({n.hit, n.undeclared, mistake});
  if (finding.score >= weights_.act || other == mistake || other == n.undeclared) finding.by = kNobody;
  if (finding.score >= weights_.act) return;
  if (other == mistake) {
    finding.role = Role::look;
  } else if (other == n.undeclared) {
    finding.role = Role::waits;
  } else {
    finding.role = Role::abstains;
    finding.doubt = evidence_[finding.by].sign == Sign::unknown ? Doubt::unseen : Doubt::small_margin;
  }
}

namespace {

// Who can be acted on at all, in one circle.
bool runs(const Finding& finding) {
  return finding.role == Role::root || finding.doubt == Doubt::untouchable || finding.doubt == Doubt::unseen;
}

}  // namespace

// All of a circle are bad. What is for one of them against the others: it died, it was changed, it was the first.
std::int32_t Diagnosis::stands_for(const Finding& one, bool first) const {
  const bool direct = evidence_[one.node].sign == Sign::direct;
  return one.numbers.root - weights_.root - weights_.sign_of_root - (direct ? weights_.direct_when_hit : 0) +
         (first ? weights_.earlier : 0);
}

// What hits one of a circle from outside has hit the others over that one, which comes first: the walk goes backwards.
void Diagnosis::excuse_circle(std::span<Finding> circle) {
  const auto hit = std::ranges::find(circle, Role::excused, &Finding::role);
  if (hit == circle.end()) return;
  std::swap(*hit, circle.front());
  std::swap(beliefs_[hit->node].finding, beliefs_[circle.front().node].finding);
  for (Finding& one : circle) {
    if (one.role != Role::root) continue;
    one.role = Role::excused;
    one.by = circle.front().node;
  }
}

// In a circle each explains the others: the one that stands out is its root, and excuses the rest.
void Diagnosis::judge_circles(Report& report) {
  auto& all = report.findings;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first;
    while (last < all.size() && graph_.circle(all[last].node) == graph_.circle(all[first].node)) ++last;
    const std::span<Finding> circle(all.data() + first, last - first);
    first = last;
    excuse_circle(circle);
    if (std::ranges::count_if(circle, runs) < 2) continue;
    Instant earliest = kNever;
    Instant next = kNever;
    for (const Finding& one : circle) {
      const Instant since = evidence_[one.node].since;
      next = std::min(next, std::max(since, earliest));
      earliest = std::min(earliest, since);
    }
    const bool clear = earliest != kNever && later(earliest, weights_.onset) <= next;
    Finding* best = nullptr;
    Finding* second = nullptr;
    for (Finding& one : circle) {
      if (!runs(one)) continue;
      one.score = stands_for(one, clear && evidence_[one.node].since == earliest);
      if (best == nullptr || one.score > best->score) {
        second = best;
        best = &one;
      } else if (second == nullptr || one.score > second->score) {
        second = &one;
      }
    }
    const bool stands_out = best->score - second->score >= weights_.act;
    for (Finding& one : circle) {
      if (&one == best || !runs(one)) continue;
      one.role = stands_out ? Role::excused : Role::abstains;
      one.doubt = stands_out ? Doubt::none : Doubt::circle;
      one.by = stands_out ? best->node : kNobody;
    }
    if (!stands_out) {
      best->role = Role::abstains;
      best->doubt = Doubt::circle;
    }
  }
}

// Roots that may be one root's doing, over edges that nobody declared, are taken one after the other, the best first.
void Diagnosis::judge_waiting(Report& report) const {
  std::int32_t best = kImpossible;
  for (const Finding& one : report.findings) {
    if (one.role == Role::root) best = std::max(best, one.score);
  }
  for (Finding& one : report.findings) {
    const bool direct = evidence_[one.node].sign == Sign::direct;
    const bool sure = direct || one.numbers.undeclared == kImpossible || one.score >= weights_.act_beside;
    if (one.role == Role::root && one.score < best && !sure) one.role = Role::waits;
  }
}

// The end of the walk: from each to what explains it, until something that nothing explains.
void Diagnosis::follow(Report& report) const {
  const auto finding_of = [&](Node node) -> Finding* {
    const std::uint32_t at = node == kNobody ? kNobody : beliefs_[node].finding;
    return at == kNobody ? nullptr : &report.findings[at];
  };
  // Whoever explains another comes before it, so its end is known, or is an end itself.
  for (Finding& one : report.findings) {
    const Finding* by = one.role == Role::excused ? finding_of(one.by) : nullptr;
    one.root = by == nullptr ? one.node : by->role == Role::excused ? by->root : by->node;
  }
}

Node Diagnosis::leader(Node node) {
  while (leaders_[node] != node) node = leaders_[node] = leaders_[leaders_[node]];
  return node;
}

void Diagnosis::group(Report& report) {
  auto& all = report.findings;
  for (const Finding& one : all) leaders_[one.node] = one.node;
  for (const Finding& one : all) {
    for (const Graph::Link& link : graph_.dependencies(one.node)) {
      if (beliefs_[link.node].finding == kNobody) continue;
      const Node a = leader(one.node);
      const Node b = leader(link.node);
      leaders_[std::max(a, b)] = std::min(a, b);
    }
  }
  for (Finding& one : all) one.incident = leader(one.node);
  const auto rank = [](const Finding& one) {
    const int place = one.role == Role::excused ? 2 : one.role == Role::root ? 0 : 1;
    return std::tuple(one.incident, place, -one.score, one.node);
  };
  std::ranges::sort(all, {}, rank);
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].incident != all[i - 1].incident) report.incidents.push_back({i, 0});
    ++report.incidents.back().count;
  }
  std::uint32_t number = 0;
  for (const Incident& incident : report.incidents) {
    for (std::uint32_t i = 0; i < incident.count; ++i) all[incident.first + i].incident = number;
    ++number;
  }
}

}  // namespace homeostat::diagnosis
