#include "journal/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

constexpr std::int64_t kRowsPerRead = 1'000;

}  // namespace

std::expected<Reader, Error> Reader::open(const std::filesystem::path& state_dir) {
  const Paths paths(state_dir);
  const AnchorReading anchor = read_anchor(paths.anchor);
  auto store = Readable::find(paths);
  if (!store) return std::unexpected(store.error());
  auto db = store->open();
  if (!db) return std::unexpected(db.error());
  if (const auto problem = check_format(*db); !problem.reason.empty()) {
    return fail(fmt::format("{}: {}", paths.db.string(), problem.reason));
  }
  Reader reader(std::move(*store), std::move(*db));
  const auto last = reader.last_seq();
  if (!last) return std::unexpected(last.error());
  if (anchor.newest && *last < anchor.newest->seq) {
    return fail(fmt::format("{} ends at record {}, but record {} was acknowledged; run `homeostat journal verify`",
                            paths.db.string(), *last, anchor.newest->seq));
  }
  return reader;
}

std::expected<std::uint64_t, Error> Reader::last_seq() {
  const auto meta = read_meta(db_);
  if (!meta) return std::unexpected(meta.error());
  const auto last = db_.number("SELECT coalesce(max(seq),0) FROM entry");
  if (!last) return std::unexpected(last.error());
  return std::max(static_cast<std::uint64_t>(*last), meta->start_seq);
}

std::expected<void, Error> Reader::read_all(std::uint64_t from_seq, const OnEntry& on_entry) {
  const auto meta = read_meta(db_);
  if (!meta) return std::unexpected(meta.error());
  const auto last = last_seq();
  if (!last) return std::unexpected(last.error());
  std::uint64_t before = meta->start_seq;
  Hash hash = meta->start_hash;
  if (from_seq > before + 1) {
    before = std::min(from_seq - 1, *last);
    auto row = db_.prepare("SELECT hash FROM entry WHERE seq=?");
    if (!row) return std::unexpected(row.error());
    row->bind(1, static_cast<std::int64_t>(before));
    const bool found = before == meta->start_seq || row->step() == SQLITE_ROW;
    if (!found || (before != meta->start_seq && row->bytes(0).size() != hash.size())) {
      return fail(fmt::format("record {} is missing", before));
    }
    if (before != meta->start_seq) std::copy_n(row->bytes(0).begin(), hash.size(), hash.begin());
  }
  while (true) {
    const ScanResult result = scan(db_, before, hash, *last, {}, on_entry);
    if (result.problem.empty()) return {};
    const auto now = compacted_away(result.last_seq + 1);
    if (!now || result.cannot_read) return fail(result.problem);
    before = now->start_seq;
    hash = now->start_hash;
  }
}

// A running daemon may delete what is about to be read; then the chain starts later than it did.
std::optional<Meta> Reader::compacted_away(std::uint64_t seq) {
  const auto meta = read_meta(db_);
  return meta && meta->start_seq >= seq ? std::optional(*meta) : std::nullopt;
}

std::expected<void, Error> Reader::read_newest_first(const OnEntry& on_entry) {
  const auto last = last_seq();
  if (!last) return std::unexpected(last.error());
  auto rows = db_.prepare(fmt::format("SELECT {} FROM entry WHERE seq<=? ORDER BY seq DESC LIMIT ?", kEntryColumns));
  if (!rows) return std::unexpected(rows.error());
  Hasher hasher;
  std::optional<Entry> held;  // a record is given out once the hash of the one before it is known
  Hash held_hash{};
  const auto holds = [&](const Hash& before) { return !held || hasher.link(before, view(*held)) == held_hash; };
  std::uint64_t next = *last;
  std::optional<Meta> oldest = compacted_away(next);
  while (!oldest) {
    rows->reset();
    rows->bind(1, static_cast<std::int64_t>(next));
    rows->bind(2, kRowsPerRead);
    EntryView entry;
    Hash hash;
    std::int64_t seen = 0;
    while (rows->step() == SQLITE_ROW && read_row(*rows, entry, hash) && entry.seq == next) {
      if (!holds(hash)) return fail(fmt::format("record {} does not match its hash", held->seq));
      if (held && !on_entry(view(*held))) return {};
      held = copy(entry);
      held_hash = hash;
      --next;
      ++seen;
    }
    oldest = compacted_away(next);
    if (!oldest && seen < kRowsPerRead) return fail(fmt::format("record {} is missing or cannot be read", next));
  }
  if (!held || held->seq <= oldest->start_seq) return {};
  if (!holds(oldest->start_hash)) return fail(fmt::format("record {} does not match its hash", held->seq));
  on_entry(view(*held));
  return {};
}

std::expected<std::uint64_t, Error> Reader::last_fold() {
  auto row = db_.prepare("SELECT seq FROM entry WHERE type='fold' ORDER BY seq DESC LIMIT 1");
  if (!row) return std::unexpected(row.error());
  const int code = row->step();
  if (code == SQLITE_ROW) return static_cast<std::uint64_t>(row->integer(0));
  if (code != SQLITE_DONE) return fail(db_.error());
  return 0;
}

}  // namespace homeostat::journal
