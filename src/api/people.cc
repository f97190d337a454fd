#include "api/people.hpp"

#include "core/text.hpp"

namespace homeostat::api {
namespace {

constexpr std::size_t kLabelShown = 200;  // bytes

/// When an approval comes too late; only a running daemon knows how long it waits.
json::value too_late(const View& view, Instant asked) {
  return view.engine == nullptr ? json::value(nullptr)
                                : time_json(view.clock, later(asked, view.engine->plan().approval_within));
}

}  // namespace

json::array escalations_json(const View& view, const std::string& only_service) {
  json::array list;
  for (const auto& [id, escalation] : view.durable.escalations) {
    if (!only_service.empty() && escalation.what.service != only_service) continue;
    const std::string& by = escalation.acknowledged_by;
    const engine::Escalated& what = escalation.what;
    list.push_back(json::object{{"id", show_id(id)},
                                {"incident", what.incident == 0 ? json::value(nullptr) : json::value(what.incident)},
                                {"service", what.service.empty() ? json::value(nullptr) : json::value(what.service)},
                                {"notifier", what.notifier.empty() ? json::value(nullptr) : json::value(what.notifier)},
                                {"summary", printable(what.summary)},
                                {"at", time_json(view.clock, escalation.at)},
                                {"attempts", escalation.attempts},
                                {"notified", escalation.notified},
                                {"acknowledged_by", by.empty() ? json::value(nullptr) : json::value(printable(by))}});
  }
  return list;
}

json::array approvals_json(const View& view, const std::string& only_service) {
  json::array list;
  for (const auto& [id, action] : view.durable.actions) {
    const engine::Intent& intent = action.intent;
    const bool asks = intent.mode == engine::Mode::approve && !action.approved;
    if (!asks || (!only_service.empty() && intent.service != only_service)) continue;
    list.push_back(json::object{{"id", show_id(id)},
                                {"place", place_name(intent.service, intent.slot)},
                                {"strategy", intent.strategy},
                                {"version", intent.version},
                                {"at", time_json(view.clock, action.at)},
                                {"until", too_late(view, action.at)},
                                {"evidence", printable(intent.evidence)}});
  }
  for (const auto& [name, service] : view.durable.services) {
    const engine::ScalingAsked* asked = service.asked_scaling();
    if (asked == nullptr || (!only_service.empty() && name != only_service)) continue;
    list.push_back(json::object{{"id", show_id(asked->id)},
                                {"place", name},
                                {"strategy", "scale"},
                                {"version", ""},
                                {"at", nullptr},
                                {"until", time_json(view.clock, asked->until)},
                                {"evidence", printable(asked->reason)}});
  }
  return list;
}

// Labels are no keys here: whoever looks for a `name` in all of this, as the completion does, must not find theirs.
json::value alerts_json(const View& view) {
  const auto seen = view.alerts();
  if (!seen) return nullptr;
  json::array unmatched;
  for (const AlertsSeen::One& one : seen->last) {
    json::array labels;
    for (const auto& [name, value] : one.labels)
      labels.push_back(json::object{{"label", name}, {"value", homeostat::printable(value, kLabelShown)}});
    unmatched.push_back(json::object{{"alert", homeostat::printable(one.name, kLabelShown)},
                                     {"labels", std::move(labels)},
                                     {"told", time_json(one.heard_ns)}});
  }
  return json::object{
      {"firing", seen->firing}, {"unmatched", seen->unmatched}, {"last_unmatched", std::move(unmatched)}};
}

}  // namespace homeostat::api
