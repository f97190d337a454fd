// Reads the journal for people and for recovery: beside a running daemon, without one, and where nothing can be
// written.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>

#include "core/error.hpp"
#include "journal/check.hpp"
#include "journal/readable.hpp"
#include "journal/scan.hpp"

namespace homeostat::journal {

/// For one thread.
class Reader {
 public:
  static std::expected<Reader, Error> open(const std::filesystem::path& state_dir);

  /// Every record from `from_seq` on (or from the oldest kept, if later), oldest first, each checked against the chain.
  /// An error says where the chain broke; what came before it was good.
  std::expected<void, Error> read_all(std::uint64_t from_seq, const OnEntry& on_entry);
  /// The same from the newest backwards.
  std::expected<void, Error> read_newest_first(const OnEntry& on_entry);
  /// The newest record of type "fold"; 0: none. Looks backwards from the end.
  std::expected<std::uint64_t, Error> last_fold();
  std::expected<std::uint64_t, Error> last_seq();

 private:
  /// The meta row, if record `seq` was deleted by compaction.
  std::optional<Meta> compacted_away(std::uint64_t seq);

  Reader(Readable store, Db db) : store_(std::move(store)), db_(std::move(db)) {}

  // In this order: the connection is closed before a private copy is removed.
  Readable store_;
  Db db_;
};

}  // namespace homeostat::journal
