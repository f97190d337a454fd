#include "journal/scan.hpp"

#include <fmt/format.h>

namespace homeostat::journal {
namespace {

// About 5 ms of reading: short enough to leave the writer its WAL.
constexpr std::int64_t kRowsPerRead = 20'000;

void note(const EntryView& entry, const KnownTypes& known, ScanResult& result) {
  if (entry.type == "fold") result.last_fold = entry.seq;
  if (entry.type == "accept") {
    result.last_accept = entry.seq;
    result.not_understood = 0;
  }
  if (!entry.critical || known.empty() || result.not_understood != 0) return;
  const auto type = known.find(entry.type);
  if (type != known.end() && entry.version <= type->second) return;
  result.not_understood = entry.seq;
  result.not_understood_type = fmt::format("{} version {}", entry.type, entry.version);
}

}  // namespace

ScanResult scan(Db& db, std::uint64_t from, const Hash& before, std::uint64_t to, const KnownTypes& known,
                const OnEntry& on_entry) {
  ScanResult result{.last_seq = from, .last_hash = before};
  auto rows =
      db.prepare(fmt::format("SELECT {} FROM entry WHERE seq>? AND seq<=? ORDER BY seq LIMIT ?", kEntryColumns));
  if (!rows) {
    result.problem = rows.error().text;
    result.cannot_read = true;
    return result;
  }
  Hasher hasher;
  EntryView entry;
  Hash stored;
  while (result.last_seq < to) {
    rows->reset();
    rows->bind(1, static_cast<std::int64_t>(result.last_seq));
    rows->bind(2, static_cast<std::int64_t>(to));
    rows->bind(3, kRowsPerRead);
    std::int64_t seen = 0;
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW) {
      ++seen;
      const bool readable = read_row(*rows, entry, stored);
      if (entry.seq != result.last_seq + 1) {
        result.problem = fmt::format("record {} is missing", result.last_seq + 1);
        return result;
      }
      if (!readable || hasher.link(result.last_hash, entry) != stored) {
        result.problem = fmt::format("record {} does not match its hash", result.last_seq + 1);
        return result;
      }
      result.last_seq = entry.seq;
      result.last_hash = stored;
      note(entry, known, result);
      if (on_entry && !on_entry(entry)) return result;
    }
    if (code != SQLITE_DONE) {
      result.problem = fmt::format("record {} cannot be read: {}", result.last_seq + 1, db.error());
      result.cannot_read = true;
      return result;
    }
    if (seen == 0) {
      result.problem = fmt::format("record {} is missing", result.last_seq + 1);
      return result;
    }
  }
  return result;
}

}  // namespace homeostat::journal
