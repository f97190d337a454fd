#include "journal/accept.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "journal/appender.hpp"
#include "journal/files.hpp"
#include "journal/readable.hpp"
#include "journal/scan.hpp"
#include "journal/state_lock.hpp"

namespace homeostat::journal {
namespace {

// Where the longest good prefix is: in the files as they are, or in the main file alone (a damaged WAL hides pages of
// the main file that are newer).
struct Prefix {
  Access access = Access::read_only;
  Health health;
  Instant at{};
  std::uint64_t generation = 0;
};

std::string json_text(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      json.push_back(c);
    }
  }
  return json + '"';
}

Prefix longest_prefix(const Paths& paths, const Health& found, const KnownTypes& known) {
  Prefix best{.health = found};
  if (size_of(paths.db) == 0) return best;
  const Health alone = check_store(paths.db, Access::without_wal, found.anchor, known);
  const bool readable = alone.trust == Trust::ok || alone.trust == Trust::untrusted;
  if (readable && alone.last_seq > best.health.last_seq) best = {.access = Access::without_wal, .health = alone};
  return best;
}

// Copies the good records, hashes and all, into a store of their own.
std::expected<void, Error> copy_prefix(const Paths& paths, Prefix& prefix) {
  const Health& good = prefix.health;
  const Meta meta{.epoch = good.epoch, .start_seq = good.start_seq, .start_hash = good.start_hash};
  if (auto made = create_store(paths.fresh_db, meta); !made) return made;
  if (good.entries == 0) return {};
  auto from = open_store(paths.db, prefix.access);
  auto to = Db::open(paths.fresh_db.string(), SQLITE_OPEN_READWRITE);
  if (!from || !to) return std::unexpected(!from ? from.error() : to.error());
  auto insert = to->prepare(kInsert);
  if (!insert) return std::unexpected(insert.error());
  if (auto begun = to->exec("BEGIN"); !begun) return begun;
  Hasher hasher;
  Hash hash = good.start_hash;
  int code = SQLITE_OK;
  const ScanResult copied =
      scan(*from, good.start_seq, good.start_hash, good.last_seq, {}, [&](const EntryView& entry) {
        hash = hasher.link(hash, entry);
        code = insert_row(*insert, entry, hash);
        prefix.at = Instant(Duration(entry.at_ns));
        prefix.generation = entry.generation;
        return code == SQLITE_OK;
      });
  if (code != SQLITE_OK) return fail(to->error());
  if (copied.last_seq != good.last_seq) return fail(copied.problem);
  return to->exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

std::expected<void, Error> add_accept_record(const Paths& paths, const Prefix& prefix, const std::string& who,
                                             Accepted& accepted) {
  Entry entry{.seq = prefix.health.last_seq + 1,
              .type = "accept",
              .at = prefix.at,
              .wall_ns = wall_clock_ns(),
              .generation = prefix.generation,
              .payload = {}};
  entry.payload = fmt::format(R"({{"acknowledged":{},"aside":{},"kept_from":{},"kept_to":{},"reason":{},"who":{}}})",
                              accepted.acknowledged, json_text(accepted.aside.filename().string()), accepted.kept_from,
                              accepted.kept_to, json_text(accepted.reason), json_text(who));
  accepted.seq = entry.seq;
  auto db = Db::open(paths.fresh_db.string(), SQLITE_OPEN_READWRITE);
  if (!db) return std::unexpected(db.error());
  auto insert = db->prepare(kInsert);
  if (!insert) return std::unexpected(insert.error());
  const Hash hash = Hasher().link(prefix.health.last_hash, view(entry));
  if (insert_row(*insert, view(entry), hash) != SQLITE_OK) return fail(db->error());
  if (auto flushed = db->exec("PRAGMA wal_checkpoint(TRUNCATE)"); !flushed) return flushed;
  std::error_code ignored;
  std::filesystem::remove(paths.fresh_anchor, ignored);
  auto anchor = AnchorFile::open(paths.fresh_anchor);
  if (!anchor) return std::unexpected(anchor.error());
  return anchor->write_both({.seq = entry.seq,
                             .hash = hash,
                             .epoch = prefix.health.epoch,
                             .start_seq = prefix.health.start_seq,
                             .start_hash = prefix.health.start_hash});
}

// Linked, not moved: until the new files are in place the old ones are under both names.
std::expected<std::filesystem::path, Error> link_aside(const Paths& paths) {
  const std::time_t now = std::time(nullptr);
  const std::string stamp = fmt::format("damaged-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  std::filesystem::path aside;
  for (int attempt = 0; attempt < 100; ++attempt) {
    aside = paths.dir / (attempt == 0 ? stamp : fmt::format("{}-{}", stamp, attempt));
    if (::mkdir(aside.c_str(), 0700) == 0) break;
    if (errno != EEXIST) return fail_errno("cannot create", aside);
  }
  for (const auto& file : {paths.db, paths.wal, paths.anchor}) {
    if (::link(file.c_str(), (aside / file.filename()).c_str()) != 0 && errno != ENOENT) {
      return fail_errno("cannot keep a link to", file);
    }
  }
  if (auto synced = sync_directory(aside); !synced) return std::unexpected(synced.error());
  return aside;
}

}  // namespace

std::expected<void, Error> finish_accept(const Paths& paths) {
  std::error_code ignored;
  if (!std::filesystem::exists(paths.accepted_db, ignored)) return {};
  if (std::filesystem::exists(paths.fresh_anchor, ignored)) {
    if (auto moved = rename_file(paths.fresh_anchor, paths.anchor); !moved) return moved;
  }
  // An old WAL would be laid over the new main file.
  for (const auto& file : {paths.wal, paths.shm}) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove", file);
  }
  if (auto synced = sync_directory(paths.dir); !synced) return synced;
  if (auto moved = rename_file(paths.accepted_db, paths.db); !moved) return moved;
  return sync_directory(paths.dir);
}

