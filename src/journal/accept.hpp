// The operator's way back from a damaged journal.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "core/error.hpp"
#include "journal/check.hpp"

namespace homeostat::journal {

struct Accepted {
  std::string reason{};         // what was wrong
  std::uint64_t kept_from = 0;  // the records kept; kept_to < kept_from: none
  std::uint64_t kept_to = 0;
  std::uint64_t acknowledged = 0;  // the last record that was acknowledged, as far as the anchor knows
  std::uint64_t seq = 0;           // of the record of type "accept"
  std::filesystem::path aside{};   // where the damaged files are now
};

/// Keeps the longest good prefix, moves the damaged files aside, and records who accepted what. Needs the state
/// directory for itself: no daemon may run, and this process must have no journal or reader of it open.
std::expected<Accepted, Error> accept(const std::filesystem::path& dir, const std::string& who,
                                      const KnownTypes& known);

struct Paths;
/// Completes an accept that a crash interrupted. Needs the lock.
std::expected<void, Error> finish_accept(const Paths& paths);

}  // namespace homeostat::journal
