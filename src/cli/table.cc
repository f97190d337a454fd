#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "api/clock.hpp"

namespace homeostat::cli {
namespace {

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

const json::value* find(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::tm local(std::time_t seconds) {
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::string paint(std::string_view text, Color color, bool on) {
  if (!on || color == Color::none) return std::string(text);
  static constexpr std::array<std::string_view, 6> kCodes{"", "32", "33", "31", "2", "1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(color)], text);
}

Color color_of(std::string_view status) {
  if (status == "healthy") return Color::green;
  if (status == "degraded") return Color::yellow;
  if (status == "unhealthy" || status == "critical") return Color::red;
  return Color::dim;
}

Table::Table(std::vector<std::string> head) {
  std::vector<Cell> row;
  for (std::string& title : head) row.push_back({std::move(title), Color::bold});
  rows_.push_back(std::move(row));
}

std::string Table::text(bool color, std::size_t indent) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], columns(row[i].text));
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    out.append(indent, ' ');
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      out += paint(row[i].text, row[i].color, color);
      if (i + 1 < row.size()) out.append(widths[i] - columns(row[i].text) + 2, ' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  }
  return out;
}

std::string text_at(const json::object& object, std::string_view key, std::string_view fallback) {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) return json::serialize(*value);
  return value->get_string().empty() ? std::string(fallback) : std::string(value->get_string());
}

std::int64_t number_at(const json::object& object, std::string_view key, std::int64_t fallback) {
  const json::value* value = find(object, key);
  if (value == nullptr) return fallback;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? fallback : number;
}

bool flag_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::array& list_at(const json::object& object, std::string_view key) {
  static const json::array kEmpty;
  const json::value* value = find(object, key);
  return value != nullptr && value->is_array() ? value->get_array() : kEmpty;
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

std::string time_at(const json::object& object, std::string_view key, bool brief) {
  const auto wall = api::parse_iso_time(text_at(object, key));
  if (!wall) return "-";
  const std::tm at = local(*wall / 1'000'000'000);
  const std::tm now = local(std::time(nullptr));
  const bool today = at.tm_year == now.tm_year && at.tm_yday == now.tm_yday;
  const std::string date =
      brief && today ? "" : fmt::format("{:04}-{:02}-{:02} ", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday);
  return fmt::format("{}{:02}:{:02}:{:02}.{:03}", date, at.tm_hour, at.tm_min, at.tm_sec, *wall / 1'000'000 % 1000);
}

std::string span_at(const json::object& object, std::string_view key, std::string_view fallback) {
  if (find(object, key) == nullptr) return std::string(fallback);
  return api::in_words(std::chrono::milliseconds(number_at(object, key)));
}

std::string join(const json::array& list, std::string_view fallback) {
  std::string out;
  for (const json::value& item : list) {
    const std::string text = item.is_string() ? std::string(item.get_string()) : json::serialize(item);
    out += (out.empty() ? "" : ", ") + text;
  }
  return out.empty() ? std::string(fallback) : out;
}

}  // namespace homeostat::cli
