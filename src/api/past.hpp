// What the journal in a state directory tells, whether a daemon runs or not.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "api/history.hpp"
#include "api/json.hpp"
#include "core/error.hpp"
#include "engine/durable.hpp"

namespace homeostat::api {

/// The durable state, folded from the journal, and the moment of the last record.
struct Past {
  engine::Durable durable;
  Clock last;
};
std::expected<Past, Error> read_past(const std::filesystem::path& state_dir);

/// Nothing: there never was such a service.
std::expected<std::optional<json::object>, Error> read_history(const std::filesystem::path& state_dir,
                                                               HistoryQuery query);

/// Figures over the `window` that ends now.
std::expected<json::object, Error> read_stats(const std::filesystem::path& state_dir, Duration window,
                                              const std::string& service);

struct JournalQuery {
  std::uint64_t after = 0;  // records with a higher number
  std::size_t limit = 1000;
  std::string service;  // empty: all
  bool records = true;  // with the records themselves, not only the words
};
/// {"last": …, "lines": [oldest first]}
std::expected<json::object, Error> read_lines(const std::filesystem::path& state_dir, const JournalQuery& query);

/// The present on both clocks when no daemon tells: engine time goes on from the last record as the wall clock did.
Clock present(const Clock& last);

}  // namespace homeostat::api
