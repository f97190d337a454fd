// One record of the journal, as it is stored: what the chain of hashes runs over.
#pragma once

#include <cstdint>
#include <string>

#include "homeostat/time.hpp"

namespace homeostat::journal {

struct Entry {
  std::uint64_t seq = 0;  // 1, 2, 3 … without gaps
  std::string type;       // "intent", "outcome", …; see docs/journal.md
  std::uint32_t version = 1;
  bool critical = false;         // a reader that does not know the type must not act
  Instant at{};                  // engine time
  std::int64_t wall_ns = 0;      // wall clock, for people only
  std::uint64_t generation = 0;  // of the configuration
  std::string payload;           // canonical JSON, UTF-8

  friend bool operator==(const Entry&, const Entry&) = default;
};

}  // namespace homeostat::journal
