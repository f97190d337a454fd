// Is what the store holds what was once acknowledged? The whole chain, its start and the anchor, in one pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "journal/anchor.hpp"
#include "journal/chain.hpp"
#include "journal/store.hpp"

namespace homeostat::journal {

/// Record type -> the newest version this build understands. Empty: everything is understood.
using KnownTypes = std::map<std::string, std::uint32_t, std::less<>>;

enum class Trust {
  ok,         // every acknowledged record is there and unchanged
  untrusted,  // something is damaged or not understood: observe only until it is accepted
  newer,      // written by a newer Homeostat: do not touch
  failed,     // could not look (permissions, I/O error)
};

struct Health {
  Trust trust = Trust::ok;
  std::string reason{};         // empty when ok
  std::uint64_t first_bad = 0;  // the first record that is bad or missing; 0: none, or unknown
  bool fresh = false;           // no journal was there
  std::uint64_t entries = 0;    // good ones
  std::uint64_t start_seq = 0;  // older ones were compacted away
  Hash start_hash = kGenesis;
  std::uint64_t last_seq = 0;  // of the good prefix
  Hash last_hash = kGenesis;
  std::uint64_t last_fold = 0;  // newest fold record of the good prefix; 0: none
  std::uint64_t epoch = 0;
  AnchorReading anchor{};
};

/// Reads only. Works beside a running daemon, and on a directory that cannot be written.
Health check_journal(const std::filesystem::path& dir, const KnownTypes& known);

/// The same for one store file seen in a given way; for choosing what can be saved.
Health check_store(const std::filesystem::path& file, Access access, const AnchorReading& anchor,
                   const KnownTypes& known);

}  // namespace homeostat::journal
