#include "probe/series.hpp"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"
#include "probe/labels.hpp"

namespace homeostat::probe {
namespace {

using Labels = std::map<std::string, std::string>;

constexpr double kMostMillis = 1e15;  // the year 33658

bool agrees(const LabelMatch& match, const Labels& labels) {
  const auto found = labels.find(match.label);
  const std::string_view value = found == labels.end() ? std::string_view() : std::string_view(found->second);
  switch (match.how) {
    case LabelMatch::How::equal:
      return value == match.value;
    case LabelMatch::How::differs:
      return value != match.value;
    case LabelMatch::How::matches:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *match.pattern);
    case LabelMatch::How::matches_not:
      return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *match.pattern);
  }
  return false;
}

bool take_labels(Scan& scan, Labels& out) {
  if (!scan.take("{")) return true;
  while (!scan.take("}")) {
    const std::string name(scan.name(false));
    if (name.empty() || !scan.take("=")) return false;
    auto value = scan.quoted();
    if (!value || !out.emplace(name, std::move(*value)).second) return false;
    if (!scan.take(",") && !scan.rest().starts_with('}')) return false;
  }
  return true;
}

/// Goes through the lines of one exposition and adds up what is meant.
class Sum {
 public:
  Sum(const SeriesSelector& selector, bool open_metrics) : selector_(selector), open_metrics_(open_metrics) {}

  /// Nothing, or why no number can come of it.
  std::optional<Refusal> line(std::string_view line) {
    ++lines_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string& name = selector_.name;
    if (!line.starts_with(name) || (line.size() > name.size() && is_name_char(line[name.size()], true))) return {};
    Scan scan(line.substr(name.size()));
    Labels labels;
    if (!take_labels(scan, labels)) return malformed("its labels cannot be read");
    if (!std::ranges::all_of(selector_.labels, [&](const LabelMatch& one) { return agrees(one, labels); })) return {};
    if (!seen_.insert(labels).second) return Refusal{MetricFault::not_a_number, series(labels) + " is there twice"};
    const auto value = read_number(scan.word());
    if (!value) return Refusal{value.error().fault, series(labels) + ": " + value.error().why};
    if (!take_time(scan)) return malformed("its time stamp cannot be read");
    const bool fits = !__builtin_add_overflow(sum_, *value, &sum_);
    if (!fits) return Refusal{MetricFault::too_large, "the sum of its series is beyond what can be counted"};
    return {};
  }

  Reading result() const {
    if (!seen_.empty()) return std::vector<Told>{{sum_, {}, oldest_}};
    return refuse(MetricFault::absent, fmt::format("no series {} in {} lines", printable(selector_.text, 80), lines_));
  }

 private:
  std::optional<Refusal> malformed(const char* what) const {
    return Refusal{MetricFault::unread, fmt::format("line {} of the answer: {}", lines_, what)};
  }
  std::string series(const Labels& labels) const {
    std::string out = selector_.name;
    for (const auto& [label, value] : labels) out += (out == selector_.name ? "{" : ",") + label + "=\"" + value + '"';
    return printable(labels.empty() ? out : out + "}", 120);
  }
  // Milliseconds; in OpenMetrics seconds with a fraction. What follows `#` there is an example of what was counted.
  bool take_time(Scan& scan) {
    scan.blanks();
    if (!scan.done() && !scan.rest().starts_with('#')) {
      const std::string_view word = scan.word();
      double time = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), time);
      if (error != std::errc{} || end != word.data() + word.size()) return false;
      const double millis = open_metrics_ ? time * 1000 : time;
      if (!(std::abs(millis) < kMostMillis)) return false;
      const auto at = static_cast<std::int64_t>(millis);
      oldest_ = std::min(oldest_.value_or(at), at);
    }
    scan.blanks();
    return scan.done() || scan.rest().starts_with('#');
  }

  const SeriesSelector& selector_;
  bool open_metrics_;
  std::size_t lines_ = 0;
  std::int64_t sum_ = 0;
  std::optional<std::int64_t> oldest_;
  std::set<Labels> seen_;
};

}  // namespace

Reading read_series(const SeriesSelector& selector, std::string_view exposition) {
  Sum sum(selector, exposition.ends_with("# EOF\n") || exposition.ends_with("# EOF"));
  while (!exposition.empty()) {
    const std::size_t end = std::min(exposition.find('\n'), exposition.size());
    if (auto refusal = sum.line(exposition.substr(0, end))) return std::unexpected(std::move(*refusal));
    exposition.remove_prefix(std::min(end + 1, exposition.size()));
  }
  return sum.result();
}

}  // namespace homeostat::probe
