#include "api/stats.hpp"

#include <algorithm>

namespace homeostat::api {
namespace {

json::value share_json(std::optional<double> share) { return share ? json::value(*share) : json::value(nullptr); }

json::array strategies_json(const Availability& figures) {
  json::array list;
  for (const StrategyFigures& s : figures.strategies) {
    list.push_back(json::object{{"strategy", s.strategy},
                                {"against", s.against.empty() ? json::value(nullptr) : json::value(s.against)},
                                {"attempts", s.attempts},
                                {"verified", s.verified},
                                {"shadow", s.shadow},
                                {"rate", s.attempts == 0 ? json::value(nullptr) : json::value(s.rate)},
                                {"median_time_to_repair_ms", span_json(s.median_time_to_repair)}});
  }
  return list;
}

json::object figures_json(const std::string& service, const Clock& clock, const Availability& f) {
  return {{"service", service},
          {"from", time_json(clock, f.from)},
          {"to", time_json(clock, f.to)},
          {"window_ms", span_json(f.to - f.from)},
          {"failures", f.failures},
          {"detected", f.detected},
          {"repaired", f.repaired},
          {"open", f.open},
          {"mttd_ms", span_json(f.mttd)},
          {"mttr_ms", span_json(f.mttr)},
          {"mtbf_ms", span_json(f.mtbf)},
          {"availability", share_json(f.availability)},
          {"uptime", share_json(f.uptime)},
          {"up_ms", span_json(f.up)},
          {"down_ms", span_json(f.down)},
          {"unknown_ms", span_json(f.unknown)},
          {"maintenance_ms", span_json(f.maintenance)},
          {"strategies", strategies_json(f)}};
}

std::vector<Interval> intervals(const Few<engine::Interval>& list) {
  std::vector<Interval> result;
  for (const engine::Interval& i : list) result.push_back({i.from, i.to});
  return result;
}

/// When somebody worked on the service, or on everything; what has not ended, too.
std::vector<Interval> maintained(const engine::Durable& durable, const std::string& service) {
  std::vector<Interval> out;
  for (const engine::Maintained& one : durable.maintained) {
    if (one.service.empty() || one.service == service) out.push_back({one.span.from, one.span.to});
  }
  for (const auto* all : {&durable.maintenance, &durable.windows}) {
    for (const auto& [name, state] : *all) {
      if (!state.over && (name.empty() || name == service)) out.push_back({state.since, state.until});
    }
  }
  return out;
}

}  // namespace

void Stats::add(const journal::EntryView& entry) {
  // A fold holds everything before it; it stands at the beginning after a compaction.
  if (entry.type == "fold") {
    engine::Durable folded;
    if (!engine::Durable::unfold(entry.payload, folded)) return;
    durable_ = std::move(folded);
    for (const auto& [id, incident] : durable_.incidents) {
      if (spans_.contains(id)) continue;
      const bool open = incident.ending == engine::Ending::open;
      spans_[id] = {
          {incident.first_failure, incident.verdict_at, open ? std::nullopt : std::optional(incident.recovered_at)}};
    }
    return;
  }
  auto body = engine::decode(entry.type, entry.payload);
  if (!body) return;
  const Instant at{Duration(entry.at_ns)};
  if (const auto* intent = std::get_if<engine::Intent>(&*body)) {
    const bool shadow = intent->mode == engine::Mode::shadow;
    if (intent->incident != 0) {
      attempts_[intent->id] = {intent->service,  intent->slot, intent->strategy, durable_.failure_of(*intent),
                               intent->incident, at,           shadow,           shadow};
      if (!shadow) newest_[{intent->service, intent->slot}] = intent->id;
    }
  } else if (const auto* outcome = std::get_if<engine::Outcome>(&*body)) {
    const auto found = attempts_.find(outcome->id);
    const bool done = found != attempts_.end() && !found->second.shadow;
    if (done && outcome->outcome == engine::OutcomeKind::not_started)
      attempts_.erase(found);
    else if (found != attempts_.end())
      found->second.counted = true;
  } else if (const auto* verified = std::get_if<engine::Verified>(&*body)) {
    const auto found = attempts_.find(verified->id);
    if (found != attempts_.end() && verified->ok) {
      found->second.verified = true;
      found->second.repaired = at;
    }
  } else if (const auto* well = std::get_if<engine::IncidentRecovering>(&*body)) {
    // The recovery belongs to the newest attempt: an incident that goes on may see many of both.
    const auto newest = newest_.find({well->service, well->slot});
    const auto found = newest == newest_.end() ? attempts_.end() : attempts_.find(newest->second);
    const bool same = found != attempts_.end() && found->second.incident == well->incident && found->second.verified;
    if (same) found->second.repaired = std::max(found->second.began, well->first_success);
  }
  note_span(*body, at);
  durable_.apply({entry.seq, at, entry.generation, std::move(*body)});
}

void Stats::note_span(const engine::Body& body, Instant at) {
  if (const auto* failing = std::get_if<engine::IncidentFailing>(&body)) {
    auto& spans = spans_[failing->incident];
    if (spans.empty() || spans.back().recovered) spans.push_back({failing->first_failure, at, std::nullopt});
  } else if (const auto* closed = std::get_if<engine::IncidentClosed>(&body)) {
    auto& spans = spans_[closed->incident];
    if (!spans.empty()) spans.back().recovered = closed->recovered_at;
  }
}

AvailabilityFacts Stats::facts(const std::string& service, Instant now) const {
  AvailabilityFacts facts;
  const engine::ServiceState& state = durable_.services.at(service);
  facts.down = intervals(state.downs);
  if (state.down_since) facts.down.push_back({*state.down_since, kNever});
  facts.unknown = intervals(state.unknowns);
  if (state.status == "unknown") {
    facts.unknown.push_back({state.status_since == kLongAgo ? state.known_since : state.status_since, kNever});
  }
  facts.maintenance = maintained(durable_, service);
  for (const auto& [id, incident] : durable_.incidents) {
    const auto spans = spans_.find(id);
    if (incident.service != service || spans == spans_.end()) continue;
    facts.incidents.insert(facts.incidents.end(), spans->second.begin(), spans->second.end());
  }
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.service != service || !attempt.counted || attempt.began > now) continue;
    facts.attempts.push_back({attempt.strategy, attempt.began, attempt.verified,
                              attempt.verified ? attempt.repaired - attempt.began : Duration{}, attempt.against,
                              attempt.shadow});
  }
  return facts;
}

json::object Stats::view(const Clock& clock, Duration window, const std::string& only_service) const {
  json::array services;
  for (const auto& [name, state] : durable_.services) {
    if (!only_service.empty() && name != only_service) continue;
    const Instant begin = clock.now - window;
    const Instant from = state.known_since == kNever ? begin : std::max(begin, state.known_since);
    services.push_back(figures_json(name, clock, measure_availability(facts(name, clock.now), from, clock.now)));
  }
  return {{"at", time_json(clock.wall_ns)}, {"window_ms", span_json(window)}, {"services", std::move(services)}};
}

}  // namespace homeostat::api
