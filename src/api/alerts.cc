#include "api/alerts.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <chrono>

#include "api/json.hpp"
#include "core/text.hpp"
#include "core/variable.hpp"

namespace homeostat::api {
namespace {

constexpr std::size_t kMostAlerts = 1000;
constexpr std::size_t kMostLabels = 64;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestValue = 2048;

const json::value* member(const json::object& object, std::string_view name, json::kind kind) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->kind() == kind ? found : nullptr;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name, json::kind::string);
  return found == nullptr ? std::string() : std::string(found->get_string());
}

/// Others are of no use: nobody can ask for them.
bool is_known(std::string_view name) { return name.size() <= kLongestName && is_label_name(name); }

constexpr std::string_view kNeeds =
    "an alert needs `status` (firing or resolved), `fingerprint`, `startsAt` and `labels` (texts)";

/// What is wrong; empty: nothing.
std::string read_labels(const json::object& object, Alert& out) {
  const json::value* labels = member(object, "labels", json::kind::object);
  if (labels == nullptr) return std::string(kNeeds);
  const std::string of = " of the alert " + homeostat::printable(out.fingerprint, 64);
  if (labels->get_object().size() > kMostLabels) return "more than 64 labels" + of;
  for (const auto& [name, value] : labels->get_object()) {
    if (!value.is_string()) return std::string(kNeeds);
    if (value.get_string().size() > kLongestValue)
      return "more than 2048 bytes in the label `" + homeostat::printable(name, 100) + "`" + of;
    if (!is_known(name)) continue;
    out.labels.emplace(name, value.get_string());
  }
  return {};
}

std::string read_alert(const json::value& value, Alert& out) {
  if (!value.is_object()) return std::string(kNeeds);
  const json::object& object = value.get_object();
  const std::string status = text_of(object, "status");
  const auto starts = parse_moment(text_of(object, "startsAt"));
  out.fingerprint = text_of(object, "fingerprint");
  out.firing = status == "firing";
  const bool known = out.firing || status == "resolved";
  if (!known || !starts || out.fingerprint.empty() || out.fingerprint.size() > 64) return std::string(kNeeds);
  out.starts_ns = *starts;
  if (!out.firing) out.ends_ns = parse_moment(text_of(object, "endsAt")).value_or(0);
  if (const json::value* annotations = member(object, "annotations", json::kind::object)) {
    out.summary = text_of(annotations->get_object(), "summary");
    if (out.summary.size() > kLongestValue) out.summary = homeostat::printable(out.summary, kLongestValue);
  }
  return read_labels(object, out);
}

std::optional<int> digits(std::string_view& text, std::size_t count, std::string_view then) {
  if (text.size() < count + then.size()) return std::nullopt;
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + count, number);
  if (read.ec != std::errc() || read.ptr != text.data() + count || text.front() == '-') return std::nullopt;
  text.remove_prefix(count);
  if (!text.starts_with(then)) return std::nullopt;
  text.remove_prefix(then.size());
  return number;
}

/// ".123" as nanoseconds; nothing is taken when there is no dot.
std::optional<std::int64_t> fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  std::int64_t out = 0;
  std::size_t count = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (++count <= 9) out = out * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (count == 0) return std::nullopt;
  for (; count < 9; ++count) out *= 10;
  return out;
}

/// "Z" or "+02:00", in minutes.
std::optional<int> zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = digits(text, 2, ":");
  const auto minutes = digits(text, 2, "");
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::optional<std::int64_t> parse_moment(std::string_view text) {
  const auto year = digits(text, 4, "-");
  const auto month = year ? digits(text, 2, "-") : std::nullopt;
  const auto day = month ? digits(text, 2, "T") : std::nullopt;
  const auto hour = day ? digits(text, 2, ":") : std::nullopt;
  const auto minute = hour ? digits(text, 2, ":") : std::nullopt;
  const auto second = minute ? digits(text, 2, "") : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60 || *year < 1970 || *year > 2200) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  const auto parts = fraction(text);
  const auto shift = zone(text);
  if (!date.ok() || !parts || !shift) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + *hour) * 60 + *minute - *shift) * 60 + *second;
  return seconds * 1'000'000'000 + *parts;
}

std::expected<std::vector<Alert>, Response> parse_alerts(const std::string& body) {
  const auto malformed = [](std::string_view why) { return std::unexpected(refuse(400, why)); };
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return malformed("the body is no JSON object");
  const json::object& object = value.get_object();
  if (text_of(object, "version") != "4") return malformed("this is not version 4 of Alertmanager's webhook");
  const json::value* alerts = member(object, "alerts", json::kind::array);
  if (alerts == nullptr) return malformed("`alerts` is missing");
  if (alerts->get_array().size() > kMostAlerts) return malformed("more than 1000 alerts at once");
  std::vector<Alert> out;
  for (const json::value& one : alerts->get_array()) {
    if (const std::string why = read_alert(one, out.emplace_back()); !why.empty()) return malformed(why);
  }
  return out;
}

}  // namespace homeostat::api
