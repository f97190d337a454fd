#include "journal/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "journal/bytes.hpp"
#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

constexpr std::string_view kEntryTable =
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, type TEXT NOT NULL, version INTEGER NOT NULL, critical INTEGER NOT "
    "NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, generation INTEGER NOT NULL, payload TEXT NOT NULL, hash BLOB "
    "NOT NULL)";
constexpr std::string_view kMetaTable =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, format INTEGER NOT NULL, epoch INTEGER NOT NULL, start_seq INTEGER NOT "
    "NULL, start_hash BLOB NOT NULL, guard BLOB NOT NULL)";
constexpr std::int64_t kApplicationId = 0x484D5354;  // "HMST"

std::string_view text(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Hash guard_of(const Meta& meta) {
  std::string bytes = "homeostat journal meta";
  put(bytes, kFormatVersion);
  put(bytes, meta.epoch);
  put(bytes, meta.start_seq);
  bytes.append(text(meta.start_hash));
  return Hasher().of(bytes);
}

// SQLite takes '?', '#' and '%' of a URI for itself.
std::string as_uri(const std::filesystem::path& file) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
    } else {
      uri.push_back(c);
    }
  }
  return uri + "?immutable=1";
}

std::expected<void, Error> keep_wal(Db& db) {
  int on = 1;
  // The WAL outlives the connection: a closing checkpoint would cost time and could destroy evidence of damage.
  if (sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &on) != SQLITE_OK ||
      sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) != SQLITE_OK) {
    return fail(db.error());
  }
  return {};
}

}  // namespace

Paths::Paths(const std::filesystem::path& where)
    : dir(where),
      db(dir / "journal.db"),
      wal(dir / "journal.db-wal"),
      shm(dir / "journal.db-shm"),
      anchor(dir / "anchor"),
      lock(dir / "lock"),
      reserve(dir / "reserve"),
      fresh_db(dir / "journal.db.new"),
      fresh_anchor(dir / "anchor.new"),
      accepted_db(dir / "journal.db.accepted") {}

std::expected<void, Error> create_store(const std::filesystem::path& file, const Meta& meta) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  {
    // Created by us for its mode: SQLite would take the umask's.
    auto fd = open_file(file, O_RDWR | O_CREAT | O_EXCL);
    if (!fd) return std::unexpected(fd.error());
  }
  auto db = Db::open(file.string(), SQLITE_OPEN_READWRITE);
  if (!db) return std::unexpected(db.error());
  const std::string setup =
      fmt::format("PRAGMA page_size=4096; PRAGMA application_id={}; PRAGMA user_version={}; BEGIN; {}; {}; COMMIT;",
                  kApplicationId, kFormatVersion, kEntryTable, kMetaTable);
  if (auto done = db->exec(setup.c_str()); !done) return done;
  if (auto done = write_meta(*db, meta); !done) return done;
  return db->exec("PRAGMA journal_mode=WAL");
}

