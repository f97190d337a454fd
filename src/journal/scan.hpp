// Walks a range of the chain and stops at the first record that does not follow from the one before.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "journal/chain.hpp"
#include "journal/check.hpp"
#include "journal/sqlite.hpp"

namespace homeostat::journal {

struct ScanResult {
  std::uint64_t last_seq = 0;  // the last good record
  Hash last_hash = kGenesis;
  std::string problem{};     // empty: everything up to the end is good
  bool cannot_read = false;  // the problem is SQLite's, not the chain's
  std::uint64_t last_fold = 0;
  std::uint64_t last_accept = 0;
  std::uint64_t not_understood = 0;  // first critical record of unknown type or version, not yet accepted
  std::string not_understood_type{};
};

/// Called for each good record; false ends the scan early, as a success.
using OnEntry = std::function<bool(const EntryView&)>;

/// Checks the records after `from` (whose hash is `before`) up to `to`. Holds no read transaction for long, so that a
/// running daemon can go on reusing its WAL.
ScanResult scan(Db& db, std::uint64_t from, const Hash& before, std::uint64_t to, const KnownTypes& known,
                const OnEntry& on_entry = nullptr);

}  // namespace homeostat::journal
