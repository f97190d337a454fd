#include "traffic/haproxy_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/text.hpp"

namespace homeostat::traffic {
namespace {

/// What is shown of an answer that was not expected.
std::string head_of(std::string_view answer) {
  std::string head = printable(answer, 80);
  while (head.ends_with(' ')) head.pop_back();
  return head;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

/// The fields of one line. A field may stand in quotes, with "" for a quote in it.
std::vector<std::string> fields_of(std::string_view line, char between) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == between && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The columns by name, and one line of them at a time.
class Table {
 public:
  explicit Table(std::string_view names, char between = ',') : between_(between) {
    for (const std::string& name : fields_of(names, between)) columns_.emplace(name, columns_.size());
  }
  bool has(const std::string& name) const { return columns_.contains(name); }
  void line(std::string_view text) { fields_ = fields_of(text, between_); }

  std::string text(const std::string& name) const {
    const auto column = columns_.find(name);
    return column == columns_.end() || column->second >= fields_.size() ? std::string() : fields_[column->second];
  }
  /// An empty field counts nothing.
  std::uint64_t count(const std::string& name) const { return number<std::uint64_t>(text(name)).value_or(0); }

 private:
  char between_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> fields_;
};

ServerStat server_of(const Table& table) {
  ServerStat server;
  server.server = table.text("svname");
  server.status = table.text("status");
  server.weight = number<int>(table.text("weight")).value_or(0);
  server.sessions = table.count("scur");
  server.requests = table.text("mode") == "tcp" || !table.has("req_tot") ? table.count("stot") : 0;
  const std::uint64_t answers = table.count("hrsp_1xx") + table.count("hrsp_2xx") + table.count("hrsp_3xx") +
                                table.count("hrsp_4xx") + table.count("hrsp_5xx") + table.count("hrsp_other");
  server.requests = std::max(server.requests, answers);
  server.answers_5xx = table.count("hrsp_5xx");
  server.connect_errors = table.count("econ");
  server.response_errors = table.count("eresp");
  if (answers > 0) server.response_ms = number<std::uint64_t>(table.text("rtime"));
  return server;
}

constexpr std::string_view kItself = "BACKEND";

/// Gives each line of the backend and of its servers to `take`. An error when it is no such answer, when one of the
/// columns is not there, or when there is no such backend.
template <class Take>
std::expected<void, Error> each_line(std::string_view answer, std::string_view backend,
                                     std::span<const std::string> columns, Take take) {
  if (answer.starts_with("No such proxy")) return fail(fmt::format("HAProxy has no backend `{}`", backend));
  if (!answer.starts_with("# pxname,svname,")) {
    return fail(fmt::format("HAProxy did not answer `show stat` with its table but with `{}`", head_of(answer)));
  }
  answer.remove_prefix(2);
  Table table(take_until(answer, '\n'));
  for (const std::string& needed : columns) {
    if (!table.has(needed)) return fail(fmt::format("HAProxy's table has no column `{}`", needed));
  }
  bool found = false;
  while (!answer.empty()) {
    const std::string_view line = take_until(answer, '\n');
    if (line.empty()) continue;
    table.line(line);
    if (table.text("pxname") != backend) continue;
    const std::string server = table.text("svname");
    if (server.empty() || server == "FRONTEND") continue;
    found = found || server == kItself;
    take(std::as_const(table));
  }
  if (!found) return fail(fmt::format("HAProxy has no backend `{}`", backend));
  return {};
}

}  // namespace

std::expected<std::vector<ServerStat>, Error> read_stat(std::string_view answer, std::string_view backend) {
  static const std::vector<std::string> kNeeded{"status", "weight", "scur", "stot", "hrsp_5xx"};
  std::vector<ServerStat> servers;
  const auto read = each_line(answer, backend, kNeeded, [&](const Table& line) {
    if (line.text("svname") != kItself) servers.push_back(server_of(line));
  });
  if (!read) return std::unexpected(read.error());
  return servers;
}

std::expected<std::vector<StatLine>, Error> read_columns(std::string_view answer, std::string_view backend,
                                                         std::span<const std::string> columns) {
  std::vector<StatLine> lines;
  const auto read = each_line(answer, backend, columns, [&](const Table& line) {
    const std::string server = line.text("svname");
    lines.push_back({server == kItself ? std::string() : server, {}});
    for (const std::string& column : columns) lines.back().values.push_back(line.text(column));
  });
  if (!read) return std::unexpected(read.error());
  return lines;
}

std::expected<std::vector<ServerSetting>, Error> read_settings(std::string_view answer, std::string_view backend) {
  if (answer.starts_with("Can't find backend")) return {};
  const std::size_t names = answer.find("# be_id be_name ");
  if (names == std::string_view::npos) {
    return fail(fmt::format("HAProxy did not answer `show servers state` but `{}`", head_of(answer)));
  }
  answer.remove_prefix(names + 2);
  Table table(take_until(answer, '\n'), ' ');
  for (const char* needed : {"srv_name", "srv_op_state", "srv_admin_state", "srv_uweight"}) {
    if (!table.has(needed)) return fail(fmt::format("HAProxy's table has no column `{}`", needed));
  }
  constexpr std::uint64_t kMaintained = 0x01;
  constexpr std::uint64_t kDisabled = 0x04;
  constexpr std::uint64_t kDrained = 0x08;
  constexpr std::uint64_t kRunning = 2;
  std::vector<ServerSetting> servers;
  while (!answer.empty()) {
    const std::string_view line = take_until(answer, '\n');
    if (line.empty()) continue;
    table.line(line);
    if (table.text("be_name") != backend) continue;
    const std::uint64_t admin = table.count("srv_admin_state");
    servers.push_back({.server = table.text("srv_name"),
                       .weight = number<int>(table.text("srv_uweight")).value_or(0),
                       .drained = (admin & kDrained) != 0,
                       .maintained = (admin & kMaintained) != 0,
                       .disabled = (admin & kDisabled) != 0,
                       .up = table.count("srv_op_state") == kRunning});
  }
  return servers;
}

std::expected<int, Error> read_weight(std::string_view answer) {
  const auto weight = number<int>(answer.substr(0, answer.find(' ')));
  if (!weight || *weight < 0 || !answer.contains("(initial ")) {
    return fail(fmt::format("HAProxy did not answer with a weight but with `{}`", head_of(answer)));
  }
  return *weight;
}

bool is_plain_name(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '_' || c == '-';
  });
}

}  // namespace homeostat::traffic
