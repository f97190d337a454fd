// For tests: journals of different age, generated damage, and a judge of what became of it.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "journal/appender.hpp"
#include "journal/files.hpp"
#include "journal/testing.hpp"

namespace homeostat::journal {

using Random = std::mt19937_64;
inline constexpr std::array<std::string_view, 3> kJournalFiles = {"journal.db", "journal.db-wal", "anchor"};

inline std::uint64_t below(Random& random, std::uint64_t limit) { return limit == 0 ? 0 : random() % limit; }

/// A journal, all of whose records were acknowledged, and copies of its files at earlier ages.
struct AgedJournal {
  std::filesystem::path now;
  std::vector<std::filesystem::path> before;
  std::vector<Entry> entries;  // what must be read back
};

inline void copy_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::create_directories(to);
  for (const auto file : kJournalFiles) {
    std::error_code missing;
    std::filesystem::remove(to / file, missing);
    std::filesystem::copy_file(from / file, to / file, missing);
  }
}

/// A few lives of a journal under `dir`: appends of all sizes, checkpoints, compactions, restarts.
inline AgedJournal make_aged_journal(const std::filesystem::path& dir, Random& random) {
  AgedJournal made{.now = dir / "now", .before = {}, .entries = {}};
  {
    auto first = Journal::open(made.now, small());
  }
  const std::uint64_t lives = 2 + below(random, 4);
  for (std::uint64_t life = 0; life < lives; ++life) {
    // With and without a prepared WAL: zeros behind the frames.
    const std::int64_t wal_bytes = below(random, 3) == 0 ? 1 << 17 : 0;
    auto appender = Appender::open(Paths(made.now), check_journal(made.now, {}), wal_bytes);
    if (!appender) return made;
    for (std::uint64_t batch = 1 + below(random, 8); batch > 0; --batch) {
      const std::uint64_t from = (*appender)->last_seq() + 1;
      auto list = entries(from, from + below(random, 20));
      if (below(random, 6) == 0) list.back() = entry(list.back().seq, "fold");
      if ((*appender)->append(list) != Written::ok) return made;
      made.entries.insert(made.entries.end(), list.begin(), list.end());
      if (below(random, 5) == 0) (*appender)->checkpoint();
    }
    const std::uint64_t last = (*appender)->last_seq();
    if (below(random, 4) == 0) {
      const std::uint64_t upto = last - 1 - below(random, last / 2);
      // Sometimes it is only announced, as by a crash in between.
      if ((*appender)->permit_deletion(upto) && below(random, 3) != 0)
        (*appender)->delete_some(upto, 1 + below(random, 60));
      std::erase_if(made.entries, [&](const Entry& old) { return old.seq <= (*appender)->start_seq(); });
    }
    appender->reset();
    if (life + 1 == lives) break;
    made.before.push_back(dir / ("before-" + std::to_string(life)));
    copy_files(made.now, made.before.back());
  }
  return made;
}

/// Damages the copy in `dir` in one random way, and says which ("bit flip in anchor").
inline std::string damage(const AgedJournal& journal, const std::filesystem::path& dir, Random& random) {
  const std::string file(kJournalFiles[below(random, kJournalFiles.size())]);
  const auto path = dir / file;
  const auto& old = journal.before[below(random, journal.before.size())];
  const std::string bytes = read_file(path, 64U << 20).value_or("");
  const std::string old_bytes = read_file(old / file, 64U << 20).value_or("");
  std::string changed = bytes;
  std::string what;
  switch (below(random, 7)) {
    case 0:
      what = "older copy";
      changed = old_bytes;
      break;
    case 1:
      what = "truncation";
      changed.resize(below(random, bytes.size()));
      break;
    case 2: {
      what = "zeroed sector";
      const std::size_t at = below(random, bytes.size() / 512 + 1) * 512;
      for (std::size_t i = at; i < std::min(at + 512, changed.size()); ++i) changed[i] = '\0';
      break;
    }
    case 3: {
      // Some sectors of a write never reached the disk: they are as they were.
      what = "torn write";
      const std::size_t at = below(random, bytes.size() / 512 + 1) * 512;
      const std::size_t upto = std::min(at + 512 * (1 + below(random, 16)), std::min(changed.size(), old_bytes.size()));
      for (std::size_t i = at; i < upto; ++i) changed[i] = old_bytes[i];
      break;
    }
    case 4:
      what = "missing file";
      std::filesystem::remove(path);
      return what + ": " + file;
    default:
      what = "bit flip";
      for (std::uint64_t flips = 1 + below(random, 3); flips > 0 && !changed.empty(); --flips) {
        changed[below(random, changed.size())] ^= static_cast<char>(1U << below(random, 8));
      }
  }
  std::filesystem::remove(path);
  auto fd = open_file(path, O_RDWR | O_CREAT);
  if (!fd || !write_at(fd->get(), changed, 0, path)) return "could not damage";
  return what + ": " + file;
}

enum class Verdict { harmless, detected, silent };

/// Silent means a defect: something acknowledged is gone or different, and nothing said so. `use` also writes to a
/// journal that looks good and looks again.
inline Verdict judge(const std::filesystem::path& dir, std::vector<Entry> acknowledged, bool use) {
  const std::uint64_t first = acknowledged.empty() ? 1 : acknowledged.front().seq;
  // A lost deletion brings old records back: no harm, as they are still part of the chain.
  const auto read = [&](std::vector<Entry>& list) {
    auto reader = Reader::open(dir);
    return reader && reader->read_all(1, [&](const EntryView& record) {
      if (record.seq >= first) list.push_back(copy(record));
      return true;
    });
  };
  const Health health = check_journal(dir, {});
  if (health.trust != Trust::ok) return Verdict::detected;
  if (health.fresh) return acknowledged.empty() ? Verdict::harmless : Verdict::silent;
  std::vector<Entry> found;
  if (!read(found)) return Verdict::detected;
  if (found != acknowledged) return Verdict::silent;
  if (!use) return Verdict::harmless;
  {
    auto journal = Journal::open(dir, small());
    if (!journal || (*journal)->state() == State::untrusted) return Verdict::detected;
    acknowledged.push_back(entry((*journal)->health().last_seq + 1));
    if (!(*journal)->append({acknowledged.back()}) || !wait_durable(**journal, acknowledged.back().seq)) {
      return Verdict::detected;
    }
  }
  found.clear();
  if (check_journal(dir, {}).trust != Trust::ok || !read(found)) return Verdict::detected;
  return found == acknowledged ? Verdict::harmless : Verdict::silent;
}

}  // namespace homeostat::journal
