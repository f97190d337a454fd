#include "journal/readable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <utility>

#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

// SQLite asks for a writable place for journal.db-shm even when it only reads.
bool needs_private_copy(const Paths& paths) {
  auto db = open_store(paths.db, Access::read_only);
  if (!db) return false;
  if (db->run("SELECT count(*) FROM sqlite_schema") == SQLITE_OK) return false;
  const int code = sqlite3_errcode(db->get());
  return code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
}

}  // namespace

bool wal_in_use(const std::filesystem::path& wal) {
  // A WAL that was only prepared is all zeros; one that was written starts with SQLite's magic number.
  auto fd = open_file(wal, O_RDONLY);
  std::array<char, 4> magic{};
  return fd && ::pread(fd->get(), magic.data(), magic.size(), 0) == 4 && magic != std::array<char, 4>{};
}

std::expected<Readable, Error> Readable::find(const Paths& paths) {
  if (::access(paths.db.c_str(), R_OK) != 0) return fail_errno("cannot read", paths.db);
  if (!needs_private_copy(paths)) return Readable(paths.db, Access::read_only);
  if (!wal_in_use(paths.wal)) return Readable(paths.db, Access::without_wal);
  std::error_code bad;
  std::string scratch = (std::filesystem::temp_directory_path(bad) / "homeostat-journal-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) return fail_errno("cannot create", scratch);
  Readable copy(std::filesystem::path(scratch) / paths.db.filename(), Access::read_only);
  copy.scratch_ = scratch;
  std::filesystem::copy_file(paths.db, copy.file_, bad);
  if (!bad) std::filesystem::copy_file(paths.wal, copy.file_.string() + "-wal", bad);
  if (bad) return fail(fmt::format("cannot copy {} to {}: {}", paths.db.string(), scratch, bad.message()));
  return copy;
}

Readable::Readable(Readable&& other) noexcept
    : file_(std::move(other.file_)), access_(other.access_), scratch_(std::exchange(other.scratch_, {})) {}

Readable::~Readable() {
  std::error_code ignored;
  if (!scratch_.empty()) std::filesystem::remove_all(scratch_, ignored);
}

}  // namespace homeostat::journal
