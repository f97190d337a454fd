// A made-up world of services that depend on each other and fail, for bench/diagnosis. It shares no code with the
// engine: it knows what really is, hands out what can be seen, and says whether an action was right.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace diagnosis_bench {

struct Noise {
  double skips = 0;       // a symptom does not get over this share of the edges
  double mistakes = 0;    // a look at something well is wrong
  double unseen = 0;      // services that nobody can look at
  double undeclared = 0;  // edges that nobody declared
};
inline constexpr Noise kClean{};
inline constexpr Noise kNoisy{0.20, 0.02, 0.10, 0.10};

enum class Way : std::uint8_t { hard, soft, host };

struct Need {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  Way way = Way::hard;
  std::uint32_t group = 0;  // of `from`: one of these is enough
  bool declared = true;
  bool passes = true;  // what befalls `to` befalls `from`
};

struct Look {
  bool known = true;
  bool bad = false;
  bool direct = false;
  int looks = 0;
  double since = 0;  // seconds: its first bad look
};

class World {
 public:
  World(std::uint64_t seed, std::uint32_t services, std::uint32_t roots, const Noise& noise)
      : noise_(noise), chance_(seed), services_(services) {
    build();
    for (std::uint32_t i = 0; i < roots; ++i) break_one();
    spread();
    for (std::uint32_t i = 0; i < services_; ++i) look(i);
  }

  std::uint32_t size() const { return services_; }
  const std::vector<Need>& needs() const { return needs_; }
  const std::vector<Look>& seen() const { return seen_; }
  bool changed(std::uint32_t i) const { return changed_[i]; }
  bool foreign(std::uint32_t i) const { return foreign_[i]; }
  bool is_root(std::uint32_t i) const { return root_[i]; }
  std::uint32_t roots() const { return static_cast<std::uint32_t>(std::count(root_.begin(), root_.end(), true)); }

  /// Looks at it again.
  void look(std::uint32_t i) {
    Look& look = seen_[i];
    look.known = !unseen_[i];
    const bool bad = bad_[i] || draw(noise_.mistakes);
    if (bad && !look.bad) look.since = bad_[i] ? began_[i] + late_[i] : 5 * part();
    look.looks = bad ? look.looks + 1 : 0;
    look.direct = bad_[i] && dies_[i];
    look.bad = bad;
  }

  /// Repairs it: right only when it was a root. What had failed with it recovers. If another root hits it too, it fails
  /// on, but no longer of its own fault: then it dies as rarely as any other.
  bool repair(std::uint32_t i) {
    if (!root_[i]) return false;
    root_[i] = false;
    dies_[i] = draw(kDies);
    spread();
    for (std::uint32_t k = 0; k < services_; ++k) {
      if (seen_[k].bad && (!bad_[k] || k == i)) look(k);
    }
    return true;
  }

 private:
  static constexpr double kDies = 0.03;  // of what something else hits

  double part() { return std::generate_canonical<double, 53>(chance_); }
  bool draw(double share) { return share > 0 && part() < share; }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(part() * n); }

  void build() {
    for (auto* flags : {&root_, &bad_, &dies_, &unseen_, &foreign_, &changed_}) flags->assign(services_, false);
    began_.assign(services_, 0);
    late_.assign(services_, 0);
    seen_.assign(services_, {});
    for (std::uint32_t i = 1; i < services_; ++i) {
      // What comes early is depended upon more: databases, queues, name services.
      const std::uint32_t wanted = std::min(i, below(7));
      const bool alternatives = wanted >= 2 && draw(0.1);
      std::vector<std::uint32_t> known;
      for (std::uint32_t k = 0; k < wanted; ++k) {
        const std::uint32_t to = std::min(below(i), below(i));
        if (std::find(known.begin(), known.end(), to) != known.end()) continue;
        known.push_back(to);
        add(i, to, draw(0.15) ? Way::soft : draw(0.05) ? Way::host : Way::hard, alternatives && k < 2 ? 1 : 0);
      }
    }
    // A few depend on each other.
    for (std::uint32_t i = 0; i < services_ / 40; ++i) {
      const Need back = needs_.empty() ? Need{} : needs_[below(static_cast<std::uint32_t>(needs_.size()))];
      const bool known = std::any_of(needs_.begin(), needs_.end(),
                                     [&](const Need& n) { return n.from == back.to && n.to == back.from; });
      if (!needs_.empty() && !known) add(back.to, back.from, Way::hard, 0);
    }
    for (std::uint32_t i = 0; i < services_; ++i) {
      unseen_[i] = draw(noise_.unseen);
      foreign_[i] = draw(0.03);
      changed_[i] = draw(0.02);
      dies_[i] = draw(kDies);
      late_[i] = 5 * part();
    }
  }

  void add(std::uint32_t from, std::uint32_t to, Way way, std::uint32_t group) {
    Need need{from, to, way, group, !draw(noise_.undeclared), !draw(noise_.skips)};
    if (way == Way::soft) need.passes = need.passes && draw(0.3);
    needs_.push_back(need);
  }

  void break_one() {
    std::uint32_t i = below(services_);
    while (root_[i]) i = below(services_);
    root_[i] = true;
    dies_[i] = draw(0.5);
    if (draw(0.3)) changed_[i] = true;
    began_[i] = 10 * part();
  }

  bool group_down(const Need& need) const {
    return std::all_of(needs_.begin(), needs_.end(), [&](const Need& other) {
      return other.from != need.from || other.group != need.group || bad_[other.to];
    });
  }

  // Until nothing changes any more. What goes on failing began when it did.
  void spread() {
    const std::vector<bool> before = bad_;
    bad_ = root_;
    for (bool more = true; more;) {
      more = false;
      for (const Need& need : needs_) {
        if (bad_[need.from] || !bad_[need.to] || !need.passes) continue;
        if (need.group != 0 && !group_down(need)) continue;
        bad_[need.from] = more = true;
        if (!before[need.from]) began_[need.from] = began_[need.to] + 2 * part();
      }
    }
  }

  Noise noise_;
  std::mt19937_64 chance_;
  std::uint32_t services_;
  std::vector<Need> needs_;
  std::vector<Look> seen_;
  std::vector<bool> root_, bad_, dies_, unseen_, foreign_, changed_;
  std::vector<double> began_, late_;
};

}  // namespace diagnosis_bench
