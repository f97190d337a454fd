#include "journal/sqlite.hpp"

#include <fmt/format.h>

#include <system_error>

namespace homeostat::journal {

void Statement::bind_text(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

std::string_view Statement::bytes(int column) const {
  // The value first, then its length: the other order may convert in between.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

std::expected<Db, Error> Db::open(const std::string& name, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Db db;
  db.db_.reset(raw);
  if (code != SQLITE_OK) return fail(fmt::format("cannot open {}: {}", name, db.error()));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5'000);
  return db;
}

std::expected<void, Error> Db::exec(const char* sql) {
  if (run(sql) != SQLITE_OK) return fail(error());
  return {};
}

std::expected<Statement, Error> Db::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return fail(error());
  return Statement(raw);
}

std::expected<std::int64_t, Error> Db::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  if (statement->step() != SQLITE_ROW) return fail(error());
  return statement->integer(0);
}

std::string Db::error() const {
  if (!db_) return "out of memory";
  const int system = sqlite3_system_errno(db_.get());
  std::string text = fmt::format("{} (SQLite {})", sqlite3_errmsg(db_.get()), sqlite3_extended_errcode(db_.get()));
  if (system != 0) text += fmt::format(", {}", std::generic_category().message(system));
  return text;
}

}  // namespace homeostat::journal
