#include "homeostat/availability.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>

namespace homeostat {
namespace {

/// A mean that cannot overflow, however many durations are added.
class Mean {
 public:
  explicit Mean(std::uint64_t count) : count_(static_cast<std::int64_t>(count)) {}
  void add(Duration span) {
    whole_ += span.count() / count_;
    rest_ += span.count() % count_;
    whole_ += rest_ / count_;
    rest_ %= count_;
  }
  Duration value() const { return Duration(whole_); }

 private:
  std::int64_t count_;
  std::int64_t whole_ = 0;
  std::int64_t rest_ = 0;
};

std::optional<Duration> mean(std::span<const Duration> spans) {
  if (spans.empty()) return std::nullopt;
  Mean mean(spans.size());
  for (const Duration span : spans) mean.add(span);
  return mean.value();
}

enum class Kind : std::uint8_t { maintenance, unknown, down };  // the earlier hides the later
constexpr std::size_t kKinds = 3;

struct Edge {
  Instant at;
  Kind kind;
  int step;  // +1 begins, -1 ends
};

void add_edges(std::vector<Edge>& edges, const std::vector<Interval>& intervals, Kind kind, Instant from, Instant to) {
  for (const Interval& interval : intervals) {
    const Instant begin = std::max(interval.from, from);
    const Instant end = std::min(interval.to, to);
    if (begin >= end) continue;
    edges.push_back({begin, kind, 1});
    edges.push_back({end, kind, -1});
  }
}

/// Walks over all edges once and gives each piece of the window to the first kind that covers it. The order of edges at
/// one instant does not matter: what lies between them is empty.
void share_out(const AvailabilityFacts& facts, Availability& out) {
  std::vector<Edge> edges;
  add_edges(edges, facts.maintenance, Kind::maintenance, out.from, out.to);
  add_edges(edges, facts.unknown, Kind::unknown, out.from, out.to);
  add_edges(edges, facts.down, Kind::down, out.from, out.to);
  std::ranges::sort(edges, {}, &Edge::at);

  const std::array<Duration*, kKinds + 1> totals{&out.maintenance, &out.unknown, &out.down, &out.up};
  std::array<int, kKinds> covering{};
  Instant at = out.from;
  const auto advance = [&](Instant next) {
    const auto first = std::ranges::find_if(covering, [](int depth) { return depth > 0; });
    *totals[static_cast<std::size_t>(first - covering.begin())] += next - at;
    at = next;
  };
  for (const Edge& edge : edges) {
    advance(edge.at);
    covering[static_cast<std::size_t>(edge.kind)] += edge.step;
  }
  advance(out.to);
}

void count_incidents(const std::vector<IncidentFacts>& incidents, Availability& out) {
  std::vector<Duration> to_detect;
  std::vector<Duration> to_repair;
  const auto inside = [&](Instant at) { return at >= out.from && at < out.to; };
  for (const IncidentFacts& incident : incidents) {
    if (inside(incident.first_failure)) ++out.failures;
    if (inside(incident.verdict)) to_detect.push_back(span_between(incident.first_failure, incident.verdict));
    if (incident.recovered && inside(*incident.recovered)) {
      to_repair.push_back(span_between(incident.first_failure, *incident.recovered));
    }
    if (incident.first_failure < out.to && (!incident.recovered || *incident.recovered >= out.to)) ++out.open;
  }
  out.detected = to_detect.size();
  out.repaired = to_repair.size();
  out.mttd = mean(to_detect);
  out.mttr = mean(to_repair);
}

std::optional<Duration> median(std::vector<Duration>& spans) {
  if (spans.empty()) return std::nullopt;
  std::ranges::sort(spans);
  const std::size_t middle = spans.size() / 2;
  if (spans.size() % 2 == 1) return spans[middle];
  return spans[middle - 1] + (spans[middle] - spans[middle - 1]) / 2;
}

void count_attempts(const std::vector<AttemptFacts>& attempts, Availability& out) {
  std::vector<const AttemptFacts*> inside;
  for (const AttemptFacts& attempt : attempts) {
    if (attempt.began >= out.from && attempt.began < out.to) inside.push_back(&attempt);
  }
  const auto kind = [](const AttemptFacts* attempt) { return std::tie(attempt->strategy, attempt->against); };
  std::ranges::sort(inside, {}, kind);
  for (std::size_t i = 0; i < inside.size();) {
    StrategyFigures figures{.strategy = inside[i]->strategy, .against = inside[i]->against};
    std::vector<Duration> repairs;
    const AttemptFacts* const first = inside[i];
    for (; i < inside.size() && kind(inside[i]) == kind(first); ++i) {
      ++(inside[i]->shadow ? figures.shadow : figures.attempts);
      if (inside[i]->verified && !inside[i]->shadow) repairs.push_back(std::max(inside[i]->time_to_repair, Duration{}));
    }
    figures.verified = repairs.size();
    if (figures.attempts > 0)
      figures.rate = static_cast<double>(figures.verified) / static_cast<double>(figures.attempts);
    figures.median_time_to_repair = median(repairs);
    out.strategies.push_back(std::move(figures));
  }
}

/// part / (part + rest), absent when both are zero.
std::optional<double> share(Duration part, Duration rest) {
  const double whole = static_cast<double>(part.count()) + static_cast<double>(rest.count());
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part.count()) / whole;
}

std::optional<Instant> nth_smallest(std::span<const Instant> times, std::size_t n) {
  if (n == 0 || times.size() < n) return std::nullopt;
  std::vector<Instant> sorted(times.begin(), times.end());
  const auto wanted = sorted.begin() + static_cast<std::ptrdiff_t>(n - 1);
  std::nth_element(sorted.begin(), wanted, sorted.end());
  return *wanted;
}

}  // namespace

Availability measure_availability(const AvailabilityFacts& facts, Instant from, Instant to) {
  if (span_between(from, to) == Duration::max()) from = to - Duration::max();
  Availability out{.from = from, .to = to};
  if (from >= to) return out;
  share_out(facts, out);
  count_incidents(facts.incidents, out);
  count_attempts(facts.attempts, out);
  if (out.failures > 0) out.mtbf = out.up / static_cast<std::int64_t>(out.failures);
  if (out.mtbf && out.mttr) out.availability = share(*out.mtbf, *out.mttr);
  out.uptime = share(out.up, out.down);
  return out;
}

std::optional<Instant> down_since(std::span<const Instant> first_failures, std::uint32_t total,
                                  std::uint32_t min_healthy) {
  if (min_healthy == 0 || total == 0) return std::nullopt;
  return nth_smallest(first_failures, std::size_t{total} - std::min(min_healthy, total) + 1);
}

std::optional<Instant> up_since(std::span<const Instant> up_since, std::uint32_t min_healthy) {
  if (min_healthy == 0) return kLongAgo;
  return nth_smallest(up_since, min_healthy);
}

}  // namespace homeostat
