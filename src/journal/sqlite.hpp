// A thin hold on SQLite: a connection, a prepared statement, errors in words.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace homeostat::journal {

struct SqliteClose {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  explicit operator bool() const { return statement_ != nullptr; }

  void bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
  // The bytes must outlive the step: nothing is copied.
  void bind_text(int index, std::string_view text);
  void bind_blob(int index, std::string_view bytes);

  int step() { return sqlite3_step(statement_.get()); }
  void reset() { sqlite3_reset(statement_.get()); }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  /// Valid until the next step or reset.
  std::string_view bytes(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, SqliteClose> statement_;
};

class Db {
 public:
  /// `name` is a path, or a URI when `flags` hold SQLITE_OPEN_URI.
  static std::expected<Db, Error> open(const std::string& name, int flags);

  sqlite3* get() const { return db_.get(); }
  /// Runs statements that give no rows, or whose rows do not matter. Returns SQLite's result code.
  int run(const char* sql) { return sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); }
  std::expected<void, Error> exec(const char* sql);
  std::expected<Statement, Error> prepare(std::string_view sql);
  /// The first column of the first row.
  std::expected<std::int64_t, Error> number(std::string_view sql);
  /// The last error, with SQLite's extended code and the system's reason.
  std::string error() const;

 private:
  std::unique_ptr<sqlite3, SqliteClose> db_;
};

}  // namespace homeostat::journal
