// Tells the journal's records in words, one line each, and knows which incident each belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/clock.hpp"
#include "engine/record.hpp"
#include "journal/chain.hpp"

namespace homeostat::api {

struct Line {
  std::uint64_t seq = 0;
  Clock clock;            // when it happened, on both clocks
  std::string_view kind;  // the record's type
  std::string service;    // empty: the engine itself
  std::int32_t slot = -1;
  std::uint64_t incident = 0;  // 0: none
  std::string text;
  bool detail = false;  // of interest only to those who want everything
};

/// Fed with every record in order: an outcome names its action only by its id.
class Narrator {
 public:
  Line tell(const journal::EntryView& entry, const engine::Body& body);
  /// The same of a record that comes from no journal, with the wall time as a span since 1970.
  Line tell(const engine::Record& record, Duration wall);

 private:
  friend struct Teller;

  Line tell(std::uint64_t seq, const Clock& clock, const engine::Body& body);

  struct Action {
    std::uint64_t incident = 0;
    std::string service;
    std::int32_t slot = -1;
    std::string what;  // "restart", "exec flush-cache"
  };

  std::map<engine::CommandId, Action> actions_;  // intents and escalations, the newest
  std::map<std::string, std::uint64_t> open_;    // service -> its open incident
};

}  // namespace homeostat::api
