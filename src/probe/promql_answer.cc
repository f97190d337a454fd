#include "probe/promql_answer.hpp"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"

namespace homeostat::probe {
namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 160;
constexpr std::size_t kShownLabels = 80;
constexpr std::size_t kShownNumber = 40;

std::string text_at(const json::object& in, json::string_view key) {
  const json::value* value = in.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<json::object> parse(std::string_view answer) {
  json::parse_options options;
  options.max_depth = 16;
  boost::system::error_code wrong;
  json::value value = json::parse(json::string_view(answer.data(), answer.size()), wrong, {}, options);
  if (wrong || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

/// [ seconds, "value" ]; `any`: as in QueryResult.
std::expected<Told, Refusal> read_point(const json::value* point, bool any = false) {
  const json::array* pair = point == nullptr ? nullptr : point->if_array();
  const bool whole = pair != nullptr && pair->size() == 2 && (*pair)[0].is_number() && (*pair)[1].is_string();
  const double seconds = whole ? (*pair)[0].to_number<double>() : 0;
  if (!whole || !(std::abs(seconds) < 1e12))
    return refuse(MetricFault::unread, "a result is not a pair of time and value");
  const json::string& written = (*pair)[1].get_string();
  const std::string_view text(written.data(), written.size());
  const std::int64_t wall_ms = std::llround(seconds * 1000);
  const auto value = any ? read_signed(text) : read_number(text);
  if (value) return Told{*value, {}, wall_ms};
  const bool uncounted = value.error().fault == MetricFault::infinite || value.error().fault == MetricFault::too_large;
  if (!any || !uncounted) return std::unexpected(value.error());
  return Told{0, {}, wall_ms, printable(text, kShownNumber)};
}

/// One element of a vector.
struct Element {
  const json::object* metric = nullptr;  // null: it is none
  const json::value* point = nullptr;

  explicit Element(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return;
    if (const json::value* labels = object->if_contains("metric")) metric = labels->if_object();
    point = object->if_contains("value");
  }
  std::string label(std::string_view name) const {
    return metric == nullptr ? "" : text_at(*metric, {name.data(), name.size()});
  }
};

/// The elements of a vector, with the times of their samples by `label`.
class Vector {
 public:
  Vector(const QueryResult& wanted, const json::array& elements)
      : label_(wanted.label), with_done_(wanted.done), any_(wanted.any) {
    for (const json::value& value : elements) {
      const Element element(value);
      const std::string mark = element.label(kMarkLabel);
      if (mark.empty()) {
        elements_.push_back(element);
      } else if (mark == kDoneMark) {
        done_.push_back(element);
      } else if (const auto at = read_point(element.point)) {
        times_.emplace(element.label(label_), at->value);
      }
    }
  }

  Reading read() const {
    if (elements_.empty()) {
      return refuse(MetricFault::absent, "the query has no result: no such series, or none seen lately");
    }
    if (!label_.empty()) return read_all();
    if (elements_.size() > 1) return refuse(MetricFault::not_a_number, too_many(elements_));
    auto told = read_one(elements_.front());
    if (!told) return std::unexpected(told.error());
    if (!with_done_) return std::vector<Told>{std::move(*told)};
    if (done_.empty()) return refuse(MetricFault::absent, "the query for `done` has no result");
    if (done_.size() > 1) return refuse(MetricFault::not_a_number, "of what was done: " + too_many(done_));
    auto done = read_point(done_.front().point);
    if (!done) return std::unexpected(done.error());
    return std::vector<Told>{std::move(*told), std::move(*done)};
  }

 private:
  std::expected<Told, Refusal> read_one(const Element& element) const {
    auto told = read_point(element.point, any_);
    if (!told) return told;
    if (!label_.empty()) told->key = element.label(label_);
    if (const auto at = times_.find(told->key); at != times_.end()) told->wall_ms = at->second;
    return told;
  }
  Reading read_all() const {
    std::vector<Told> all;
    std::set<std::string> keys;
    std::optional<Refusal> first;
    for (const Element& element : elements_) {
      const std::string key = element.label(label_);
      if (key.empty()) return refuse(MetricFault::absent, fmt::format("a result has no label {}", label_));
      if (!keys.insert(key).second) return refuse(MetricFault::not_a_number, twice(key));
      auto told = read_one(element);
      if (told)
        all.push_back(std::move(*told));
      else if (!first)
        first = Refusal{told.error().fault, printable(key, kShownLabels) + ": " + told.error().why};
    }
    if (all.empty() && first) return std::unexpected(*first);
    return all;
  }
  std::string twice(const std::string& key) const {
    return fmt::format("two results for {}=\"{}\": aggregate them by ({})", label_, printable(key, kShownLabels),
                       label_);
  }
  static std::string too_many(const std::vector<Element>& elements) {
    const json::object* metric = elements.front().metric;
    const std::string such =
        metric == nullptr ? "" : ", such as " + printable(json::serialize(*metric), kShownLabels) + ",";
    return fmt::format("the query has {} results{} and one is needed, as of sum(…)", elements.size(), such);
  }

  const std::string& label_;
  bool with_done_;
  bool any_;
  std::vector<Element> elements_;
  std::vector<Element> done_;
  std::map<std::string, std::int64_t> times_;  // ms
};

}  // namespace

Reading read_promql(const QueryResult& wanted, std::string_view answer) {
  const auto root = parse(answer);
  const json::value* data = root ? root->if_contains("data") : nullptr;
  if (data == nullptr || !data->is_object() || text_at(*root, "status") != "success")
    return refuse(MetricFault::unread, "this is not an answer of a Prometheus");
  const std::string type = text_at(data->get_object(), "resultType");
  const json::value* result = data->get_object().if_contains("result");
  if (type == "scalar") {
    auto told = read_point(result);
    if (!told) return std::unexpected(told.error());
    if (!wanted.label.empty()) return refuse(MetricFault::absent, "a scalar has no label " + wanted.label);
    if (wanted.done) return refuse(MetricFault::absent, "a scalar tells nothing of what was done; vector(…) does");
    return std::vector<Told>{std::move(*told)};
  }
  if (type == "vector" && result != nullptr && result->is_array()) return Vector(wanted, result->get_array()).read();
  return refuse(MetricFault::not_a_number,
                fmt::format("the query gives a {}; an instant vector or a scalar is needed", printable(type, 20)));
}

std::optional<std::string> promql_error(std::string_view answer) {
  const auto root = parse(answer);
  if (!root || text_at(*root, "status") != "error") return std::nullopt;
  return printable(text_at(*root, "errorType") + ": " + text_at(*root, "error"), kShown);
}

}  // namespace homeostat::probe
