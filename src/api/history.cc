#include "api/history.hpp"

#include <algorithm>

#include "engine/durable.hpp"

namespace homeostat::api {
namespace {

// A crash loop may go on for days within one incident: its beginning and its newest lines are kept.
constexpr std::size_t kHeadLines = 100;
constexpr std::size_t kTailLines = 400;

json::value between(std::int64_t from_ns, std::optional<std::int64_t> to_ns) {
  if (!to_ns) return nullptr;
  return std::max<std::int64_t>(0, (*to_ns - from_ns) / 1'000'000);
}

}  // namespace

json::object line_json(const Line& line) {
  return {{"seq", line.seq},
          {"at", time_json(line.clock.wall_ns)},
          {"kind", json::string(line.kind)},
          {"service", line.service.empty() ? json::value(nullptr) : json::value(line.service)},
          {"slot", line.slot < 0 ? json::value(nullptr) : json::value(line.slot)},
          {"incident", line.incident == 0 ? json::value(nullptr) : json::value(line.incident)},
          {"text", line.text}};
}

void History::add(const journal::EntryView& entry) {
  // A fold holds everything before it; it stands at the beginning after a compaction.
  if (entry.type == "fold" && !knows_service_) {
    engine::Durable folded;
    knows_service_ = engine::Durable::unfold(entry.payload, folded) && folded.services.contains(query_.service);
  }
  const auto body = engine::decode(entry.type, entry.payload);
  if (!body) return;
  Line line = narrator_.tell(entry, *body);
  if (const auto* loaded = std::get_if<engine::ConfigLoaded>(&*body); loaded != nullptr && !knows_service_)
    knows_service_ = std::ranges::find(loaded->services, query_.service) != loaded->services.end();
  if (line.text.empty() || (!query_.service.empty() && line.service != query_.service)) return;
  if (line.incident != 0) note(line, *body);
  const auto incident = incidents_.find(line.incident);
  if (incident != incidents_.end()) {
    if (!line.detail || query_.all) keep(incident->second, std::move(line));
  } else if (query_.all && line.incident == 0 && query_.incident == 0 && entry.wall_ns >= query_.since_wall_ns) {
    events_.push_back(std::move(line));
    if (events_.size() > query_.limit * 50) events_.pop_front();
  }
}

void History::note(const Line& line, const engine::Body& body) {
  if (query_.incident != 0 && line.incident != query_.incident) return;
  if (const auto* failing = std::get_if<engine::IncidentFailing>(&body)) {
    Incident& incident = incidents_[line.incident];
    if (incident.id == 0) {
      incident.id = line.incident;
      incident.service = line.service;
      incident.first_failure_ns = line.clock.wall(failing->first_failure).value_or(line.clock.wall_ns);
      incident.verdict_ns = line.clock.wall_ns;
    }
    if (failing->reopened) ++incident.reopened;
    if (incident.failing_since_ns == 0 || incident.closed_ns) {
      incident.failing_since_ns = line.clock.wall(failing->first_failure).value_or(line.clock.wall_ns);
    }
    incident.ending = engine::Ending::open;
    incident.recovered_ns.reset();
    incident.closed_ns.reset();
    incident.last_seq = line.seq;
    forget_oldest();
    return;
  }
  const auto found = incidents_.find(line.incident);
  if (found == incidents_.end()) return;
  found->second.last_seq = line.seq;
  if (const auto* closed = std::get_if<engine::IncidentClosed>(&body)) {
    found->second.ending = closed->how;
    found->second.closed_ns = line.clock.wall_ns;
    found->second.recovered_ns = line.clock.wall(closed->recovered_at);
    if (line.clock.wall_ns < query_.since_wall_ns) incidents_.erase(found);
  } else if (const auto* diagnosed = std::get_if<engine::Diagnosed>(&body)) {
    if (found->second.part_of == 0) found->second.part_of = diagnosed->part_of;
  } else if (const auto* intent = std::get_if<engine::Intent>(&body)) {
    if (intent->mode == engine::Mode::act) count(found->second, intent->id);
  } else if (const auto* approved = std::get_if<engine::Approved>(&body)) {
    count(found->second, approved->id);
  } else if (const auto* outcome = std::get_if<engine::Outcome>(&body)) {
    const bool counted = counted_.erase(outcome->id) > 0;
    if (counted && outcome->outcome == engine::OutcomeKind::not_started) --found->second.actions;
  }
}

// What nobody approved, and what was taken back before it began, was not done.
void History::count(Incident& incident, engine::CommandId id) {
  ++incident.actions;
  counted_.insert(id);
}

void History::keep(Incident& incident, Line line) {
  incident.lines.push_back(std::move(line));
  if (incident.lines.size() <= kHeadLines + kTailLines) return;
  incident.lines.erase(incident.lines.begin() + kHeadLines);
  ++incident.dropped;
}

void History::forget_oldest() {
  if (incidents_.size() <= query_.limit) return;
  incidents_.erase(std::ranges::min_element(incidents_, {}, [](const auto& item) { return item.second.last_seq; }));
}

json::object History::incident_json(const Incident& incident) {
  json::array lines;
  for (const Line& line : incident.lines) lines.push_back(line_json(line));
  return {{"id", incident.id},
          {"service", incident.service},
          {"ending", json::string(name_of(incident.ending))},
          {"first_failure", time_json(incident.first_failure_ns)},
          {"verdict", time_json(incident.verdict_ns)},
          {"recovered", time_json(incident.recovered_ns)},
          {"closed", time_json(incident.closed_ns)},
          {"detected_after_ms", between(incident.first_failure_ns, incident.verdict_ns)},
          {"repaired_after_ms", between(incident.failing_since_ns, incident.recovered_ns)},
          {"reopened", incident.reopened},
          {"actions", incident.actions},
          {"lines_left_out", incident.dropped},
          {"lines", std::move(lines)}};
}

std::uint64_t History::shown_with(const Incident& incident) const {
  const Incident* at = &incident;
  for (std::size_t steps = 0; at->part_of != 0 && steps < incidents_.size(); ++steps) {
    const auto cause = incidents_.find(at->part_of);
    if (cause == incidents_.end()) break;
    at = &cause->second;
  }
  return at->id;
}

json::object History::view() const {
  std::vector<const Incident*> order;
  std::map<std::uint64_t, json::array> parts;
  for (const auto& [id, incident] : incidents_) {
    const std::uint64_t shown = shown_with(incident);
    if (shown == id)
      order.push_back(&incident);
    else
      parts[shown].push_back(incident_json(incident));
  }
  std::ranges::sort(order, std::greater{}, &Incident::last_seq);
  json::array incidents;
  for (const Incident* incident : order) {
    incidents.push_back(incident_json(*incident));
    incidents.back().as_object()["parts"] = std::move(parts[incident->id]);
  }
  json::array events;
  for (const Line& line : events_) events.push_back(line_json(line));
  return {{"incidents", std::move(incidents)}, {"events", std::move(events)}};
}

}  // namespace homeostat::api
