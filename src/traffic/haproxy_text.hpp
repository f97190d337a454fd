// What HAProxy's runtime socket answers. All of it comes from outside and is read with suspicion.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace homeostat::traffic {

/// One server of a backend, as `show stat` tells it. Counters since HAProxy started or was reloaded.
struct ServerStat {
  std::string server;
  std::string status;                        // UP, DOWN, MAINT, DRAIN, "no check" …, with what HAProxy adds ("UP 1/2")
  int weight = 0;                            // as it is set, drained or not
  std::uint64_t sessions = 0;                // that are open now
  std::uint64_t requests = 0;                // served, in mode http; in mode tcp: connections
  std::uint64_t answers_5xx = 0;             //
  std::uint64_t connect_errors = 0;          //
  std::uint64_t response_errors = 0;         //
  std::optional<std::uint64_t> response_ms;  // average of the last 1,024 requests; nothing before the first
};

/// The servers of `backend` out of the answer to `show stat`. An error when it is not such an answer, or has no such
/// backend.
std::expected<std::vector<ServerStat>, Error> read_stat(std::string_view answer, std::string_view backend);

/// One line of `show stat`.
struct StatLine {
  std::string server;               // empty: the backend itself
  std::vector<std::string> values;  // of the columns that were asked for; empty where HAProxy tells nothing
};

/// Columns by their names, of the servers of `backend` and of itself. An error when it is not such an answer, or has no
/// such backend or column.
std::expected<std::vector<StatLine>, Error> read_columns(std::string_view answer, std::string_view backend,
                                                         std::span<const std::string> columns);

/// How one server is set: what has been asked for, whether it is up or not.
struct ServerSetting {
  std::string server;
  int weight = 0;
  bool drained = false;     // by command: no new requests
  bool maintained = false;  // by command or `disabled`: none at all
  bool disabled = false;    // so HAProxy's own file begins it; HAProxy says so for ever, whatever it is told since
  bool up = false;          // as HAProxy's own checks see it
};

/// The servers of `backend` out of the answer to `show servers state`; none: it has none, or there is no such backend.
std::expected<std::vector<ServerSetting>, Error> read_settings(std::string_view answer, std::string_view backend);

/// The answer to `get weight`: "10 (initial 100)".
std::expected<int, Error> read_weight(std::string_view answer);

/// True for a name that may stand in a command: letters, digits, and . : _ - only, and not too many.
bool is_plain_name(std::string_view name);

}  // namespace homeostat::traffic
