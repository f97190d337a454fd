#include "probe/rates.hpp"

#include <utility>

namespace homeostat::probe {
namespace {

std::int64_t per_second(std::int64_t grown, Duration span) {
  return static_cast<std::int64_t>(static_cast<__int128>(grown) * Duration(std::chrono::seconds(1)).count() /
                                   span.count());
}

}  // namespace

Reading Rates::of(std::uint32_t source, const std::vector<Told>& counters, Instant now) {
  Look look{now, {}};
  for (const Told& told : counters) look.values[told.key] = told.value;
  const Look before = std::exchange(last_[source], std::move(look));
  std::vector<Told> rates;
  for (const Told& told : counters) {
    const auto last = before.values.find(told.key);
    if (last == before.values.end() || told.value < last->second || now <= before.at) continue;
    rates.push_back({per_second(told.value - last->second, now - before.at), told.key, told.wall_ms});
  }
  if (rates.empty()) return refuse(MetricFault::absent, "how many a second is known from the next look on");
  return rates;
}

void Rates::renumber(const std::map<std::uint32_t, std::uint32_t>& was) {
  const std::map<std::uint32_t, Look> before = std::exchange(last_, {});
  for (const auto& [now, then] : was) {
    if (const auto look = before.find(then); look != before.end()) last_.emplace(now, look->second);
  }
}

}  // namespace homeostat::probe
