#include "damage.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "journal/appender.hpp"
#include "journal/files.hpp"
#include "journal/testing.hpp"

namespace homeostat::soak {
namespace {

using namespace journal;
namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kFiles = {"journal.db", "journal.db-wal", "anchor"};
constexpr std::array<Age, 5> kAges = {Age::young, Age::copied, Age::mixed, Age::compacted, Age::long_lived};
constexpr std::uint64_t kOfEach = 100;
constexpr std::size_t kSector = 512;
constexpr std::size_t kMostBytes = 64U << 20;

// Memory, where there is some: nothing here needs a disk that keeps its promises.
fs::path quick_place() { return fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path(); }

/// One life of a journal after the other.
class Maker {
 public:
  Maker(AgedJournal& made, fs::path dir, Random& random) : made_(made), dir_(std::move(dir)), random_(random) {}

  /// Opens it again, as a start of the daemon does; its files as they are now become one of its earlier ages.
  bool live() {
    appender_.reset();
    keep_copy();
    // With and without a prepared WAL: zeros behind the frames.
    const std::int64_t wal_bytes = below(random_, 3) == 0 ? 1 << 17 : 0;
    auto opened = Appender::open(Paths(made_.now), check_journal(made_.now, {}), wal_bytes);
    if (opened) appender_ = std::move(*opened);
    return opened.has_value();
  }
  bool append(std::uint64_t count, const char* last_type = nullptr) {
    const std::uint64_t from = appender_->last_seq() + 1;
    auto list = entries(from, from + count - 1);
    if (last_type != nullptr) list.back() = entry(list.back().seq, last_type);
    if (appender_->append(list) != Written::ok) return false;
    made_.entries.insert(made_.entries.end(), list.begin(), list.end());
    return true;
  }
  bool some_batches(std::uint64_t most) {
    for (std::uint64_t batch = 1 + below(random_, most); batch > 0; --batch) {
      if (!append(1 + below(random_, 20))) return false;
      if (below(random_, 4) == 0) keep_copy();
    }
    return true;
  }
  bool copy_back() { return appender_->checkpoint() == Written::ok; }
  /// Sometimes it is only announced, or has only begun, as by a crash in between.
  bool compact() {
    if (!append(1, "fold")) return false;
    const std::uint64_t oldest = std::max(appender_->start_seq(), permitted_) + 1;
    const std::uint64_t upto = oldest + below(random_, appender_->last_seq() - oldest);
    permitted_ = upto;
    keep_copy();
    if (!appender_->permit_deletion(upto)) return false;
    if (below(random_, 4) != 0 && appender_->delete_some(upto, 1 + below(random_, 200)) != Written::ok) return false;
    std::erase_if(made_.entries, [&](const Entry& old) { return old.seq <= appender_->start_seq(); });
    return true;
  }

 private:
  void keep_copy() {
    made_.before.push_back(dir_ / fmt::format("before-{}", made_.before.size()));
    copy_files(made_.now, made_.before.back());
  }