std::expected<Db, Error> open_store(const std::filesystem::path& file, Access access) {
  auto db = access == Access::without_wal
                ? Db::open(as_uri(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
                : Db::open(file.string(), access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  if (!db) return db;
  sqlite3_limit(db->get(), SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxPayloadBytes + 4096));
  sqlite3_db_config(db->get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  const char* const safety = "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";
  if (auto done = db->exec(safety); !done) return std::unexpected(done.error());
  if (access != Access::read_write) {
    // Setting the cache may read the file; what is wrong with it is for the first real read to tell.
    db->run("PRAGMA query_only=ON; PRAGMA cache_size=-4096");
    return db;
  }
  // A small cache: what is appended is not read again.
  const char* const writing =
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF; PRAGMA cache_size=-256";
  if (auto done = db->exec(writing); !done) return std::unexpected(done.error());
  if (auto kept = keep_wal(*db); !kept) return std::unexpected(kept.error());
  return db;
}

FormatProblem check_format(Db& db) {
  const auto id = db.number("PRAGMA application_id");
  if (!id) return {.reason = id.error().text};
  const auto version = db.number("PRAGMA user_version");
  if (!version) return {.reason = version.error().text};
  const auto row_format = db.number("SELECT format FROM meta WHERE id=1");
  // Both places must agree before "written by a newer Homeostat" is believed: one of them may be a flipped bit.
  if (*id == kApplicationId && *version > kFormatVersion && row_format && *row_format == *version) {
    return {.newer = true,
            .reason = fmt::format("written by a newer Homeostat (format {}, this build reads up to {})", *version,
                                  kFormatVersion)};
  }
  if (*id != kApplicationId || *version != kFormatVersion) return {.reason = "its header is not that of a journal"};
  auto schema = db.prepare("SELECT sql FROM sqlite_schema ORDER BY name");
  if (!schema) return {.reason = schema.error().text};
  for (const std::string_view table : {kEntryTable, kMetaTable}) {
    if (schema->step() != SQLITE_ROW || schema->bytes(0) != table) return {.reason = "its schema was changed"};
  }
  if (schema->step() != SQLITE_DONE) return {.reason = "its schema was changed"};
  return {};
}

std::expected<Meta, Error> read_meta(Db& db) {
  auto row = db.prepare("SELECT epoch,start_seq,start_hash,guard,format FROM meta WHERE id=1");
  if (!row) return std::unexpected(row.error());
  if (row->step() != SQLITE_ROW) return fail("the meta row is missing: " + db.error());
  Meta meta;
  meta.epoch = static_cast<std::uint64_t>(row->integer(0));
  meta.start_seq = static_cast<std::uint64_t>(row->integer(1));
  const std::string_view hash = row->bytes(2);
  if (hash.size() == meta.start_hash.size()) std::copy(hash.begin(), hash.end(), meta.start_hash.begin());
  if (row->bytes(3) != text(guard_of(meta)) || row->integer(4) != kFormatVersion) {
    return fail("the meta row does not match its guard");
  }
  return meta;
}

std::expected<void, Error> write_meta(Db& db, const Meta& meta) {
  auto row = db.prepare("INSERT OR REPLACE INTO meta VALUES(1,?,?,?,?,?)");
  if (!row) return std::unexpected(row.error());
  const Hash guard = guard_of(meta);
  row->bind(1, kFormatVersion);
  row->bind(2, static_cast<std::int64_t>(meta.epoch));
  row->bind(3, static_cast<std::int64_t>(meta.start_seq));
  row->bind_blob(4, text(meta.start_hash));
  row->bind_blob(5, text(guard));
  if (row->step() != SQLITE_DONE) return fail(db.error());
  return {};
}

bool read_row(const Statement& row, EntryView& entry, Hash& hash) {
  const std::int64_t version = row.integer(2);
  const std::int64_t critical = row.integer(3);
  const std::string_view stored = row.bytes(8);
  if (version < 0 || version > UINT32_MAX || critical < 0 || critical > 1 || stored.size() != hash.size()) return false;
  std::copy(stored.begin(), stored.end(), hash.begin());
  entry = {.seq = static_cast<std::uint64_t>(row.integer(0)),
           .type = row.bytes(1),
           .version = static_cast<std::uint32_t>(version),
           .critical = critical == 1,
           .at_ns = row.integer(4),
           .wall_ns = row.integer(5),
           .generation = static_cast<std::uint64_t>(row.integer(6)),
           .payload = row.bytes(7)};
  return entry.type.size() <= kMaxTypeBytes;
}

int insert_row(Statement& insert, const EntryView& entry, const Hash& hash) {
  insert.bind(1, static_cast<std::int64_t>(entry.seq));
  insert.bind_text(2, entry.type);
  insert.bind(3, entry.version);
  insert.bind(4, entry.critical ? 1 : 0);
  insert.bind(5, entry.at_ns);
  insert.bind(6, entry.wall_ns);
  insert.bind(7, static_cast<std::int64_t>(entry.generation));
  insert.bind_text(8, entry.payload);
  insert.bind_blob(9, text(hash));
  const int code = insert.step();
  insert.reset();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

}  // namespace homeostat::journal
