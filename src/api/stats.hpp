// How well each service was kept, out of the journal.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/json.hpp"
#include "engine/durable.hpp"
#include "engine/record.hpp"
#include "homeostat/availability.hpp"
#include "journal/chain.hpp"

namespace homeostat::api {

/// Fed with the journal's entries, oldest first.
class Stats {
 public:
  void add(const journal::EntryView& entry);

  /// Figures over the `window` that ends at `clock.now`, of one service or of all. A service that is known for less
  /// than the window is measured since it is known.
  json::object view(const Clock& clock, Duration window, const std::string& only_service = {}) const;

 private:
  struct Attempt {
    std::string service;
    std::int32_t slot = -1;
    std::string strategy;
    std::string against;  // what failed, and how
    std::uint64_t incident = 0;
    Instant began{};
    bool counted = false;  // it was dispatched: its outcome is known and not "not started"; or only decided, in shadow
    bool shadow = false;
    bool verified = false;
    Instant repaired{};
  };

  void note_span(const engine::Body& body, Instant at);
  AvailabilityFacts facts(const std::string& service, Instant now) const;

  engine::Durable durable_;
  // An incident that was reopened is several failures, each from its own first failure to its own recovery.
  std::map<std::uint64_t, std::vector<IncidentFacts>> spans_;
  std::map<engine::CommandId, Attempt> attempts_;
  std::map<std::pair<std::string, std::int32_t>, engine::CommandId> newest_;  // attempt of each place
};

}  // namespace homeostat::api
