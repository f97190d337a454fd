// journal.db: its schema, how it is created and opened, its meta row.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "core/error.hpp"
#include "journal/chain.hpp"
#include "journal/sqlite.hpp"

namespace homeostat::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kMaxTypeBytes = 64;
inline constexpr std::size_t kMaxPayloadBytes = 64U << 20;

/// The files of one state directory.
struct Paths {
  explicit Paths(const std::filesystem::path& dir);
  std::filesystem::path dir, db, wal, shm, anchor, lock, reserve, fresh_db, fresh_anchor, accepted_db;
};

/// What the store says about itself; one row, guarded by a hash of its own.
struct Meta {
  std::uint64_t epoch = 0;
  std::uint64_t start_seq = 0;  // the last deleted record and its hash: where the chain starts
  Hash start_hash = kGenesis;
};

/// Creates an empty store that continues after `meta.start_seq`, closed and synced, at `file`.
std::expected<void, Error> create_store(const std::filesystem::path& file, const Meta& meta);

enum class Access { read_only, read_write, without_wal };

/// Opens a connection with our settings; reads nothing yet. `without_wal` sees the main file alone.
std::expected<Db, Error> open_store(const std::filesystem::path& file, Access access);

/// What stops a build from reading the store at all: newer format (`newer`), or not ours, or a changed schema.
struct FormatProblem {
  bool newer = false;
  std::string reason{};  // empty: none
};
FormatProblem check_format(Db& db);

std::expected<Meta, Error> read_meta(Db& db);
std::expected<void, Error> write_meta(Db& db, const Meta& meta);

inline constexpr std::string_view kEntryColumns = "seq,type,version,critical,at,wall,generation,payload,hash";
/// Reads a row of kEntryColumns. False: a value that this program would never have written.
bool read_row(const Statement& row, EntryView& entry, Hash& hash);
/// Adds one record to the open transaction. Returns SQLite's result code.
int insert_row(Statement& insert, const EntryView& entry, const Hash& hash);
inline constexpr std::string_view kInsert = "INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?)";

}  // namespace homeostat::journal
