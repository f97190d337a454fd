// What happened: a timeline for each incident, and everything beside them on request.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "api/narrator.hpp"

namespace homeostat::api {

struct HistoryQuery {
  std::string service{};           // empty: all
  std::uint64_t incident = 0;      // 0: all
  std::int64_t since_wall_ns = 0;  // incidents that ended before are left out
  std::size_t limit = 20;          // incidents; and events with `all`
  bool all = false;                // with status changes, and what belongs to no incident
};

/// Fed with the journal's entries, oldest first; keeps only what the query asks for.
class History {
 public:
  explicit History(HistoryQuery query) : query_(std::move(query)), knows_service_(query_.service.empty()) {}

  void add(const journal::EntryView& entry);
  /// {"incidents": [newest first, each with its "parts"], "events": [newest last]}; every incident with its timeline.
  json::object view() const;
  /// The service that the query names has been configured once; so it is without one.
  bool knows_service() const { return knows_service_; }

 private:
  struct Incident {
    std::uint64_t id = 0;
    std::uint64_t part_of = 0;  // the incident of the service that first explained it
    std::string service;
    std::int64_t first_failure_ns = 0;
    std::int64_t failing_since_ns = 0;  // the first failure since it was opened or reopened
    std::int64_t verdict_ns = 0;
    std::optional<std::int64_t> recovered_ns;
    std::optional<std::int64_t> closed_ns;
    engine::Ending ending = engine::Ending::open;
    std::uint32_t reopened = 0;
    std::uint32_t actions = 0;
    std::uint64_t last_seq = 0;
    std::size_t dropped = 0;  // lines beyond the bound
    std::deque<Line> lines;
  };

  void note(const Line& line, const engine::Body& body);
  void count(Incident& incident, engine::CommandId id);
  void keep(Incident& incident, Line line);
  void forget_oldest();
  /// The incident it is shown with: its own, or that of the cause where that is shown.
  std::uint64_t shown_with(const Incident& incident) const;
  static json::object incident_json(const Incident& incident);

  HistoryQuery query_;
  bool knows_service_;
  std::set<engine::CommandId> counted_;  // under way, and among the actions of their incidents
  Narrator narrator_;
  std::map<std::uint64_t, Incident> incidents_;
  std::deque<Line> events_;
};

json::object line_json(const Line& line);

}  // namespace homeostat::api
