#include "daemon/alerts.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace homeostat::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKnown = 10'000;

bool has_all(const api::Alert& alert, const std::vector<std::pair<std::string, std::string>>& labels) {
  return std::ranges::all_of(labels, [&](const auto& wanted) {
    const auto found = alert.labels.find(wanted.first);
    return found != alert.labels.end() && found->second == wanted.second;
  });
}

std::string words(const api::Alert& alert) {
  const auto name = alert.labels.find("alertname");
  const std::string what = "alert " + (name == alert.labels.end() ? alert.fingerprint : name->second);
  return alert.summary.empty() ? what + " fires" : what + " fires: " + alert.summary;
}

}  // namespace

Alerts::Alerts(std::string path) : file_(std::move(path)) { load(); }

void Alerts::take(const std::vector<api::Alert>& alerts, std::int64_t wall_ns, os::SavedFile::Saved kept) {
  bool changed = false;
  for (const api::Alert& alert : alerts) {
    const auto known = known_.find(alert.fingerprint);
    // An end before the beginning that is known is another one's. (An earlier beginning is not: they are merged.)
    if (!alert.firing && known != known_.end() && alert.ends_ns < known->second.alert.starts_ns) continue;
    changed = true;
    if (!alert.firing)
      known_.erase(alert.fingerprint);
    else if (known != known_.end() || known_.size() < kMostKnown)
      known_[alert.fingerprint] = {alert, wall_ns};
    else
      spdlog::warn("more than {} alerts fire; {} is not kept", kMostKnown, alert.fingerprint);
  }
  changed ? file_.save(saved(), std::move(kept)) : kept({});
}

probe::Finding Alerts::look(const std::vector<std::pair<std::string, std::string>>& labels,
                            std::int64_t wall_ns) const {
  probe::Finding found{Observation{Result::success}, {}};
  for (const auto& [fingerprint, known] : known_) {
    if (!has_all(known.alert, labels)) continue;
    const bool fresh = std::chrono::nanoseconds(wall_ns - known.heard_ns) <= 2 * repeat_;
    if (fresh) return {Observation{Result::failure, Reason::reported, 0, {}}, probe::for_people(words(known.alert))};
    found = {Observation{Result::unknown, Reason::internal, 0, {}},
             probe::for_people(words(known.alert) + ", but this was not repeated for long")};
  }
  return found;
}

const api::Alert* Alerts::firing(const std::vector<std::pair<std::string, std::string>>& labels) const {
  const auto found = std::ranges::find_if(known_, [&](const auto& one) { return has_all(one.second.alert, labels); });
  return found == known_.end() ? nullptr : &found->second.alert;
}

std::string Alerts::saved() const {
  json::array alerts;
  for (const auto& [fingerprint, known] : known_) {
    json::object labels;
    for (const auto& [name, value] : known.alert.labels) labels[name] = value;
    alerts.push_back({{"fingerprint", fingerprint},
                      {"labels", std::move(labels)},
                      {"summary", known.alert.summary},
                      {"starts_ns", known.alert.starts_ns},
                      {"heard_ns", known.heard_ns}});
  }
  return json::serialize(alerts);
}

void Alerts::load() {
  std::ifstream file(file_.path());
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return;
  try {
    const json::value saved = json::parse(text.str());
    for (const json::value& one : saved.as_array()) {
      Known known;
      known.alert.fingerprint = one.at("fingerprint").as_string();
      known.alert.firing = true;
      known.alert.summary = one.at("summary").as_string();
      known.alert.starts_ns = one.at("starts_ns").as_int64();
      known.heard_ns = one.at("heard_ns").as_int64();
      for (const auto& [name, value] : one.at("labels").as_object()) known.alert.labels[name] = value.as_string();
      if (known_.size() < kMostKnown) known_[known.alert.fingerprint] = std::move(known);
    }
  } catch (const std::exception& error) {
    spdlog::warn("{} cannot be read, the alerts in it are forgotten: {}", file_.path(), error.what());
    known_.clear();
  }
}

}  // namespace homeostat::daemon
