#include "probe/source.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "probe/promql_answer.hpp"
#include "probe/read_answer.hpp"

namespace homeostat::probe {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

// A label of ours marks the times, and what was done, so that one answer tells all. A query may end in a remark, which
// ends with its line.
std::string marked(std::string_view query, std::string_view done) {
  std::string out(query);
  const auto add = [&](std::string_view what, std::string_view mark) {
    out += fmt::format("\n or label_replace({}\n,\"{}\",\"{}\",\"\",\"\")", what, kMarkLabel, mark);
  };
  if (parse_selector(query)) add(fmt::format("timestamp({})", query), kTimeMark);
  if (!done.empty()) add(done, kDoneMark);
  return out;
}

struct Reader {
  std::string_view body;
  Reading operator()(const JsonPointer& at) const { return read_json(at, body); }
  Reading operator()(const SeriesSelector& series) const { return read_series(series, body); }
  Reading operator()(const QueryResult& query) const { return read_promql(query, body); }
};

}  // namespace

std::string promql_path(std::string_view prefix, std::string_view wanted, std::string_view done,
                        Duration fresh_within) {
  const std::string whole = marked(wanted, done);
  std::string_view query = whole;
  std::string out(prefix);
  while (out.ends_with('/')) out.pop_back();
  out += "/api/v1/query?query=";
  while (!query.empty()) {
    std::size_t kept = plain(query.front()) ? 1 : 0;
    // What is filled in for each run stays as it is until then.
    for (const std::string_view place : {"{port}", "{instance}", "{release}", "{version}"}) {
      if (query.starts_with(place)) kept = place.size();
    }
    out += kept > 0 ? std::string(query.substr(0, kept))
                    : fmt::format("%{:02X}", static_cast<unsigned char>(query.front()));
    query.remove_prefix(std::max<std::size_t>(kept, 1));
  }
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(fresh_within).count();
  return out + fmt::format("&lookback_delta={}ms", millis);
}

std::string condition_of(std::string_view query, std::string_view expect) {
  const std::size_t blank = expect.find(' ');
  return fmt::format("({}\n) {} bool {}", query, expect.substr(0, blank), expect.substr(blank + 1));
}

Reading read_answer(const std::vector<Selection>& numbers, std::string_view body) {
  std::vector<Told> all;
  for (const Selection& selection : numbers) {
    auto told = std::visit(Reader{body}, selection);
    if (!told) return told;
    std::ranges::move(*told, std::back_inserter(all));
  }
  return all;
}

Reading read_answer(const std::vector<Selection>& numbers, const Finding& judged, const HttpParser& answer) {
  if (!judged.seen.good()) {
    const bool asked =
        std::holds_alternative<QueryResult>(numbers.front()) && judged.seen.reason == Reason::wrong_status;
    const auto said = asked ? promql_error(answer.body()) : std::nullopt;
    return refuse(MetricFault::unread, said ? judged.detail + ": " + *said : judged.detail);
  }
  if (answer.body_cut()) return refuse(MetricFault::unread, "the answer is longer than 1 MiB");
  return read_answer(numbers, answer.body());
}

}  // namespace homeostat::probe
