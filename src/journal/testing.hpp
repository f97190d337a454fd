// What the tests of this room share: a temporary directory, records, waiting for durability, reading back.
#pragma once

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "journal/reader.hpp"

namespace homeostat::journal {

class TempDir {
 public:
  /// Under `base`, or where the system keeps temporary files.
  explicit TempDir(const std::filesystem::path& base = std::filesystem::temp_directory_path()) {
    std::string name = (base / "journal-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Little of everything, so that small journals have many interesting bytes.
inline Options small() {
  Options options;
  options.wal_bytes = 0;
  options.reserve_bytes = 64 << 10;
  return options;
}

inline Entry entry(std::uint64_t seq, std::string type = "transition") {
  return {.seq = seq,
          .type = std::move(type),
          .version = 1 + static_cast<std::uint32_t>(seq % 3),
          .critical = seq % 5 == 0,
          .at = Instant(std::chrono::seconds(seq)),
          .wall_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(seq),
          .generation = seq / 50,
          .payload = "{\"n\":" + std::to_string(seq) + ",\"text\":\"" + std::string(seq % 97, 'x') + "\"}"};
}

inline std::vector<Entry> entries(std::uint64_t from, std::uint64_t to) {
  std::vector<Entry> list;
  for (std::uint64_t seq = from; seq <= to; ++seq) list.push_back(entry(seq));
  return list;
}

/// Waits on the journal's own descriptor; false: failed, or it took longer than anything reasonable.
inline bool wait_durable(Journal& journal, std::uint64_t seq) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (journal.durable_seq() < seq) {
    if (journal.state() == State::failed || std::chrono::steady_clock::now() > deadline) return false;
    pollfd wait{.fd = journal.durable_fd(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, 1'000);
    std::uint64_t count = 0;
    if (::read(wait.fd, &count, sizeof count) < 0 && errno != EAGAIN) return false;
  }
  return true;
}

inline std::vector<Entry> read_back(const std::filesystem::path& dir) {
  std::vector<Entry> list;
  auto reader = Reader::open(dir);
  if (!reader) return list;
  const auto done = reader->read_all(1, [&](const EntryView& entry) {
    list.push_back(copy(entry));
    return true;
  });
  if (!done) list.clear();
  return list;
}

}  // namespace homeostat::journal
