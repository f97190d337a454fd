#include "journal/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "journal/accept.hpp"
#include "journal/files.hpp"
#include "journal/state_lock.hpp"

namespace homeostat::journal {
namespace {

std::size_t cost(const Entry& entry) { return entry.type.size() + entry.payload.size() + sizeof(Entry); }

// Under a name of its own until it is complete: a crash in between leaves nothing half-made.
std::expected<void, Error> create_journal(const Paths& paths) {
  if (auto made = create_store(paths.fresh_db, {}); !made) {
    return fail(fmt::format("cannot create {}: {}", paths.fresh_db.string(), made.error().text));
  }
  std::error_code ignored;
  for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(paths.fresh_db.string() + suffix, ignored);
  if (auto moved = rename_file(paths.fresh_db, paths.db); !moved) return moved;
  return sync_directory(paths.dir);
}

}  // namespace

std::string_view name(State state) {
  switch (state) {
    case State::writable:
      return "writable";
    case State::on_reserve:
      return "on reserve";
    case State::untrusted:
      return "untrusted";
    case State::failed:
      return "failed";
  }
  return "?";
}

std::expected<std::unique_ptr<Journal>, Error> Journal::open(const std::filesystem::path& state_dir, Options options) {
  auto lock = lock_state_dir(state_dir);
  if (!lock) return std::unexpected(lock.error());
  const Paths paths(state_dir);
  if (auto finished = finish_accept(paths); !finished) return std::unexpected(finished.error());
  std::unique_ptr<Journal> journal(new Journal);
  journal->lock_ = std::move(*lock);
  journal->options_ = std::move(options);
  journal->wake_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!journal->wake_) return fail_errno("cannot create an eventfd for", state_dir);
  journal->health_ = check_journal(state_dir, journal->options_.known);
  const Health& health = journal->health_;
  journal->next_seq_ = health.last_seq + 1;
  journal->durable_seq_ = health.last_seq;
  if (health.trust == Trust::newer || health.trust == Trust::failed) {
    return fail(fmt::format("journal in {}: {}", state_dir.string(), health.reason));
  }
  if (health.trust == Trust::untrusted) {
    journal->reason_ = health.reason;
    return journal;
  }
  if (health.fresh) {
    if (auto made = create_journal(paths); !made) return std::unexpected(made.error());
  }
  if (auto started = journal->start(paths); !started) {
    return fail(fmt::format("journal in {}: {}", state_dir.string(), started.error().text));
  }
  return journal;
}

std::expected<void, Error> Journal::start(const Paths& paths) {
  reserve_ = std::make_unique<Reserve>(paths.reserve, options_.reserve_bytes);
  const auto taken = reserve_->take();
  auto appender = Appender::open(paths, health_, options_.wal_bytes);
  std::string trouble = taken ? "" : taken.error().text;
  if (!appender && reserve_->release()) {
    // The disk may have filled up while nobody ran; starting needs a little space.
    trouble = appender.error().text;
    appender = Appender::open(paths, health_, options_.wal_bytes);
  }
  if (!appender) return std::unexpected(appender.error());
  appender_ = std::move(*appender);
  epoch_ = appender_->epoch();
  state_ = State::writable;
  if (!trouble.empty()) enter(State::on_reserve, trouble);
  thread_ = std::thread([this] { run(); });
  return {};
}

Journal::~Journal() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::string Journal::reason() const {
  const std::lock_guard hold(mutex_);
  return reason_;
}

std::expected<void, Error> Journal::append(std::vector<Entry> entries) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += cost(entry);
    if (entry.type.empty() || entry.type.size() > kMaxTypeBytes || entry.payload.size() > kMaxPayloadBytes) {
      return fail(fmt::format("record {} has a type or payload of a size that is not allowed", entry.seq));
    }
  }
  {
    const std::lock_guard hold(mutex_);
    const State state = state_;
    if (state == State::untrusted || state == State::failed) {
      return fail(fmt::format("the journal is {}: {}", name(state), reason_));
    }
    std::uint64_t next = next_seq_;
    for (const Entry& entry : entries) {
      if (entry.seq != next) return fail(fmt::format("record {} does not follow record {}", entry.seq, next - 1));
      ++next;
    }
    if (queue_.size() + entries.size() > options_.max_queued_entries ||
        queued_bytes_ + bytes > options_.max_queued_bytes) {
      return fail(fmt::format("the journal's queue is full ({} records wait for the disk)", queue_.size()));
    }
    for (Entry& entry : entries) queue_.push_back(std::move(entry));
    queued_bytes_ += bytes;
    next_seq_ = next;
  }
  work_.notify_one();
  return {};
}

std::expected<void, Error> Journal::compact(std::uint64_t before_seq, Entry fold) {
  if (fold.type != "fold") return fail("a compaction needs a record of type fold");
  const std::uint64_t fold_seq = fold.seq;
  std::vector<Entry> one;
  one.push_back(std::move(fold));
  if (auto taken = append(std::move(one)); !taken) return taken;
  const std::lock_guard hold(mutex_);
  delete_before_ = std::max(delete_before_, std::min(before_seq, fold_seq));
  delete_after_fold_ = fold_seq;
  return {};
}

}  // namespace homeostat::journal
