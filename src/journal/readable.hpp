// Finds a way to read a store: as it is, or through a private copy where SQLite cannot make its shared index (a
// read-only disk, a foreign owner).
#pragma once

#include <expected>
#include <filesystem>

#include "core/error.hpp"
#include "journal/store.hpp"

namespace homeostat::journal {

class Readable {
 public:
  static std::expected<Readable, Error> find(const Paths& paths);

  Readable(Readable&& other) noexcept;
  Readable& operator=(Readable&&) = delete;
  ~Readable();

  std::expected<Db, Error> open() const { return open_store(file_, access_); }
  const std::filesystem::path& file() const { return file_; }
  Access access() const { return access_; }

 private:
  Readable(std::filesystem::path file, Access access) : file_(std::move(file)), access_(access) {}

  std::filesystem::path file_;
  Access access_;
  std::filesystem::path scratch_;  // removed with this object
};

/// True if the WAL may hold records that the main file lacks.
bool wal_in_use(const std::filesystem::path& wal);

}  // namespace homeostat::journal
