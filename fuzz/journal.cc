// A journal that was written well and then damaged: the input is a list of damages, six bytes each. Whatever the bytes
// became, reading them ends; either the damage is seen, or every acknowledged record is there and unchanged.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/appender.hpp"
#include "journal/files.hpp"
#include "journal/reader.hpp"
#include "journal/testing.hpp"
#include "kit.hpp"
#include "memory_files.hpp"

namespace homeostat::fuzz {
namespace {

namespace fs = std::filesystem;
using journal::Health;
using journal::Trust;

struct Copy {
  std::string db;
  std::string wal;
  std::string anchor;
};

/// A journal and what it was some records earlier.
struct Made {
  Copy now;
  Copy before;
  std::vector<journal::Entry> entries;  // acknowledged, and still there
  Health health;
};

/// Where files are cheap.
fs::path scratch() { return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path(); }

Copy copy_of(const fs::path& dir) {
  const auto read = [&](const char* name) { return journal::read_file(dir / name, 64U << 20).value_or(""); };
  return {read("journal.db"), read("journal.db-wal"), read("anchor")};
}

void put(const fs::path& file, std::string_view bytes) {
  auto fd = journal::open_file(file, O_RDWR | O_CREAT | O_TRUNC);
  require(fd && journal::write_at(fd->get(), bytes, 0, file), "there is room for small files");
}

/// A few lives: records and a fold, a compaction, records that are only in the WAL when `in_wal`.
Made make(bool in_wal) {
  const journal::TempDir temp(scratch());
  const fs::path dir = temp.path() / "state";
  Made made;
  {
    auto first = journal::Journal::open(dir, journal::small());
  }
  const auto live = [&](std::uint64_t from, std::uint64_t to, bool checkpoint) {
    auto appender = journal::Appender::open(journal::Paths(dir), journal::check_journal(dir, {}), 0);
    require(appender.has_value(), "a journal can be made");
    auto list = journal::entries(from, to);
    list.front() = journal::entry(from, "fold");
    require((*appender)->append(list) == journal::Written::ok, "records are appended");
    made.entries.insert(made.entries.end(), list.begin(), list.end());
    if (checkpoint) (*appender)->checkpoint();
    if (from == 1) return;
    require((*appender)->permit_deletion(4).has_value(), "a compaction is announced");
    (*appender)->delete_some(4, 100);
    if (checkpoint) (*appender)->checkpoint();
  };
  live(1, 12, true);
  made.before = copy_of(dir);
  live(13, 20, true);
  live(21, 24, !in_wal);
  made.now = copy_of(dir);
  made.health = journal::check_journal(dir, {});
  require(made.health.trust == Trust::ok && made.health.last_seq == 24, "undamaged it is trusted");
  std::erase_if(made.entries, [&](const journal::Entry& old) { return old.seq <= made.health.start_seq; });
  return made;
}

/// One damage out of six bytes: what is done, where (three bytes), how much, with what.
void damage(std::string_view six, const std::string& old, std::string& bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(six[i]); };
  if (bytes.empty()) return;
  const std::size_t at = (byte(1) | byte(2) << 8U | byte(3) << 16U) % bytes.size();
  const std::size_t sector = at / 512 * 512;
  const std::size_t length = std::min<std::size_t>(512 * (1 + byte(4) % 16), bytes.size() - sector);
  switch (byte(0) / 2 % 6) {
    case 0:
      bytes[at] = static_cast<char>(byte(5));
      break;
    case 1:
      for (std::size_t i = at; i < std::min(at + byte(4) % 9, bytes.size()); ++i) bytes[i] = static_cast<char>(byte(5));
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.replace(sector, length, length, '\0');
      break;
    case 4:  // torn: some sectors are as they were
      bytes.replace(sector, length, std::string_view(old).substr(std::min(sector, old.size()), length));
      break;
    default:
      bytes = old;
  }
}

/// Either the anchor or the store: both at once can make a journal that is old and whole, which nothing can tell.
Copy damaged(const Made& made, std::string_view input) {
  Copy copy = made.now;
  const bool anchor = (static_cast<unsigned char>(input.front()) & 2U) != 0;
  for (input.remove_prefix(1); input.size() >= 6; input.remove_prefix(6)) {
    if (anchor) {
      damage(input, made.before.anchor, copy.anchor);
    } else if ((static_cast<unsigned char>(input.front()) & 1U) != 0) {
      damage(input, made.before.wal, copy.wal);
    } else {
      damage(input, made.before.db, copy.db);
    }
  }
  return copy;
}

void check_in_memory(const Made& made, const Copy& copy) {
  static MemoryFiles& files = MemoryFiles::install();
  static const journal::TempDir temp(scratch());
  files["/memory/journal.db"] = copy.db;
  files["/memory/journal.db-wal"] = copy.wal;
  files.crash();
  journal::AnchorReading anchor = made.health.anchor;
  if (copy.anchor != made.now.anchor) {
    put(temp.path() / "anchor", copy.anchor);
    anchor = journal::read_anchor(temp.path() / "anchor");
  }
  const Health health = journal::check_store("/memory/journal.db", journal::Access::read_only, anchor, {});
  if (health.trust != Trust::ok) return require(!health.reason.empty(), "distrust has a reason");
  require(health.last_seq == made.health.last_seq && health.last_hash == made.health.last_hash,
          "what is trusted ends where it ended");
  require(health.start_seq <= made.health.start_seq, "what is trusted begins where it began");
}

void check_on_disk(const Made& made, const Copy& copy) {
  const journal::TempDir temp(scratch());
  put(temp.path() / "journal.db", copy.db);
  put(temp.path() / "journal.db-wal", copy.wal);
  put(temp.path() / "anchor", copy.anchor);
  const Health health = journal::check_journal(temp.path(), {});
  require(!health.fresh, "a damaged journal is not taken for none");
  auto reader = journal::Reader::open(temp.path());
  if (health.trust != Trust::ok || !reader) return;
  std::vector<journal::Entry> found;
  const auto note = [&](const journal::EntryView& entry) {
    if (entry.seq >= made.entries.front().seq) found.push_back(journal::copy(entry));
    return true;
  };
  if (reader->read_all(1, note)) require(found == made.entries, "what is read was acknowledged, all of it");
  found.clear();
  if (!reader->read_newest_first(note)) return;
  std::ranges::reverse(found);
  require(found == made.entries, "from the newest backwards, too");
}

}  // namespace

void run(std::string_view input) {
  static const std::array<Made, 2> kMade{(MemoryFiles::install(), make(false)), make(true)};
  if (input.empty()) return;
  const Made& made = kMade[static_cast<unsigned char>(input.front()) & 1U];
  const Copy copy = damaged(made, input);
  check_in_memory(made, copy);
  // The way over real files is the same further down, and a hundred times slower.
  if (Chance(input).below(500) == 0) check_on_disk(made, copy);
}

}  // namespace homeostat::fuzz
