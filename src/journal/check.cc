#include "journal/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "journal/files.hpp"
#include "journal/readable.hpp"
#include "journal/scan.hpp"

namespace homeostat::journal {
namespace {

// Below this a second thread costs more than it saves.
constexpr std::uint64_t kWorthTwoThreads = 50'000;

Trust trust_of(Db& db) {
  switch (sqlite3_errcode(db.get())) {
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return Trust::failed;
    default:
      return Trust::untrusted;
  }
}

Health& distrust(Health& health, std::string reason, std::uint64_t first_bad, Trust trust = Trust::untrusted) {
  health.trust = trust;
  health.reason = std::move(reason);
  health.first_bad = first_bad;
  return health;
}

std::optional<Hash> stored_hash(Db& db, std::uint64_t seq) {
  auto row = db.prepare("SELECT hash FROM entry WHERE seq=?");
  if (!row) return std::nullopt;
  row->bind(1, static_cast<std::int64_t>(seq));
  if (row->step() != SQLITE_ROW || row->bytes(0).size() != sizeof(Hash)) return std::nullopt;
  Hash hash;
  std::copy_n(row->bytes(0).begin(), hash.size(), hash.begin());
  return hash;
}

ScanResult join(const ScanResult& first, ScanResult second) {
  if (!first.problem.empty()) return first;
  if (second.last_fold == 0) second.last_fold = first.last_fold;
  if (first.not_understood != 0 && second.last_accept == 0) {
    second.not_understood = first.not_understood;
    second.not_understood_type = first.not_understood_type;
  }
  return second;
}

// Each link can be checked by itself, given the stored hash of the record before: so both halves go at once.
ScanResult scan_halves(Db& db, const std::filesystem::path& file, Access access, const Meta& meta, std::uint64_t last,
                       const KnownTypes& known) {
  const auto in_one = [&] { return scan(db, meta.start_seq, meta.start_hash, last, known); };
  if (last - meta.start_seq < kWorthTwoThreads) return in_one();
  const std::uint64_t middle = meta.start_seq + (last - meta.start_seq) / 2;
  const auto middle_hash = stored_hash(db, middle);
  auto other = open_store(file, access);
  if (!middle_hash || !other) return in_one();
  ScanResult second;
  {
    std::jthread helper([&] { second = scan(*other, middle, *middle_hash, last, known); });
    const ScanResult first = scan(db, meta.start_seq, meta.start_hash, middle, known);
    helper.join();
    return join(first, std::move(second));
  }
}

void check_anchor(Db& db, const AnchorReading& reading, Health& health) {
  const bool empty = health.start_seq == 0 && health.entries == 0;
  if (!reading.newest) {
    if (empty && !reading.exists) return;
    distrust(health, reading.exists ? "both slots of the anchor are unreadable" : "the anchor is missing", 0);
    return;
  }
  const Anchor& anchor = *reading.newest;
  if (anchor.seq > health.last_seq) {
    distrust(health,
             fmt::format("the journal ends at record {}, but record {} was acknowledged", health.last_seq, anchor.seq),
             health.last_seq + 1);
    return;
  }
  const auto agrees = [&](std::uint64_t seq, const Hash& hash) {
    return seq == health.start_seq ? hash == health.start_hash : stored_hash(db, seq) == hash;
  };
  if (anchor.seq < health.start_seq || anchor.start_seq < health.start_seq) {
    distrust(health, "records were removed that the anchor does not know to be compacted", health.start_seq + 1);
  } else if (!agrees(anchor.seq, anchor.hash)) {
    distrust(health, fmt::format("record {} is not the one that was acknowledged", anchor.seq), anchor.seq);
  } else if (!agrees(anchor.start_seq, anchor.start_hash)) {
    distrust(health, "the start of the chain is not the one in the anchor", anchor.start_seq);
  }
}

Health check_once(Db& db, const std::filesystem::path& file, Access access, const AnchorReading& anchor,
                  const KnownTypes& known) {
  Health health{.anchor = anchor};
  if (auto problem = check_format(db); !problem.reason.empty()) {
    return distrust(health, fmt::format("{}: {}", file.string(), problem.reason), 0,
                    problem.newer ? Trust::newer : trust_of(db));
  }
  const auto meta = read_meta(db);
  if (!meta) return distrust(health, meta.error().text, 0, trust_of(db));
  const auto last = db.number("SELECT coalesce(max(seq),0) FROM entry");
  if (!last) return distrust(health, last.error().text, 0, trust_of(db));
  const auto end = std::max(static_cast<std::uint64_t>(*last), meta->start_seq);
  const ScanResult found = scan_halves(db, file, access, *meta, end, known);
  health.epoch = std::max(meta->epoch, anchor.newest ? anchor.newest->epoch : 0);
  health.start_seq = meta->start_seq;
  health.start_hash = meta->start_hash;
  health.last_seq = found.last_seq;
  health.last_hash = found.last_hash;
  health.entries = found.last_seq - meta->start_seq;
  health.last_fold = found.last_fold;
  if (!found.problem.empty()) return distrust(health, found.problem, found.last_seq + 1);
  check_anchor(db, anchor, health);
  if (health.trust == Trust::ok && found.not_understood != 0) {
    distrust(health,
             fmt::format("record {} ({}) is critical and this build does not understand it", found.not_understood,
                         found.not_understood_type),
             found.not_understood);
  }
  return health;
}

bool nothing_there(const Paths& paths) { return size_of(paths.db) == 0 && !wal_in_use(paths.wal); }

Health check_dir(const Paths& paths, const KnownTypes& known) {
  Health health;
  // The anchor first: what it names was durable before, so a live journal is never behind it.
  health.anchor = read_anchor(paths.anchor);
  std::error_code ignored;
  if (std::filesystem::exists(paths.accepted_db, ignored)) {
    return distrust(health, "an accept was interrupted; run it again", 0);
  }
  if (size_of(paths.db) == 0) {
    const bool was_empty = !health.anchor.exists || (health.anchor.newest && health.anchor.newest->seq == 0);
    if (nothing_there(paths) && was_empty) {
      health.fresh = true;
      return health;
    }
    return distrust(health, fmt::format("{} is missing or empty", paths.db.string()), 1);
  }
  auto readable = Readable::find(paths);
  if (!readable) return distrust(health, readable.error().text, 0, Trust::failed);
  return check_store(readable->file(), readable->access(), health.anchor, known);
}

}  // namespace

Health check_store(const std::filesystem::path& file, Access access, const AnchorReading& anchor,
                   const KnownTypes& known) {
  auto db = open_store(file, access);
  if (!db) {
    Health health{.anchor = anchor};
    return distrust(health, db.error().text, 0, Trust::failed);
  }
  Health health = check_once(*db, file, access, anchor, known);
  // A running daemon may have compacted away what was about to be read: then the start has moved.
  for (int attempt = 0; attempt < 3 && health.trust == Trust::untrusted; ++attempt) {
    const auto meta = read_meta(*db);
    if (!meta || meta->start_seq == health.start_seq) break;
    health = check_once(*db, file, access, anchor, known);
  }
  return health;
}

Health check_journal(const std::filesystem::path& dir, const KnownTypes& known) {
  const Paths paths(dir);
  Health health = check_dir(paths, known);
  // Beside a running daemon a compaction may have been announced after the anchor was read.
  for (int attempt = 0; attempt < 3 && health.trust == Trust::untrusted; ++attempt) {
    if (read_anchor(paths.anchor).newest == health.anchor.newest) break;
    health = check_dir(paths, known);
  }
  return health;
}

}  // namespace homeostat::journal
