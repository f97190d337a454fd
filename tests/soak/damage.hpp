// Journals of different age, generated damage to their files, and a judge of what became of it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "journal/entry.hpp"

namespace homeostat::soak {

using Random = std::mt19937_64;
inline std::uint64_t below(Random& random, std::uint64_t limit) { return limit == 0 ? 0 : random() % limit; }

/// How old a journal is, and what its files look like.
enum class Age {
  young,       // a few records, all of them in the WAL
  copied,      // all in the main file; the WAL holds old frames that may be overwritten
  mixed,       // a few lives with and without copying back: some here, some there
  compacted,   // a fold, and what was before it deleted, or only announced to be
  long_lived,  // thousands of records
};
std::string_view name(Age age);

/// A journal, all of whose records were acknowledged, and copies of its files at earlier ages.
struct AgedJournal {
  Age age = Age::young;
  std::filesystem::path now;
  std::vector<std::filesystem::path> before;
  std::vector<journal::Entry> entries;  // what must be read back
};

AgedJournal make_journal(Age age, const std::filesystem::path& dir, Random& random);
void copy_files(const std::filesystem::path& from, const std::filesystem::path& to);
/// Damages the copy in `dir` in one random way, and says which ("bit flip: anchor").
std::string damage(const AgedJournal& journal, const std::filesystem::path& dir, Random& random);

enum class Verdict { harmless, detected, silent };
inline constexpr std::size_t kVerdicts = 3;

/// Silent means a defect: something acknowledged is gone or different, and nothing said so. `use` also writes to a
/// journal that looks good and looks again.
Verdict judge(const std::filesystem::path& dir, std::vector<journal::Entry> acknowledged, bool use);

using Counts = std::array<std::uint64_t, kVerdicts>;
struct DamageReport {
  std::map<std::string, Counts> by_kind;
  std::map<Age, Counts> by_age;
  std::string silent;  // the first silent one, and how to see it again; also a journal that could not be made

  Counts total() const;
};
std::ostream& operator<<(std::ostream& out, const DamageReport& report);

/// Journal number n is made from `seed` + n and damaged a hundred times. `progress` is told how many are done. Ends
/// early at the first silent one.
DamageReport run_damages(std::uint64_t seed, std::uint64_t count,
                         const std::function<void(std::uint64_t)>& progress = {});

}  // namespace homeostat::soak
