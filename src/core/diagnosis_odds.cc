// Which of those that nothing declared explains began it: each may have been hit by another, but not all of them.
#include <algorithm>
#include <array>

#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr int kBits = 40;
constexpr std::uint64_t kOne = std::uint64_t{1} << kBits;
constexpr int kSpare = 20;  // of its bits, so that products of several fit

// 10^(points / 100), in 1 / kOne. More than one is one.
std::uint64_t power_of(std::int32_t points) {
  // 10^(-1 / 100), 10^(-2 / 100), 10^(-4 / 100) …, in 1 / 2^32.
  static constexpr std::array<std::uint64_t, 10> kFactors{4197201904, 4101661925, 3917056729, 3572398195, 2971391394,
                                                          2055700593, 983920165,  225403088,  11829322,   32581};
  if (points >= 0) return kOne;
  const auto less = static_cast<std::uint32_t>(-points);
  if (less >= 1U << kFactors.size()) return 0;
  Wide value = kOne;
  for (std::size_t bit = 0; bit < kFactors.size(); ++bit) {
    if ((less >> bit & 1) != 0) value = value * kFactors[bit] >> 32;
  }
  return static_cast<std::uint64_t>(value);
}

bool may_begin(const Finding& finding) { return finding.role == Role::root || finding.role == Role::abstains; }

}  // namespace

// What hits another begins before it: what the failures that `node` explains lose by having begun later than `first`.
std::uint64_t Diagnosis::early(Node node, Instant first) const {
  const Instant onset = beliefs_[node].onset;
  if (onset == kNever) return kOne;
  const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(std::min(onset - first, weights_.onset));
  return power_of(static_cast<std::int32_t>(weights_.later * late.count() / 1000));
}

// Alone, each would be hit by a stranger with a chance that grows with what fails elsewhere. But the ways lead back to
// somebody who began: summed over all forests of who hit whom (the weight of a hit is a factor of the one that is hit
// times one of the other, so that the determinant of the matrix-tree theorem has a closed form), the chance that one
// began is b (1 + (1 - b) n / sum of n b), where b is its share alone, and n its weight as one that hits: what it
// explains, less if that began later. To be hit is likelier by as much, unless it began so late that it was not hit
// then.
void Diagnosis::weigh_beginnings(Report& report, std::uint32_t failing) {
  const auto each = [&](const auto& use) {
    for (Finding& one : report.findings) {
      if (may_begin(one) && !evidence_[one.node].meant) use(one, beliefs_[one.node]);
    }
  };
  Instant first = kNever;
  each([&](Finding& one, Belief& belief) {
    if (belief.reach == 0) {
      belief.reach = 1;
      belief.onset = evidence_[one.node].since;
    }
    first = std::min(first, belief.onset);
    const Numbers& n = one.numbers;
    belief.known = power_of(n.root) + power_of(n.hit);
    if (evidence_[one.node].sign != Sign::unknown) belief.known += power_of(n.mistake - n.support);
  });
  Wide reach = 0;
  Wide weights = 0;
  each([&](Finding& one, Belief& belief) {
    belief.hits = std::max<std::uint64_t>(early(one.node, first) >> kSpare, 1) * belief.reach;
    reach += belief.reach;
    weights += belief.hits;
  });
  Wide beginnings = 0;
  each([&](Finding& one, Belief& belief) {
    const bool alone = one.numbers.undeclared == kImpossible;  // nobody fails elsewhere
    const Wide stranger = alone ? 0 : power_of(by_stranger(one.node));
    const bool apart = belief.onset > later(first, weights_.onset);
    const Wide own = apart ? Wide{belief.reach} << (kBits - kSpare) : Wide{belief.hits};
    const Wide strange = stranger * failing * weights / reach * belief.reach / own;
    belief.begins = static_cast<std::uint64_t>(Wide{belief.known} * kOne / (belief.known + strange));
    beginnings += Wide{belief.begins} * belief.hits;
  });
  each([&](Finding& one, Belief& belief) {
    if (one.role != Role::root) return;
    const Wide begins = belief.begins;
    const Wide all = begins + begins * (kOne - belief.begins) * belief.hits / std::max<Wide>(beginnings, 1);
    const auto chance = static_cast<std::uint64_t>(
        std::min<Wide>(all * power_of(one.numbers.root) / std::max<std::uint64_t>(belief.known, 1), kOne));
    one.score = std::min(one.score, points_of(chance, kOne - chance));
    settle(one);
  });
}

}  // namespace homeostat::diagnosis
