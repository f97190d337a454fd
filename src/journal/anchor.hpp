// The anchor: where the journal ended when the last record was acknowledged, kept outside of SQLite, which does not
// notice that its own tail is gone.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "journal/chain.hpp"
#include "os/fd.hpp"

namespace homeostat::journal {

struct Anchor {
  std::uint64_t writes = 0;  // counts every write of the file: the higher one of two slots is the newer
  std::uint64_t seq = 0;     // the last acknowledged record and its hash
  Hash hash = kGenesis;
  std::uint64_t epoch = 0;
  std::uint64_t start_seq = 0;  // compaction may have deleted up to here, and no further
  Hash start_hash = kGenesis;

  friend bool operator==(const Anchor&, const Anchor&) = default;
};

struct AnchorReading {
  bool exists = false;
  int bad_slots = 0;  // of two
  std::optional<Anchor> newest;
};

AnchorReading read_anchor(const std::filesystem::path& file);

/// The open anchor file. Slots are written in turn, so that a torn write leaves the one before.
class AnchorFile {
 public:
  static std::expected<AnchorFile, Error> open(const std::filesystem::path& file);

  /// Writes the older slot; it survives a crash of the program at once, one of the machine after `sync`.
  std::expected<void, Error> write(Anchor anchor);
  /// Writes both slots and syncs: for changes after which the other slot would contradict the journal.
  std::expected<void, Error> write_both(const Anchor& anchor);
  std::expected<void, Error> sync();
  const Anchor& value() const { return value_; }

 private:
  std::filesystem::path path_;
  os::Fd fd_;
  Anchor value_;
};

}  // namespace homeostat::journal
