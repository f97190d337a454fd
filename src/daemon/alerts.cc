#include "daemon/alerts.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <tuple>

#include "core/text.hpp"

namespace homeostat::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKnown = 10'000;
constexpr std::size_t kMostTold = 1'000;
constexpr std::size_t kMostShown = 10;
constexpr std::size_t kNameShown = 100;  // bytes
// Longer than an Alertmanager keeps what it was told itself.
constexpr Duration kForgotten = std::chrono::days(7);
// Whoever tells late of an alert that is over hears of its end, too, and tells that with his next post: after the
// `group_interval` of an Alertmanager, which is five minutes unless it is said.
constexpr Duration kDoubted = std::chrono::minutes(10);

Duration since(std::int64_t then_ns, std::int64_t wall_ns) { return std::chrono::nanoseconds(wall_ns - then_ns); }

bool has_all(const api::Alert& alert, const Alerts::Labels& labels) {
  return std::ranges::all_of(labels, [&](const auto& wanted) {
    const auto found = alert.labels.find(wanted.first);
    return found != alert.labels.end() && found->second == wanted.second;
  });
}

/// What is filled in per instance may be any number: which instances there are changes.
bool fits(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    const std::size_t hole = pattern.starts_with("{port}") ? 6 : pattern.starts_with("{instance}") ? 10 : 0;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (hole == 0 ? !text.starts_with(pattern.front()) : digits == 0) return false;
    pattern.remove_prefix(std::max<std::size_t>(hole, 1));
    text.remove_prefix(hole == 0 ? 1 : digits);
  }
  return text.empty();
}

bool fits(const Alerts::Labels& wanted, const api::Alert& alert) {
  return std::ranges::all_of(wanted, [&](const auto& one) {
    const auto found = alert.labels.find(one.first);
    return found != alert.labels.end() && fits(one.second, found->second);
  });
}

std::string name_of(const api::Alert& alert) {
  const auto name = alert.labels.find("alertname");
  return name == alert.labels.end() ? alert.fingerprint : name->second;
}

std::string words(const api::Alert& alert) {
  std::string labels;
  for (const auto& [name, value] : alert.labels) {
    if (name != "alertname") labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", name, value);
  }
  return fmt::format("alert {} fires{}{}{}", name_of(alert), alert.summary.empty() ? "" : ": ", alert.summary,
                     labels.empty() ? "" : " (" + labels + ")");
}

}  // namespace

Alerts::Alerts(std::string path) : file_(std::move(path)) { load(); }

void Alerts::configure(const config::Config& config) {
  if (config.alerts) repeat_ = config.alerts->repeat;
  looked_for_.clear();
  for (const probe::Spec& spec : config.probes) {
    if (const auto* alert = std::get_if<probe::AlertSpec>(&spec)) looked_for_.push_back(alert->labels);
  }
  for (auto& [fingerprint, known] : known_) match(known);
}

bool Alerts::fires(const Known& known, const Labels& labels, std::int64_t wall_ns) {
  return known.alert.firing && known.believed_ns <= wall_ns && has_all(known.alert, labels);
}

bool Alerts::is_fresh(const Known& known, std::int64_t wall_ns) const {
  return since(known.heard_ns, wall_ns) <= 2 * repeat_;
}

// It may come late: a beginning of what is over. After `repeat` nobody does.
bool Alerts::is_doubted(const Known& known, const api::Alert& alert, std::int64_t wall_ns) const {
  return known.over && alert.starts_ns <= known.over->until_ns && since(known.over->heard_ns, wall_ns) < repeat_;
}

// An end, or a doubted beginning, of one that was before the one that fires.
bool Alerts::is_old(const api::Alert& alert, std::int64_t wall_ns) const {
  const auto found = known_.find(alert.fingerprint);
  if (found == known_.end() || !found->second.alert.firing) return false;
  const Known& known = found->second;
  if (!alert.firing) return alert.ends_ns < known.alert.starts_ns;
  return alert.starts_ns < known.alert.starts_ns && is_doubted(known, alert, wall_ns);
}

void Alerts::forget(std::int64_t wall_ns) {
  for (auto item = known_.begin(); item != known_.end();) {
    Known& known = item->second;
    if (known.over && since(known.over->heard_ns, wall_ns) >= repeat_) known.over.reset();
    const bool lost = known.alert.firing && since(known.heard_ns, wall_ns) > 2 * repeat_ + kForgotten;
    if (lost) spdlog::warn("{}, but nobody has said so for a week: forgotten", printable(words(known.alert)));
    const bool needed = known.alert.firing ? !lost : known.over.has_value();
    item = needed ? std::next(item) : known_.erase(item);
  }
}

// What is over goes first, then what was not repeated, the oldest of each.
void Alerts::make_room(const std::vector<api::Alert>& alerts, std::int64_t wall_ns) {
  const auto is_new = [&](const api::Alert& alert) { return !known_.contains(alert.fingerprint); };
  const std::size_t wanted = known_.size() + static_cast<std::size_t>(std::ranges::count_if(alerts, is_new));
  if (wanted <= kMostKnown) return;
  std::vector<std::tuple<bool, std::int64_t, std::string>> spare;
  for (const auto& [fingerprint, known] : known_) {
    if (known.alert.firing && is_fresh(known, wall_ns)) continue;
    spare.emplace_back(known.alert.firing, known.alert.firing ? known.heard_ns : known.over->heard_ns, fingerprint);
  }
  std::ranges::sort(spare);
  spare.resize(std::min(spare.size(), wanted - kMostKnown));
  for (const auto& [fires, heard_ns, fingerprint] : spare) known_.erase(fingerprint);
}

