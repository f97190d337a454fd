// How well each explanation of an alarm fits: whole numbers, added up from what stands beside each node.
#include <algorithm>
#include <array>
#include <bit>
#include <tuple>
#include <utility>

#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

// "At least one of them gets through", from the sum of "this one does not": 100 log10(1 - 10^(-tenths / 10)).
std::int32_t some_of(std::int32_t none_of) {
  static constexpr std::array<std::int16_t, 21> kPoints{kImpossible, -69, -43, -30, -22, -17, -13, -10, -7, -6, -5,
                                                        -4,          -3,  -2,  -2,  -1,  -1,  -1,  -1,  -1, 0};
  const auto tenths = static_cast<std::size_t>(std::clamp(-none_of / 10, 0, 20));
  // Less than a tenth is not nothing: a lone soft edge.
  return none_of < 0 && tenths == 0 ? kPoints[1] : kPoints[tenths];
}

std::int32_t stops(const Weights& w, Tie tie) { return tie == Tie::soft ? w.soft_stops : w.hard_stops; }
std::int32_t passes(const Weights& w, Tie tie) { return tie == Tie::soft ? w.soft_passes : w.hard_passes; }

// It is well, and all looks were wrong. What is seen at once may be seen wrong once; again and again it is not.
std::int32_t by_mistake(const Weights& w, const Evidence& seen) {
  const int looks = std::max<int>(seen.looks, 1);
  if (seen.sign != Sign::direct) return w.false_alarm * looks;
  return w.direct_by_mistake + w.false_alarm * std::max(0, looks - w.direct_looks);
}

// What it shows is likely when something else hit it.
std::int32_t sign_when_hit(const Weights& w, Sign sign) { return sign == Sign::direct ? w.direct_when_hit : 0; }

}  // namespace

std::int32_t points_of(std::uint64_t numerator, std::uint64_t denominator) {
  if (numerator == 0) return kImpossible;
  // log2 in 1/65536 by squaring the mantissa: exact integers, the same on every machine.
  const auto log2 = [](std::uint64_t x) {
    const int whole = static_cast<int>(std::bit_width(x)) - 1;
    std::uint64_t mantissa = whole >= 31 ? x >> (whole - 31) : x << (31 - whole);
    std::int64_t result = whole;
    for (int bit = 0; bit < 16; ++bit) {
      mantissa = (mantissa * mantissa) >> 31;
      const bool two = mantissa >= (std::uint64_t{1} << 32);
      if (two) mantissa >>= 1;
      result = result * 2 + (two ? 1 : 0);
    }
    return result;
  };
  constexpr std::int64_t kPerTenfold = 217706;  // log2(10) in 1/65536
  const std::int64_t ratio = 100 * (log2(numerator) - log2(std::max<std::uint64_t>(denominator, 1)));
  return static_cast<std::int32_t>((ratio + (ratio < 0 ? -kPerTenfold : kPerTenfold) / 2) / kPerTenfold);
}

// `from` has been well without `to` for a while, and may be: what has come over it since came from elsewhere. So did
// what it had before.
bool Diagnosis::withstood(Node from, const Graph::Link& to) const {
  const Instant since = evidence_[to.node].since;
  if (to.tie != Tie::soft || since == kNever || !alarms(evidence_[from].sign)) return false;
  const Instant own = evidence_[from].since;
  return own != kNever && (own >= later(since, weights_.withstood) || later(own, weights_.before) <= since);
}

// Whether the state of `to` tells on `from`: an alternative that works makes it of no account.
bool Diagnosis::counts(Node from, const Graph::Link& to) const {
  if (withstood(from, to)) return false;
  if (to.any_of == 0) return true;
  return std::ranges::all_of(graph_.dependencies(from), [&](const Graph::Link& other) {
    return other.any_of != to.any_of || other.node == to.node || evidence_[other.node].sign != Sign::healthy;
  });
}

// The best that can be said of an alarm without the dependency in question.
std::int32_t Diagnosis::unexplained(Node node) const {
  const Evidence& seen = evidence_[node];
  const std::int32_t mistake = by_mistake(weights_, seen);
  const std::int32_t root = weights_.root + weights_.sign_of_root + (seen.changed ? weights_.changed : 0);
  return std::max({mistake, root, weights_.undeclared + weights_.hard_stops + sign_when_hit(weights_, seen.sign)});
}

