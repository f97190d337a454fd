// Follows what becomes of a command, out of the journal's lines, and shows it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.hpp"

namespace homeostat::cli {

/// "web" or "web/0".
struct Place {
  std::string service;
  std::optional<std::int32_t> slot;
};
/// Nothing when it is not well formed.
std::optional<Place> parse_place(const std::string& text);

class Follower {
 public:
  Follower(const Context& context, Place place, std::uint64_t after)
      : context_(context), place_(std::move(place)), after_(after) {}

  /// Until the rolling operation that began after `after` has ended; 0 only when it is done.
  int until_operation_ends(const std::string& kind, const std::string& version);
  /// Until the rollout that began after `after` has ended; 0 only when it was promoted.
  int until_rollout_ends();
  /// Until everything meant runs and is well (or is stopped); 1 when something did not prove well.
  int until_moved(bool running);

 private:
  /// Shows the new lines and takes note of the actions in them.
  std::optional<Failure> poll();
  void show(const json::object& line);
  void note_action(const json::object& line);
  void note_rollout(const json::object& line, const json::object& record);
  bool as_wanted(const json::object& service, bool running) const;
  int conclude(bool ok, const std::string& text) const;

  struct Operation {
    std::string id, kind, version, phase, detail;
  };

  const Context& context_;
  Place place_;
  std::uint64_t after_;
  std::string rollout_phase_;           // of the last record of a rollout
  std::string rollout_end_;             // … of one that ended: what it says
  std::vector<Operation> operations_;   // records since the last look
  std::map<std::string, int> actions_;  // id -> 0 under way, 1 proved well, -1 failed
};

}  // namespace homeostat::cli
