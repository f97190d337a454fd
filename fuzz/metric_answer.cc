// What a source of numbers answers: JSON, Prometheus' text, its query API, HAProxy's statistics, the output of a
// command. A number comes out only where it stands, and what is told instead is harmless.
#include <boost/json.hpp>
#include <cmath>
#include <string>

#include "kit.hpp"
#include "probe/haproxy_answer.hpp"
#include "probe/json_pointer.hpp"
#include "probe/promql_answer.hpp"
#include "probe/series.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {
namespace {

namespace json = boost::json;

void judge(const probe::Reading& reading) {
  if (!reading) {
    require(reading.error().fault != MetricFault::none, "without a number there is a fault");
    require(!reading.error().why.empty(), "a fault has its reason");
    require(is_harmless(reading.error().why, 512), "the reason can be shown");
    return;
  }
  for (const probe::Told& told : *reading) require(told.value >= 0, "a number is not negative");
}

/// The same document as a tree: the number stands where the pointer points.
void look_in_json(std::string_view pointer, std::string_view body) {
  const auto at = probe::parse_pointer(pointer);
  if (!at) return;
  const probe::Reading reading = probe::read_json(*at, body);
  judge(reading);
  json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code wrong;
  const json::value tree = json::parse({body.data(), body.size()}, wrong, {}, options);
  require(!reading || !wrong, "a number comes out of a whole document only");
  if (!reading) return;
  const json::value* found = tree.find_pointer({pointer.data(), pointer.size()}, wrong);
  require(found != nullptr && found->is_number(), "the pointer points to a number");
  const double there = found->to_number<double>() * 1000;
  require(std::abs(there - static_cast<double>(reading->front().value)) <= 0.51 + there * 1e-9, "it is that number");
}

/// Comments and other series change nothing.
void look_in_series(std::string_view selector, std::string_view body) {
  const auto series = probe::parse_selector(selector);
  if (!series) return require(is_harmless(series.error().text, 1024), "the complaint can be shown");
  const probe::Reading reading = probe::read_series(*series, body);
  judge(reading);
  const std::string more = "# a comment\nanother_" + series->name + " 7\n" + std::string(body);
  const probe::Reading again = probe::read_series(*series, more);
  require(again.has_value() == reading.has_value(), "other lines change nothing");
  if (reading) require(again->front().value == reading->front().value, "other lines do not count");
}

/// Lines of other backends change nothing.
void look_in_haproxy(std::string_view backend, std::string_view body) {
  if (backend == "another") return;
  for (const bool of_servers : {false, true}) {
    const probe::HaproxySource source{{"/socket", std::string(backend)}, {"qcur", "stot"}, of_servers};
    const auto lines = traffic::read_columns(body, backend, source.columns);
    if (!lines) return require(!lines.error().text.empty(), "a refusal has its reason");
    const probe::Reading reading = probe::read_haproxy(source, *lines);
    judge(reading);
    const auto more = traffic::read_columns(std::string(body) + "\nanother,s9,7,7,7", backend, source.columns);
    require(more && more->size() == lines->size(), "other lines do not count");
  }
}

}  // namespace

void run(std::string_view input) {
  if (input.empty()) return;
  const int kind = static_cast<unsigned char>(input.front()) % 6;
  input.remove_prefix(1);
  const std::size_t line = input.find('\n');
  const std::string_view first = input.substr(0, line);
  const std::string_view body = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  if (first.size() > 200) return;  // it comes from the configuration, and is no longer there
  if (kind == 0) look_in_json(first, body);
  if (kind == 1) look_in_series(first, body);
  if (kind == 2) judge(probe::read_promql({"pod", false}, body));
  if (kind == 3) judge(probe::read_promql({"", first.empty()}, body));
  if (kind == 4) judge(probe::read_printed(input, first.size() % 2 + 1));
  if (kind == 5) look_in_haproxy(first, body);
  const auto error = probe::promql_error(body);
  require(!error || is_harmless(*error), "what Prometheus says can be shown");
}

}  // namespace homeostat::fuzz
