// The writer thread of the journal.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "journal/journal.hpp"

namespace homeostat::journal {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxBatch = 4'096;
constexpr std::size_t kMaxBatchBytes = 8U << 20;
// Half of what is promised for the anchor, so that a slow commit in between does not break the promise.
constexpr auto kAnchorDelay = 50ms;
constexpr auto kIdle = 50ms;
constexpr auto kLookEvery = 10s;
// Copied back when idle beyond the first; beyond the second even while intents wait. It is less than the prepared WAL
// holds (1,018 frames): one that grows makes every commit cost half as much again.
constexpr std::int64_t kCheckpointFrames = 256;
constexpr std::int64_t kCheckpointFramesBusy = 768;
constexpr std::uint64_t kDeleteAtOnce = 2'000;

}  // namespace

void Journal::run() {
  while (true) {
    const std::vector<Entry> batch = next_batch();
    if (!batch.empty()) {
      write(batch);
      continue;
    }
    {
      const std::lock_guard hold(mutex_);
      if (stopping_ && queue_.empty()) break;
    }
    if (state_ != State::failed) housekeeping();
  }
  if (state_ != State::failed) sync_anchor_if_due(true);
}

// Waits for records; comes back empty-handed when it was quiet for a while, or at the end.
std::vector<Entry> Journal::next_batch() {
  std::vector<Entry> batch;
  std::unique_lock hold(mutex_);
  const bool failed = state_ == State::failed;
  work_.wait_for(hold, failed ? kLookEvery : kIdle, [this] { return stopping_ || !queue_.empty(); });
  if (state_ == State::failed) {
    queue_.clear();
    return batch;
  }
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.size() < kMaxBatch && bytes < kMaxBatchBytes) {
    bytes += queue_.front().type.size() + queue_.front().payload.size() + sizeof(Entry);
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return batch;
}

void Journal::write(const std::vector<Entry>& batch) {
  Written written = appender_->append(batch);
  if (written == Written::full && reserve_->release()) {
    enter(State::on_reserve, appender_->error());
    written = appender_->append(batch);
  }
  if (!settle(written, "cannot write")) return;
  durable_seq_ = batch.back().seq;
  signal();
  if (options_.on_durable) options_.on_durable(batch.back().seq);
  anchor_dirty_since_ = std::min(anchor_dirty_since_, Clock::now());
  keep_house_while_busy();
}

void Journal::keep_house_while_busy() {
  sync_anchor_if_due(false);
  copy_back(kCheckpointFramesBusy);
}

// What is left of a full disk is for records: the main file, which copying back makes larger, can wait.
bool Journal::copy_back(std::int64_t beyond_frames) {
  if (state_ != State::writable || appender_->wal_frames() <= beyond_frames) return false;
  const Written done = appender_->checkpoint();
  // A full disk is no reason to stop: the records are safe in the WAL.
  if (done != Written::full) settle(done, "cannot checkpoint");
  return true;
}

void Journal::housekeeping() {
  sync_anchor_if_due(true);
  if (copy_back(kCheckpointFrames)) appender_->forget_pages();
  if (state_ != State::failed) delete_if_asked();
  if (state_ == State::failed || Clock::now() < next_look_) return;
  next_look_ = Clock::now() + kLookEvery;
  if (state_ == State::on_reserve && reserve_->take()) enter(State::writable, "");
  find_compaction();
}

// False: the journal has failed.
bool Journal::settle(Written written, const char* what) {
  if (written == Written::ok) return true;
  enter(State::failed, fmt::format("{}: {}", what, appender_->error()));
  return false;
}

void Journal::sync_anchor_if_due(bool idle) {
  if (anchor_dirty_since_ == Clock::time_point::max()) return;
  if (!idle && Clock::now() - anchor_dirty_since_ < kAnchorDelay) return;
  anchor_dirty_since_ = Clock::time_point::max();
  if (auto synced = appender_->sync_anchor(); !synced) enter(State::failed, synced.error().text);
}

void Journal::delete_if_asked() {
  std::uint64_t before = 0;
  {
    const std::lock_guard hold(mutex_);
    // Only a fold that is durable stands for what was before it.
    if (delete_after_fold_ <= durable_seq_) before = delete_before_;
  }
  if (before <= 1 || before - 1 <= appender_->start_seq()) return;
  const std::uint64_t last = before - 1;
  if (auto permitted = appender_->permit_deletion(last); !permitted) {
    enter(State::failed, permitted.error().text);
    return;
  }
  bool waiting = false;
  while (!waiting && appender_->start_seq() < last) {
    const Written done = appender_->delete_some(last, kDeleteAtOnce);
    if (done == Written::full || !settle(done, "cannot compact")) return;
    keep_house_while_busy();
    if (state_ == State::failed) return;
    const std::lock_guard hold(mutex_);
    waiting = stopping_ || !queue_.empty();
  }
  compaction_due_ = 0;
}

void Journal::find_compaction() {
  const std::uint64_t first = appender_->start_seq() + 1;
  const std::uint64_t last = appender_->last_seq();
  if (last <= first) return;
  Db& db = appender_->db();
  const auto at = [&](std::uint64_t seq) {
    return db.number(fmt::format("SELECT at FROM entry WHERE seq={}", seq)).value_or(INT64_MAX);
  };
  std::uint64_t due = 0;
  const std::int64_t oldest_kept = at(last) - options_.keep_for.count();
  if (at(first) < oldest_kept) {
    std::uint64_t low = first;  // engine time never goes backwards, so halving finds the first record to keep
    std::uint64_t high = last;
    while (low + 1 < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      (at(middle) < oldest_kept ? low : high) = middle;
    }
    due = high;
  }
  const auto used = db.number(
                          "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
                          "pragma_freelist_count, pragma_page_size")
                        .value_or(0);
  if (static_cast<std::uint64_t>(used) > options_.keep_bytes) {
    // Down to three quarters, so that it does not come due again at once.
    const double keep = 0.75 * static_cast<double>(options_.keep_bytes) / static_cast<double>(used);
    due = std::max(due, last - static_cast<std::uint64_t>(keep * static_cast<double>(last - first)));
  }
  compaction_due_ = due;
}

void Journal::enter(State state, std::string reason) {
  {
    const std::lock_guard hold(mutex_);
    if (state_ == State::failed) return;
    state_ = state;
    reason_ = reason;
  }
  signal();
  if (options_.on_state) options_.on_state(state, reason);
}

void Journal::signal() {
  const std::uint64_t one = 1;
  // The counter cannot overflow in any lifetime, and a reader that is behind is woken anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace homeostat::journal