bool Alerts::keep(const api::Alert& alert, std::int64_t wall_ns) {
  if (known_.size() >= kMostKnown && !known_.contains(alert.fingerprint)) return !alert.firing;
  Known& known = known_[alert.fingerprint];
  if (!alert.firing) {
    // Two who watch the same begin it at different times: what began before the end is the one that has ended.
    const std::int64_t until_ns = std::max(alert.starts_ns, std::min(alert.ends_ns, wall_ns));
    known.over = Over{std::max(until_ns, known.over ? known.over->until_ns : 0), wall_ns};
    known.alert = {};
    return true;
  }
  const bool same = known.alert.firing && known.alert.labels == alert.labels;
  const bool doubted = is_doubted(known, alert, wall_ns);
  if (!doubted) known.believed_ns = 0;
  if (doubted && !known.alert.firing) known.believed_ns = wall_ns + kDoubted.count();
  known.alert = alert;
  known.heard_ns = wall_ns;
  if (!same) match(known);
  return true;
}

void Alerts::match(Known& known) {
  if (!known.alert.firing) return;
  known.matched = std::ranges::any_of(looked_for_, [&](const Labels& labels) { return fits(labels, known.alert); });
  const std::string name = printable(name_of(known.alert), kNameShown);
  if (known.matched || told_.size() >= kMostTold || !told_.insert(name).second) return;
  spdlog::warn("the alert {} fires, but no check looks for it: nothing follows from it", name);
}

void Alerts::take(const std::vector<api::Alert>& alerts, std::int64_t wall_ns, os::SavedFile::Saved kept) {
  forget(wall_ns);
  make_room(alerts, wall_ns);
  std::size_t refused = 0;
  bool changed = false;
  for (const api::Alert& alert : alerts) {
    if (is_old(alert, wall_ns)) continue;
    changed = true;
    if (!keep(alert, wall_ns)) ++refused;
  }
  os::SavedFile::Saved tell = [refused, kept = std::move(kept)](const std::expected<void, Error>& result) mutable {
    if (refused > 0) return kept(fail(fmt::format("{} alerts fire already: {} are not kept", kMostKnown, refused)));
    if (!result) return kept(fail("what they tell holds, but only until Homeostat ends: " + result.error().text));
    kept({});
  };
  changed ? file_.save(saved(), std::move(tell)) : tell({});
}

probe::Finding Alerts::look(const Labels& labels, std::int64_t wall_ns) const {
  probe::Finding found{Observation{Result::success}, {}};
  for (const auto& [fingerprint, known] : known_) {
    if (!fires(known, labels, wall_ns)) continue;
    if (is_fresh(known, wall_ns))
      return {Observation{Result::failure, Reason::reported, 0, {}}, probe::for_people(words(known.alert))};
    found = {Observation{Result::unknown, Reason::internal, 0, {}},
             probe::for_people(words(known.alert) + ", but this was not repeated for long")};
  }
  return found;
}

const api::Alert* Alerts::firing(const Labels& labels, std::int64_t wall_ns) const {
  const auto found = std::ranges::find_if(known_, [&](const auto& one) { return fires(one.second, labels, wall_ns); });
  return found == known_.end() ? nullptr : &found->second.alert;
}

api::AlertsSeen Alerts::seen() const {
  api::AlertsSeen seen;
  std::vector<const Known*> unmatched;
  for (const auto& [fingerprint, known] : known_) {
    if (!known.alert.firing) continue;
    ++seen.firing;
    if (!known.matched) unmatched.push_back(&known);
  }
  seen.unmatched = unmatched.size();
  std::ranges::sort(unmatched, std::greater(), &Known::heard_ns);
  unmatched.resize(std::min(unmatched.size(), kMostShown));
  for (const Known* known : unmatched)
    seen.last.push_back({name_of(known->alert), known->alert.labels, known->heard_ns});
  return seen;
}

std::string Alerts::saved() const {
  json::array alerts;
  for (const auto& [fingerprint, known] : known_) {
    json::object one{{"fingerprint", fingerprint}};
    if (known.over) one["over"] = {{"until_ns", known.over->until_ns}, {"heard_ns", known.over->heard_ns}};
    if (known.alert.firing) {
      json::object labels;
      for (const auto& [name, value] : known.alert.labels) labels[name] = value;
      one["labels"] = std::move(labels);
      one["summary"] = known.alert.summary;
      one["starts_ns"] = known.alert.starts_ns;
      one["heard_ns"] = known.heard_ns;
      one["believed_ns"] = known.believed_ns;
    }
    alerts.push_back(std::move(one));
  }
  return json::serialize(alerts);
}

void Alerts::load() {
  std::ifstream file(file_.path());
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return;
  try {
    const json::value saved = json::parse(text.str());
    for (const json::value& value : saved.as_array()) {
      const json::object& one = value.as_object();
      Known known;
      if (const json::value* over = one.if_contains("over"))
        known.over = Over{over->at("until_ns").as_int64(), over->at("heard_ns").as_int64()};
      if (one.contains("labels")) {
        known.alert.fingerprint = one.at("fingerprint").as_string();
        known.alert.firing = true;
        known.alert.summary = one.at("summary").as_string();
        known.alert.starts_ns = one.at("starts_ns").as_int64();
        known.heard_ns = one.at("heard_ns").as_int64();
        if (const json::value* from = one.if_contains("believed_ns")) known.believed_ns = from->as_int64();
        for (const auto& [name, text_of] : one.at("labels").as_object()) known.alert.labels[name] = text_of.as_string();
      }
      if (known_.size() < kMostKnown) known_[std::string(one.at("fingerprint").as_string())] = std::move(known);
    }
  } catch (const std::exception& error) {
    spdlog::warn("{} cannot be read, the alerts in it are forgotten: {}", file_.path(), error.what());
    known_.clear();
  }
}

}  // namespace homeostat::daemon