std::int32_t Diagnosis::support_by(Node dependent, const Graph::Link& on) const {
  const Sign sign = evidence_[dependent].sign;
  if (sign == Sign::unknown || evidence_[dependent].excluded) return 0;
  const Graph::Link down{on.node, on.tie, on.any_of};
  if (!counts(dependent, down)) return 0;
  if (sign == Sign::healthy) return stops(weights_, on.tie);
  const bool other = std::ranges::any_of(graph_.dependencies(dependent), [&](const Graph::Link& link) {
    const bool same = link.node == on.node || (link.any_of != 0 && link.any_of == on.any_of);
    return !same && alarms(evidence_[link.node].sign) && !evidence_[link.node].excluded && counts(dependent, link);
  });
  if (other) return 0;
  return std::max(0, passes(weights_, on.tie) + sign_when_hit(weights_, sign) - unexplained(dependent));
}

void Diagnosis::weigh_dependents(Node node) {
  Numbers& n = beliefs_[node].numbers;
  for (const Graph::Link& link : graph_.dependents(node)) {
    n.support += support_by(link.node, Graph::Link{node, link.tie, link.any_of});
    if (alarms(evidence_[link.node].sign)) ++n.failing;
    if (evidence_[link.node].sign == Sign::healthy) ++n.well;
  }
}

// Those in the same circle explain nothing to each other: the circle is judged as one.
void Diagnosis::weigh_dependencies(Node node) {
  Belief& belief = beliefs_[node];
  std::int32_t none = 0;
  std::int32_t best = kImpossible;
  std::int32_t likely = kImpossible;
  for (const Graph::Link& link : graph_.dependencies(node)) {
    const Evidence& seen = evidence_[link.node];
    if (graph_.circle(link.node) == graph_.circle(node) || seen.sign == Sign::healthy || seen.excluded) continue;
    if (!counts(node, link)) continue;
    const Belief& other = beliefs_[link.node];
    // What this alarm itself says for it must not count twice.
    const std::int32_t alone = other.bad - support_by(node, Graph::Link{link.node, link.tie, link.any_of});
    const std::int32_t sure = std::min(0, alone - std::max(alone, other.fine));
    if (sure == 0) {
      none += stops(weights_, link.tie);
      belief.explained = true;
    }
    const std::int32_t through = sure + passes(weights_, link.tie);
    // Of equal ones that which is known to be bad: the order of the links decides nothing that matters.
    const auto rank = [&](Node one, std::int32_t points) {
      return std::tuple(points, alarms(evidence_[one].sign), bad(one));
    };
    if (belief.by == kNobody || rank(link.node, through) > rank(belief.by, best)) belief.by = link.node;
    best = std::max(best, through);
    if (sure == 0) likely = std::max(likely, through);
  }
  if (likely != kImpossible) best = std::max(best, some_of(none));
  belief.numbers.hit = best == kImpossible ? kImpossible : best + sign_when_hit(weights_, evidence_[node].sign);
  belief.fine = none;  // of one that nobody sees
}

void Diagnosis::believe(Node node) {
  const Evidence& seen = evidence_[node];
  Belief& belief = beliefs_[node];
  belief = Belief{};
  if (seen.sign == Sign::healthy) {
    belief.bad = kImpossible;
    return;
  }
  weigh_dependents(node);
  weigh_dependencies(node);
  Numbers& n = belief.numbers;
  n.root = weights_.root + (seen.changed ? weights_.changed : 0);
  n.mistake = kImpossible;
  if (seen.sign == Sign::unknown) {
    n.mistake = belief.fine;
    belief.bad = std::max(n.root, n.hit) + n.support;
    return;
  }
  n.root += weights_.sign_of_root;
  n.mistake = by_mistake(weights_, seen);
  belief.fine = n.mistake;
  belief.bad = std::max({n.root, n.hit, unexplained(node)}) + n.support;
}

// An edge that nobody declared leads most likely to what many need: by so much more to one than to another.
std::uint32_t Diagnosis::draws(Node node) const {
  return 1 + static_cast<std::uint32_t>(graph_.dependents(node).size());
}

