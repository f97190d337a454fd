// The write-ahead journal: what must survive a crash goes through here before it happens.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "journal/appender.hpp"
#include "journal/check.hpp"
#include "journal/entry.hpp"
#include "journal/reserve.hpp"
#include "os/fd.hpp"

namespace homeostat::journal {

enum class State {
  writable,
  on_reserve,  // the disk is full; the reserve was released and recording goes on for as long as it lasts
  untrusted,   // damaged or not understood: nothing is appended until it is accepted
  failed,      // a write or sync failed; never retried: reopen to go on
};
std::string_view name(State state);

struct Options {
  KnownTypes known;
  std::size_t max_queued_entries = 65'536;
  std::size_t max_queued_bytes = 64U << 20;
  std::int64_t wal_bytes = 4 << 20;      // prepared size of the WAL, reused for ever
  std::int64_t reserve_bytes = 4 << 20;  // 0: no reserve
  Duration keep_for = std::chrono::hours(24 * 90);
  std::uint64_t keep_bytes = 1ULL << 30;
  /// Both are called on the writer thread, and must not wait.
  std::function<void(std::uint64_t durable_seq)> on_durable;
  std::function<void(State state, const std::string& reason)> on_state;
};

class Journal {
 public:
  /// An error means that there is no journal to work with (locked, not writable, newer format); a damaged one opens as
  /// `untrusted`, and is not touched.
  static std::expected<std::unique_ptr<Journal>, Error> open(const std::filesystem::path& state_dir, Options options);
  /// Writes what is queued, then stops.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What opening found: where the chain ends, the newest fold, why it is not trusted.
  const Health& health() const { return health_; }
  /// Higher than at any earlier successful start; 0 if untrusted.
  std::uint64_t epoch() const { return epoch_; }

  /// Takes all or nothing and never waits. `seq` goes on from the last one taken, without gaps.
  std::expected<void, Error> append(std::vector<Entry> entries);
  /// Appends `fold`, a complete snapshot of type "fold"; once durable, records before `before_seq` are deleted, piece
  /// by piece while nothing else waits.
  std::expected<void, Error> compact(std::uint64_t before_seq, Entry fold);
  /// Not 0: records before this one are past keep_for or keep_bytes, and a compaction would pay.
  std::uint64_t compaction_due() const { return compaction_due_; }

  /// Readable (an eventfd) after durable_seq or state changed; reading it is the caller's part.
  int durable_fd() const { return wake_.get(); }
  std::uint64_t durable_seq() const { return durable_seq_; }
  State state() const { return state_; }
  std::string reason() const;

 private:
  using Clock = std::chrono::steady_clock;

  Journal() = default;
  std::expected<void, Error> start(const Paths& paths);
  void run();
  std::vector<Entry> next_batch();
  void write(const std::vector<Entry>& batch);
  void housekeeping();
  bool settle(Written written, const char* what);
  void keep_house_while_busy();
  bool copy_back(std::int64_t beyond_frames);
  void sync_anchor_if_due(bool idle);
  void delete_if_asked();
  void find_compaction();
  void enter(State state, std::string reason);
  void signal();

  Options options_;
  Health health_;
  os::Fd lock_;
  os::Fd wake_;
  std::uint64_t epoch_ = 0;
  std::atomic<std::uint64_t> durable_seq_ = 0;
  std::atomic<std::uint64_t> compaction_due_ = 0;
  std::atomic<State> state_ = State::untrusted;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Entry> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t next_seq_ = 0;
  std::uint64_t delete_before_ = 0;
  std::uint64_t delete_after_fold_ = 0;
  std::string reason_;
  bool stopping_ = false;

  // The writer thread's own.
  std::unique_ptr<Appender> appender_;
  std::unique_ptr<Reserve> reserve_;
  Clock::time_point anchor_dirty_since_ = Clock::time_point::max();
  Clock::time_point next_look_{};
  std::thread thread_;
};

}  // namespace homeostat::journal
