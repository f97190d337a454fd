#include <fmt/core.h>
#include <re2/re2.h>

#include <array>
#include <utility>

#include "core/text.hpp"
#include "probe/labels.hpp"
#include "probe/series.hpp"

namespace homeostat::probe {
namespace {

constexpr std::size_t kMostMatches = 32;
constexpr std::int64_t kMostPatternMemory = 1 << 20;

using How = LabelMatch::How;
constexpr std::array<std::pair<std::string_view, How>, 4> kOperators{
    {{"=~", How::matches}, {"!~", How::matches_not}, {"!=", How::differs}, {"=", How::equal}}};

std::expected<LabelMatch, Error> take_match(Scan& scan) {
  LabelMatch match;
  match.label = scan.name(false);
  if (match.label.empty()) return fail(fmt::format("a label is needed at {}", printable(scan.rest(), 40)));
  const auto* used = kOperators.begin();
  while (used != kOperators.end() && !scan.take(used->first)) ++used;
  if (used == kOperators.end()) return fail(fmt::format("one of = != =~ !~ is needed after {}", match.label));
  match.how = used->second;
  auto value = scan.quoted();
  if (!value) return fail(fmt::format("the value of {} must stand in double quotes", match.label));
  match.value = std::move(*value);
  if (match.how != How::matches && match.how != How::matches_not) return match;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMostPatternMemory);
  auto pattern = std::make_shared<const re2::RE2>(match.value, options);
  if (!pattern->ok()) return fail(fmt::format("the pattern of {}: {}", match.label, printable(pattern->error(), 120)));
  match.pattern = std::move(pattern);
  return match;
}

}  // namespace

std::expected<SeriesSelector, Error> parse_selector(std::string_view text) {
  SeriesSelector out;
  out.text = text;
  Scan scan(text);
  out.name = scan.name(true);
  if (out.name.empty()) return fail("it begins with the name of a metric, as in jobs_waiting{queue=\"a\"}");
  if (scan.take("{") && !scan.take("}")) {
    for (;;) {
      auto match = take_match(scan);
      if (!match) return std::unexpected(match.error());
      out.labels.push_back(std::move(*match));
      if (out.labels.size() > kMostMatches) return fail(fmt::format("more than {} labels", kMostMatches));
      const bool more = scan.take(",");
      if (scan.take("}")) break;
      if (!more) return fail("`,` or `}` is needed after the value of " + out.labels.back().label);
    }
  }
  scan.blanks();
  if (!scan.done()) {
    return fail(fmt::format("nothing can follow the labels, but {} does; for expressions there is `promql`",
                            printable(scan.rest(), 40)));
  }
  return out;
}

}  // namespace homeostat::probe