std::expected<Accepted, Error> accept(const std::filesystem::path& dir, const std::string& who,
                                      const KnownTypes& known) {
  auto lock = lock_state_dir(dir);
  if (!lock) return std::unexpected(lock.error());
  const Paths paths(dir);
  if (auto finished = finish_accept(paths); !finished) return std::unexpected(finished.error());
  const Health found = check_journal(dir, known);
  if (found.trust == Trust::ok) return fail("there is nothing to accept: the journal is good");
  if (found.trust != Trust::untrusted) return fail(found.reason);
  Prefix prefix = longest_prefix(paths, found, known);
  Accepted accepted{.reason = found.reason,
                    .kept_from = prefix.health.start_seq + 1,
                    .kept_to = prefix.health.last_seq,
                    .acknowledged = found.anchor.newest ? found.anchor.newest->seq : 0};
  prefix.health.epoch = std::max(prefix.health.epoch, found.anchor.newest ? found.anchor.newest->epoch : 0);
  if (auto copied = copy_prefix(paths, prefix); !copied) return std::unexpected(copied.error());
  auto aside = link_aside(paths);
  if (!aside) return std::unexpected(aside.error());
  accepted.aside = *aside;
  if (auto added = add_accept_record(paths, prefix, who, accepted); !added) return std::unexpected(added.error());
  std::error_code ignored;
  for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(paths.fresh_db.string() + suffix, ignored);
  // From this name on the accept is decided, and a restart completes it.
  if (auto moved = rename_file(paths.fresh_db, paths.accepted_db); !moved) return std::unexpected(moved.error());
  if (auto synced = sync_directory(dir); !synced) return std::unexpected(synced.error());
  if (auto finished = finish_accept(paths); !finished) return std::unexpected(finished.error());
  return accepted;
}

}  // namespace homeostat::journal
