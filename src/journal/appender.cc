#include "journal/appender.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "journal/files.hpp"

namespace homeostat::journal {

std::expected<std::unique_ptr<Appender>, Error> Appender::open(const Paths& paths, const Health& health,
                                                               std::int64_t wal_bytes) {
  auto appender = std::make_unique<Appender>();
  if (auto ready = appender->prepare_wal(paths, wal_bytes); !ready) return std::unexpected(ready.error());
  auto db = open_store(paths.db, Access::read_write);
  if (!db) return std::unexpected(db.error());
  appender->db_ = std::move(*db);
  sqlite3_wal_hook(
      appender->db_.get(),
      [](void* frames, sqlite3*, const char*, int count) {
        *static_cast<std::int64_t*>(frames) = count;
        return SQLITE_OK;
      },
      &appender->wal_frames_);
  if (auto prepared = appender->prepare_statements(); !prepared) return std::unexpected(prepared.error());
  auto anchor = AnchorFile::open(paths.anchor);
  if (!anchor) return std::unexpected(anchor.error());
  appender->anchor_ = std::move(*anchor);
  appender->meta_ = {.epoch = health.epoch, .start_seq = health.start_seq, .start_hash = health.start_hash};
  appender->last_seq_ = health.last_seq;
  appender->last_hash_ = health.last_hash;
  if (auto counted = appender->next_epoch(); !counted) return std::unexpected(counted.error());
  return appender;
}

// A WAL that has to grow costs a commit half as much again: so it gets its size before the first one.
std::expected<void, Error> Appender::prepare_wal(const Paths& paths, std::int64_t bytes) {
  auto size = static_cast<std::int64_t>(size_of(paths.wal));
  if (size >= bytes) return {};
  auto fd = open_file(paths.wal, O_RDWR | O_CREAT);
  if (!fd) return std::unexpected(fd.error());
  const std::string zeros(1U << 16, '\0');
  while (size < bytes) {
    const auto part = std::min(bytes - size, static_cast<std::int64_t>(zeros.size()));
    auto written = write_at(fd->get(), std::string_view(zeros).substr(0, part), size, paths.wal);
    // A full disk must not keep us from starting: the WAL then grows as it can.
    if (!written) return errno == ENOSPC ? std::expected<void, Error>{} : written;
    size += part;
  }
  if (::fsync(fd->get()) != 0) return fail_errno("cannot sync", paths.wal);
  return {};
}

std::expected<void, Error> Appender::next_epoch() {
  ++meta_.epoch;
  if (auto done = write_meta(db_, meta_); !done) return done;
  Anchor anchor{.seq = last_seq_, .hash = last_hash_, .epoch = meta_.epoch};
  // An announced deletion that was not finished stays announced.
  const Anchor& before = anchor_.value();
  const bool announced = before.start_seq >= meta_.start_seq && before.start_seq <= last_seq_;
  anchor.start_seq = announced ? before.start_seq : meta_.start_seq;
  anchor.start_hash = announced ? before.start_hash : meta_.start_hash;
  return anchor_.write_both(anchor);
}

std::expected<void, Error> Appender::prepare_statements() {
  const std::pair<Statement*, std::string_view> all[] = {{&begin_, "BEGIN IMMEDIATE"},
                                                         {&commit_, "COMMIT"},
                                                         {&insert_, kInsert},
                                                         {&hash_of_, "SELECT hash FROM entry WHERE seq=?"},
                                                         {&delete_, "DELETE FROM entry WHERE seq<=?"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

int Appender::run(Statement& statement) {
  const int code = statement.step();
  statement.reset();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

Written Appender::finish(int code) {
  if (code == SQLITE_OK) return Written::ok;
  error_ = db_.error();
  const bool full = sqlite3_errcode(db_.get()) == SQLITE_FULL || sqlite3_system_errno(db_.get()) == ENOSPC;
  const bool synced_badly = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
  if (sqlite3_get_autocommit(db_.get()) == 0) db_.run("ROLLBACK");
  return full && !synced_badly ? Written::full : Written::broken;
}

Written Appender::append(std::span<const Entry> entries) {
  int code = run(begin_);
  Hash hash = last_hash_;
  for (const Entry& entry : entries) {
    if (code != SQLITE_OK) break;
    const EntryView record = view(entry);
    hash = hasher_.link(hash, record);
    code = insert_row(insert_, record, hash);
  }
  if (code == SQLITE_OK) code = run(commit_);
  if (const Written written = finish(code); written != Written::ok) return written;
  last_seq_ = entries.back().seq;
  last_hash_ = hash;
  Anchor anchor = anchor_.value();
  anchor.seq = last_seq_;
  anchor.hash = last_hash_;
  if (auto done = anchor_.write(anchor); !done) {
    error_ = done.error().text;
    return Written::broken;
  }
  return Written::ok;
}

std::expected<void, Error> Appender::sync_anchor() { return anchor_.sync(); }

Written Appender::checkpoint() {
  int frames = 0;
  int done = 0;
  const int code = sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
  if (code == SQLITE_BUSY) return Written::ok;
  if (code == SQLITE_OK && done == frames) wal_frames_ = 0;
  return finish(code);
}

std::expected<void, Error> Appender::permit_deletion(std::uint64_t seq) {
  Anchor anchor = anchor_.value();
  if (seq <= anchor.start_seq) return {};
  hash_of_.bind(1, static_cast<std::int64_t>(seq));
  const bool found = hash_of_.step() == SQLITE_ROW && hash_of_.bytes(0).size() == sizeof(Hash);
  if (found) std::copy_n(hash_of_.bytes(0).begin(), sizeof(Hash), anchor.start_hash.begin());
  hash_of_.reset();
  if (!found) return fail(fmt::format("cannot read record {}: {}", seq, db_.error()));
  anchor.start_seq = seq;
  return anchor_.write_both(anchor);
}

Written Appender::delete_some(std::uint64_t seq, std::uint64_t limit) {
  Meta meta = meta_;
  meta.start_seq = std::min(seq, meta_.start_seq + limit);
  hash_of_.bind(1, static_cast<std::int64_t>(meta.start_seq));
  const bool found = hash_of_.step() == SQLITE_ROW && hash_of_.bytes(0).size() == sizeof(Hash);
  if (found) std::copy_n(hash_of_.bytes(0).begin(), sizeof(Hash), meta.start_hash.begin());
  hash_of_.reset();
  if (!found) {
    error_ = fmt::format("cannot read record {}: {}", meta.start_seq, db_.error());
    return Written::broken;
  }
  int code = run(begin_);
  if (code == SQLITE_OK) {
    delete_.bind(1, static_cast<std::int64_t>(meta.start_seq));
    code = run(delete_);
    if (code == SQLITE_OK) code = write_meta(db_, meta) ? SQLITE_OK : sqlite3_extended_errcode(db_.get());
  }
  if (code == SQLITE_OK) code = run(commit_);
  const Written written = finish(code);
  if (written == Written::ok) meta_ = meta;
  return written;
}

}  // namespace homeostat::journal
