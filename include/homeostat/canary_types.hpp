// The words of the canary judge: what it is told, what it says.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat::canary {

/// The new version, and what it is compared with.
enum class Arm : std::uint8_t { canary, baseline };

/// Which change of a metric does harm.
enum class Worse : std::uint8_t { higher, lower, either };

enum class Kind : std::uint8_t {
  latency,  // positive, spread over orders of magnitude: compared by ratio, on the logarithm
  value,    // any number: compared by the mean
  errors,   // so many of so many went wrong
  events,   // so many in so much traffic or time
};

/// `undecided` is said "continue": neither harm nor its absence is proven yet.
enum class Verdict : std::uint8_t { pass, fail, not_enough_data, undecided };

inline constexpr std::array<std::string_view, 2> kArmNames{"canary", "baseline"};
constexpr std::span<const std::string_view> names_of(Arm) { return kArmNames; }

inline constexpr std::array<std::string_view, 3> kWorseNames{"higher", "lower", "either"};
constexpr std::span<const std::string_view> names_of(Worse) { return kWorseNames; }

inline constexpr std::array<std::string_view, 4> kKindNames{"latency", "value", "errors", "events"};
constexpr std::span<const std::string_view> names_of(Kind) { return kKindNames; }

inline constexpr std::array<std::string_view, 4> kVerdictNames{"pass", "fail", "not_enough_data", "continue"};
constexpr std::span<const std::string_view> names_of(Verdict) { return kVerdictNames; }

std::string_view to_string(Arm arm);
std::string_view to_string(Worse worse);
std::string_view to_string(Kind kind);
std::string_view to_string(Verdict verdict);

struct Metric {
  std::string name{};
  Kind kind = Kind::latency;
  Worse worse = Worse::higher;
  double fail_above = 0;        // harm that must be proven for a rollback, as a share of the baseline
  double promote_below = 0.10;  // harm that must be excluded for a promotion, as a share of the baseline
  /// Kind errors: so much of all requests is tolerated, where that is more than promote_below allows.
  double promote_points = 0.005;
  double weight = 1;     // its share of alpha, and of the votes of metrics that are not critical
  bool critical = true;  // its harm alone fails the canary, and must be excluded before a promotion
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("name", self.name);
    visit("kind", self.kind);
    visit("worse", self.worse);
    visit("fail_above", self.fail_above);
    visit("promote_below", self.promote_below);
    visit("promote_points", self.promote_points);
    visit("weight", self.weight);
    visit("critical", self.critical);
  };
  friend bool operator==(const Metric&, const Metric&) = default;
};

struct Options {
  double alpha = 0.05;       // chance of ever failing a canary that does no harm, over all metrics and stages
  double beta = 0.05;        // chance of ever passing one whose harm is what promote_below tolerates, or more
  std::uint32_t stages = 1;  // of the rollout; each has its own judge and its share of alpha
  /// Samples are compared within blocks of this length, so that a drift that both sides share is blamed on neither.
  Duration block = std::chrono::minutes(1);
  static constexpr auto fields = [](auto& self, auto& visit) {
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("stages", self.stages);
    visit("block", self.block);
  };
  friend bool operator==(const Options&, const Options&) = default;
};

/// Raw samples a side below which nothing is said, and below which nothing passes.
inline constexpr std::uint64_t kLeastSamples = 5;
inline constexpr std::uint64_t kLeastToPass = 30;

/// Nothing, or what is wrong: the field, its value and what it may be.
std::expected<void, std::string> validate(const Options& options, std::span<const Metric> metrics);

struct Side {
  std::uint64_t samples = 0;
  double average = 0;  // of the kind: geometric for latency, a rate for errors and events
};

struct MetricReport {
  std::string name{};
  Verdict verdict = Verdict::not_enough_data;
  bool broken = false;  // it was told what it cannot use, or nothing any more: it never passes
  // Change of the canary against the baseline, as a share of the baseline, and bounds that hold at all times at once.
  double change = 0;
  double lower = 0;
  double upper = 0;
  Side canary{};
  Side baseline{};
  std::string why;
};

struct Judgement {
  Verdict verdict = Verdict::not_enough_data;
  std::string why;
  std::vector<MetricReport> metrics;
};

}  // namespace homeostat::canary
