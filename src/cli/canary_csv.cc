#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "cli/canary_input.hpp"
#include "config/problem.hpp"

namespace homeostat::cli {
namespace {

constexpr std::size_t kMostColumns = 3;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\"";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> cells_of(std::string_view line) {
  const char separator = line.find(',') != std::string_view::npos   ? ','
                         : line.find(';') != std::string_view::npos ? ';'
                                                                    : '\t';
  std::vector<std::string_view> cells;
  while (cells.size() <= kMostColumns) {
    const std::size_t end = line.find(separator);
    cells.push_back(trimmed(line.substr(0, end)));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return cells;
}

std::optional<double> number_of(std::string_view cell) {
  double value = 0;
  const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (read.ec != std::errc() || read.ptr != cell.data() + cell.size()) return std::nullopt;
  return value;
}

bool names_columns(const std::vector<std::string_view>& cells) {
  return std::none_of(cells.begin(), cells.end(), [](std::string_view cell) { return number_of(cell).has_value(); });
}

/// Adds one line; what is wrong with it, or nothing.
std::string add(const std::vector<std::string_view>& cells, CanaryInputMetric& metric) {
  if (cells.size() < 2 || cells.size() > kMostColumns) return "has not two or three columns";
  CanarySample sample;
  if (cells.size() == 3) {
    const auto at = number_of(cells.front());
    if (!at || !std::isfinite(*at) || std::abs(*at) > kMostCanarySeconds) return "does not begin with seconds";
    sample.at = *at;
  }
  const std::size_t first = cells.size() - 2;
  for (const std::size_t side : {0U, 1U}) {
    const std::string_view cell = cells[first + side];
    if (cell.empty()) continue;
    const auto value = number_of(cell);
    if (!value) return "has " + config::quote(cell) + ", which is not a number";
    sample.value = *value;
    (side == 0 ? metric.canary : metric.baseline).push_back(sample);
  }
  return {};
}

template <class T, std::size_t N>
std::optional<T> choose(std::string_view word, const std::array<std::pair<std::string_view, T>, N>& known) {
  for (const auto& [name, value] : known) {
    if (name == word) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<CanaryMode> canary_mode(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, CanaryMode>, 3> kModes{
      {{"native", CanaryMode::native}, {"kayenta", CanaryMode::kayenta}, {"simple", CanaryMode::simple}}};
  return choose(word, kModes);
}

std::optional<canary::Kind> canary_kind(std::string_view word) {
  using canary::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds{
      {{"latency", Kind::latency}, {"value", Kind::value}, {"errors", Kind::errors}, {"events", Kind::events}}};
  return choose(word, kKinds);
}

std::optional<canary::Worse> canary_worse(std::string_view word) {
  using canary::Worse;
  static constexpr std::array<std::pair<std::string_view, Worse>, 3> kWorse{
      {{"higher", Worse::higher}, {"lower", Worse::lower}, {"either", Worse::either}}};
  return choose(word, kWorse);
}

canary::Worse usual_worse(CanaryMode mode) {
  return mode == CanaryMode::kayenta ? canary::Worse::either : canary::Worse::higher;
}

canary::kayenta::Direction kayenta_direction(canary::Worse worse) {
  using canary::kayenta::Direction;
  if (worse == canary::Worse::either) return Direction::either;
  return worse == canary::Worse::higher ? Direction::increase : Direction::decrease;
}

canary::Kind likely_kind(const CanaryInputMetric& metric) {
  const auto positive = [](const CanarySample& sample) { return sample.value > 0; };
  const bool all = std::all_of(metric.canary.begin(), metric.canary.end(), positive) &&
                   std::all_of(metric.baseline.begin(), metric.baseline.end(), positive);
  return all ? canary::Kind::latency : canary::Kind::value;
}

std::expected<CanaryInput, Error> read_canary_csv(std::string_view text, const CanaryColumns& columns) {
  CanaryInput input;
  input.mode = columns.mode;
  CanaryInputMetric metric;
  metric.metric.name = "metric";
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (trimmed(line).empty()) continue;
    const auto cells = cells_of(line);
    if (number == 1 && names_columns(cells)) continue;
    if (const std::string problem = add(cells, metric); !problem.empty()) {
      return fail(fmt::format("line {} {}", number, problem));
    }
  }
  metric.metric.kind = columns.kind.value_or(likely_kind(metric));
  if (metric.metric.kind == canary::Kind::errors || metric.metric.kind == canary::Kind::events) {
    return fail("counts need JSON: two columns cannot say of how many");
  }
  metric.metric.worse = columns.worse.value_or(usual_worse(columns.mode));
  metric.simple.worse = metric.metric.worse;
  metric.kayenta.direction = kayenta_direction(metric.metric.worse);
  input.metrics.push_back(std::move(metric));
  return input;
}

}  // namespace homeostat::cli
