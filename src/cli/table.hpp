// Text for people: aligned tables, colours, times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"

namespace homeostat::cli {

namespace json = boost::json;

enum class Color { none, green, yellow, red, dim, bold };

/// `text` in a colour, when `on`.
std::string paint(std::string_view text, Color color, bool on);
/// The colour of a status.
Color color_of(std::string_view status);

class Table {
 public:
  struct Cell {
    std::string text;
    Color color = Color::none;
  };
  explicit Table(std::vector<std::string> head);
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  /// The whole, each line ended; the last column is not padded.
  std::string text(bool color, std::size_t indent = 0) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// Members of the API's objects; a missing or null one gives `fallback`.
std::string text_at(const json::object& object, std::string_view key, std::string_view fallback = "-");
std::int64_t number_at(const json::object& object, std::string_view key, std::int64_t fallback = 0);
bool flag_at(const json::object& object, std::string_view key);
const json::array& list_at(const json::object& object, std::string_view key);
/// Null when it is absent or null.
const json::object* object_at(const json::object& object, std::string_view key);

/// A time of the API as local wall time: "2026-11-22 08:34:09.123"; `brief` leaves out today's date.
std::string time_at(const json::object& object, std::string_view key, bool brief = false);
/// Milliseconds as "2.1s".
std::string span_at(const json::object& object, std::string_view key, std::string_view fallback = "-");
/// Text with commas between: ["a", "b"] -> "a, b".
std::string join(const json::array& list, std::string_view fallback = "");

}  // namespace homeostat::cli