  AgedJournal& made_;
  fs::path dir_;
  Random& random_;
  std::unique_ptr<Appender> appender_;
  std::uint64_t permitted_ = 0;  // to be deleted; what was once announced is never taken back
};

bool grow(Maker& maker, Age age, Random& random) {
  if (!maker.live() || !maker.some_batches(3)) return false;
  switch (age) {
    case Age::young:
      return maker.append(1 + below(random, 20));
    case Age::copied:
      return maker.live() && maker.some_batches(6) && maker.copy_back();
    case Age::mixed:
      for (std::uint64_t lives = 1 + below(random, 4); lives > 0; --lives) {
        if (!maker.live() || !maker.some_batches(8)) return false;
        if (below(random, 3) == 0 && !maker.copy_back()) return false;
      }
      return maker.append(1);
    case Age::compacted:
      if (!maker.append(100) || !maker.compact()) return false;
      if (below(random, 2) == 0 && !maker.copy_back()) return false;
      return maker.live() && maker.some_batches(4) && (below(random, 3) != 0 || maker.compact());
    case Age::long_lived:
      for (int life = 0; life < 3; ++life) {
        if (!maker.live() || !maker.append(1'000) || !maker.some_batches(4)) return false;
        if (life == 1 && !maker.copy_back()) return false;
      }
      return below(random, 2) == 0 || maker.compact();
  }
  return false;
}

bool replace(const fs::path& path, std::string_view bytes) {
  fs::remove(path);
  const auto fd = open_file(path, O_RDWR | O_CREAT);
  return fd && write_at(fd->get(), bytes, 0, path);
}

/// Read back from `first` on: a lost deletion brings old records back, which does no harm, as they are still part of
/// the chain.
bool read_from(const fs::path& dir, std::uint64_t first, std::vector<Entry>& list) {
  auto reader = Reader::open(dir);
  return reader && reader->read_all(1, [&](const EntryView& record) {
    if (record.seq >= first) list.push_back(copy(record));
    return true;
  });
}

/// Some sectors of a write never reached the disk: they are as they were.
void tear(std::string& bytes, const std::string& old, Random& random) {
  const std::size_t sectors = bytes.size() / kSector + 1;
  const std::size_t at = below(random, sectors) * kSector;
  const std::size_t end = at + kSector * (1 + below(random, 16));
  for (std::size_t i = at; i < std::min({end, bytes.size(), old.size()}); ++i) bytes[i] = old[i];
}

void zero(std::string& bytes, Random& random) {
  const std::size_t at = below(random, bytes.size() / kSector + 1) * kSector;
  for (std::size_t i = at; i < std::min(at + kSector, bytes.size()); ++i) bytes[i] = '\0';
}

void flip(std::string& bytes, Random& random) {
  for (std::uint64_t flips = 1 + below(random, 3); flips > 0 && !bytes.empty(); --flips) {
    bytes[below(random, bytes.size())] ^= static_cast<char>(1U << below(random, 8));
  }
}

}  // namespace

std::string_view name(Age age) {
  switch (age) {
    case Age::young:
      return "young, in the WAL";
    case Age::copied:
      return "copied back";
    case Age::mixed:
      return "several lives";
    case Age::compacted:
      return "compacted";
    case Age::long_lived:
      return "long, 3,000 records";
  }
  return "";
}

AgedJournal make_journal(Age age, const fs::path& dir, Random& random) {
  AgedJournal made{.age = age, .now = dir / "now", .before = {}, .entries = {}};
  {
    auto first = Journal::open(made.now, small());
  }
  Maker maker(made, dir, random);
  if (!grow(maker, age, random)) made.entries.clear();
  return made;
}

void copy_files(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto file : kFiles) {
    std::error_code missing;
    fs::remove(to / file, missing);
    fs::copy_file(from / file, to / file, missing);
  }
}

std::string damage(const AgedJournal& journal, const fs::path& dir, Random& random) {
  const std::string file(kFiles[below(random, kFiles.size())]);
  const auto& old = journal.before[below(random, journal.before.size())];
  std::string bytes = read_file(dir / file, kMostBytes).value_or("");
  const std::string old_bytes = read_file(old / file, kMostBytes).value_or("");
  std::string what;
  switch (below(random, 8)) {
    case 0:
      what = "older copy";
      bytes = old_bytes;
      break;
    case 1:
      // A backup of the two that SQLite knows of; only the anchor can tell.
      for (const auto both : {"journal.db", "journal.db-wal"}) {
        if (!replace(dir / both, read_file(old / both, kMostBytes).value_or(""))) return {};
      }
      return "older copy: journal.db and journal.db-wal";
    case 2:
      what = "truncation";
      bytes.resize(below(random, bytes.size()));
      break;
    case 3:
      what = "zeroed sector";
      zero(bytes, random);
      break;
    case 4:
      what = "torn write";
      tear(bytes, old_bytes, random);
      break;
    case 5:
      fs::remove(dir / file);
      return "missing file: " + file;
    default:
      what = "bit flip";
      flip(bytes, random);
  }
  return replace(dir / file, bytes) ? what + ": " + file : std::string();
}

Verdict judge(const fs::path& dir, std::vector<Entry> acknowledged, bool use) {
  const std::uint64_t first = acknowledged.empty() ? 1 : acknowledged.front().seq;
  const Health health = check_journal(dir, {});
  if (health.trust != Trust::ok) return Verdict::detected;
  if (health.fresh) return acknowledged.empty() ? Verdict::harmless : Verdict::silent;
  std::vector<Entry> found;
  if (!read_from(dir, first, found)) return Verdict::detected;
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
  if (check_journal(dir, {}).trust != Trust::ok || !read_from(dir, first, found)) return Verdict::detected;
  return found == acknowledged ? Verdict::harmless : Verdict::silent;
}

Counts DamageReport::total() const {
  Counts sum{};
  for (const auto& [age, counts] : by_age) {
    for (std::size_t i = 0; i < kVerdicts; ++i) sum[i] += counts[i];
  }
  return sum;
}

std::ostream& operator<<(std::ostream& out, const DamageReport& report) {
  const auto row = [&](std::string_view what, const Counts& counts) {
    out << fmt::format("{:<42} {:>10} {:>10} {:>10}\n", what, counts[0], counts[1], counts[2]);
  };
  out << fmt::format("{:<42} {:>10} {:>10} {:>10}\n", "damage", "harmless", "detected", "silent");
  for (const auto& [kind, counts] : report.by_kind) row(kind, counts);
  out << fmt::format("\n{:<42} {:>10} {:>10} {:>10}\n", "journal", "harmless", "detected", "silent");
  for (const auto& [age, counts] : report.by_age) row(name(age), counts);
  row("all", report.total());
  return out;
}

DamageReport run_damages(std::uint64_t seed, std::uint64_t count, const std::function<void(std::uint64_t)>& progress) {
  DamageReport report;
  for (std::uint64_t done = 0; done < count; ++seed) {
    Random random(seed);
    const TempDir dir(quick_place());
    const AgedJournal journal = make_journal(kAges[seed % kAges.size()], dir.path(), random);
    if (journal.entries.empty() || judge(journal.now, journal.entries, false) != Verdict::harmless) {
      report.silent = fmt::format("the journal of seed {} is not sound before any damage", seed);
      return report;
    }
    for (std::uint64_t i = 0; i < kOfEach && done < count; ++i, ++done) {
      const fs::path copy = dir.path() / "copy";
      fs::remove_all(copy);
      copy_files(journal.now, copy);
      const std::string kind = damage(journal, copy, random);
      const Verdict verdict = kind.empty() ? Verdict::silent : judge(copy, journal.entries, i % 4 == 0);
      ++report.by_kind[kind][static_cast<std::size_t>(verdict)];
      ++report.by_age[journal.age][static_cast<std::size_t>(verdict)];
      if (verdict != Verdict::silent) continue;
      report.silent = fmt::format("{} in the {} journal of seed {}: --seed {} --count {}", kind, name(journal.age),
                                  seed, seed, i + 1);
      return report;
    }
    if (progress) progress(done);
  }
  return report;
}

}  // namespace homeostat::soak