// What fails that `node` could explain, itself among it, and when that began. Those that it reaches and that reach it,
// in a circle, reach the same: it leads them. (But one that began so late that some of it is past looks for itself.)
void Diagnosis::find_reach(Node node) {
  Belief& belief = beliefs_[node];
  ++round_;
  stack_.assign(1, node);
  seen_[node] = round_;
  while (!stack_.empty()) {
    const Node at = stack_.back();
    stack_.pop_back();
    if (at_large(at)) {
      belief.reach += draws(at);
      belief.recent += is_past(at, node) ? 0 : draws(at);
      belief.onset = std::min(belief.onset, evidence_[at].since);
    }
    for (const Graph::Link& link : graph_.dependents(at)) {
      if (seen_[link.node] == round_ || !bad(link.node)) continue;
      if (!counts(link.node, Graph::Link{at, link.tie, link.any_of})) continue;
      seen_[link.node] = round_;
      stack_.push_back(link.node);
    }
  }
  leaders_[node] = node;
  stack_.assign(1, node);
  while (!stack_.empty()) {
    const Node at = stack_.back();
    stack_.pop_back();
    for (const Graph::Link& link : graph_.dependencies(at)) {
      const bool reached = seen_[link.node] == round_ && leaders_[link.node] == kNobody && counts(at, link);
      const Instant since = evidence_[link.node].since;
      if (!reached || (since != kNever && later(belief.onset, weights_.withstood) <= since)) continue;
      leaders_[link.node] = node;
      stack_.push_back(link.node);
      Belief& its = beliefs_[link.node];
      if (its.numbers.hit >= its.numbers.root) continue;
      its.reach = its.recent = belief.reach;
      its.onset = belief.onset;
    }
  }
}

// One of those that fail elsewhere hit it, over an edge that nobody declared.
std::int32_t Diagnosis::by_stranger(Node node) const {
  const std::uint64_t edges = 10 * graph_.dependencies(node).size() + 3;
  return weights_.undeclared + weights_.hard_passes +
         points_of(edges, std::uint64_t{10} * (graph_.size() + graph_.edges())) +
         sign_when_hit(weights_, evidence_[node].sign);
}

// `other` began so long before `node` that it has nothing to do with it, if nobody declared that it has.
bool Diagnosis::is_past(Node other, Node node) const {
  const Instant since = evidence_[node].since;
  return since != kNever && later(evidence_[other].since, weights_.withstood) <= since;
}

void Diagnosis::line_up_failing() {
  failing_.clear();
  for (Node node = 0; node < graph_.size(); ++node) {
    if (at_large(node) && bad(node)) failing_.push_back({node});
  }
  std::ranges::sort(failing_, {}, [&](const Failing& one) { return std::pair(evidence_[one.node].since, one.node); });
  std::uint32_t sum = 0;
  for (Failing& one : failing_) one.before = std::exchange(sum, sum + draws(one.node));
}

// What fails that `node` does not explain, and that may have to do with it all the same.
std::uint32_t Diagnosis::failing_beside(Node node) const {
  if (failing_.empty()) return 0;
  const auto first =
      std::ranges::partition_point(failing_, [&](const Failing& one) { return is_past(one.node, node); });
  if (first == failing_.end()) return 0;
  const std::uint32_t all = failing_.back().before + draws(failing_.back().node) - first->before;
  return all - std::min(all, beliefs_[node].recent);
}

// The more fail elsewhere, and the more dependencies it declares, the likelier one is missing. It is worked out only
// where it can matter: an alarm that a declared dependency explains needs no other.
void Diagnosis::weigh_undeclared() {
  std::ranges::fill(leaders_, kNobody);
  for (Node node = 0; node < graph_.size(); ++node) {
    Numbers& n = beliefs_[node].numbers;
    n.undeclared = kImpossible;
    if (evidence_[node].sign == Sign::healthy || !bad(node) || n.hit >= n.root) continue;
    if (leaders_[node] == kNobody) find_reach(node);
    if (const std::uint32_t beside = failing_beside(node); beside > 0)
      n.undeclared = by_stranger(node) + points_of(beside, 1);
  }
}

}  // namespace homeostat::diagnosis
