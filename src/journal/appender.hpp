// The writing end of the store, for one thread: transactions, the chain, the anchor, checkpoints, deletion.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "journal/anchor.hpp"
#include "journal/check.hpp"
#include "journal/store.hpp"

namespace homeostat::journal {

enum class Written {
  ok,
  full,    // no space: nothing was written, and it may be tried again once there is some
  broken,  // anything else: never tried again
};

class Appender {
 public:
  /// `health` must be ok. Counts the epoch up, durably, and prepares the WAL with `wal_bytes`.
  static std::expected<std::unique_ptr<Appender>, Error> open(const Paths& paths, const Health& health,
                                                              std::int64_t wal_bytes);

  /// One transaction; durable when it returns ok, and the anchor is written (not yet synced).
  Written append(std::span<const Entry> entries);
  std::expected<void, Error> sync_anchor();
  /// Copies the WAL back into the main file as far as no reader is in the way; then it is reused from its beginning.
  Written checkpoint();
  /// Gives back the memory of pages read and written: the next records need few of them.
  void forget_pages() { sqlite3_db_release_memory(db_.get()); }
  /// Announces in the anchor that records up to `seq` may go.
  std::expected<void, Error> permit_deletion(std::uint64_t seq);
  /// Deletes at most `limit` records up to `seq`. Afterwards `start_seq` says how far it came.
  Written delete_some(std::uint64_t seq, std::uint64_t limit);

  std::uint64_t last_seq() const { return last_seq_; }
  std::uint64_t start_seq() const { return meta_.start_seq; }
  std::uint64_t epoch() const { return meta_.epoch; }
  std::int64_t wal_frames() const { return wal_frames_; }
  const std::string& error() const { return error_; }
  Db& db() { return db_; }

 private:
  int run(Statement& statement);
  std::expected<void, Error> prepare_statements();
  Written finish(int code);
  std::expected<void, Error> prepare_wal(const Paths& paths, std::int64_t bytes);
  std::expected<void, Error> next_epoch();

  Db db_;
  Statement begin_;
  Statement commit_;
  Statement insert_;
  Statement hash_of_;
  Statement delete_;
  Hasher hasher_;
  AnchorFile anchor_;
  Meta meta_;
  std::uint64_t last_seq_ = 0;
  Hash last_hash_ = kGenesis;
  std::int64_t wal_frames_ = 0;
  std::string error_;
};

}  // namespace homeostat::journal
