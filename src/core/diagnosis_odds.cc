// Which of those that nothing declared explains began it: each may have been hit by another, but not all of them.
#include <algorithm>
#include <array>

#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr int kBits = 40;
constexpr std::uint64_t kOne = std::uint64_t{1} << kBits;

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

// Alone, each would be hit by a stranger with a chance that grows with the number of those that fail elsewhere. But the
// ways lead back to somebody who began: summed over all forests of who hit whom (the weight of a hit is a factor of the
// one that is hit times the number of those that the other explains, so that the determinant of the matrix-tree theorem
// has a closed form), the chance that one began is b (1 + (1 - b) n / sum of n b), where b is its share alone, and n
// how many fail that it explains.
void Diagnosis::weigh_beginnings(Report& report, std::uint32_t failing) {
  const auto each = [&](const auto& use) {
    for (Finding& one : report.findings) {
      if (may_begin(one)) use(one, beliefs_[one.node]);
    }
  };
  each([&](Finding& one, Belief& belief) {
    belief.reach = std::max(belief.reach, 1U);
    const Numbers& n = one.numbers;
    belief.known = power_of(n.root) + power_of(n.hit);
    if (evidence_[one.node].sign != Sign::unknown) belief.known += power_of(n.mistake - n.support);
  });
  Wide beginnings = 0;
  each([&](Finding& one, Belief& belief) {
    const bool alone = one.numbers.undeclared == kImpossible;  // nobody fails elsewhere
    const Wide strange = alone ? 0 : Wide{power_of(by_stranger(one.node))} * failing;
    belief.begins = static_cast<std::uint64_t>(Wide{belief.known} * kOne / (belief.known + strange));
    beginnings += Wide{belief.begins} * belief.reach;
  });
  each([&](Finding& one, Belief& belief) {
    if (one.role != Role::root) return;
    const Wide begins = belief.begins;
    const Wide all = begins + begins * (kOne - belief.begins) / std::max<Wide>(beginnings, 1) * belief.reach;
    const auto chance = static_cast<std::uint64_t>(
        std::min<Wide>(all * power_of(one.numbers.root) / std::max<std::uint64_t>(belief.known, 1), kOne));
    one.score = std::min(one.score, points_of(chance, kOne - chance));
    settle(one);
  });
}

}  // namespace homeostat::diagnosis
