#include "api/past.hpp"

#include <algorithm>
#include <chrono>

#include "api/stats.hpp"
#include "journal/reader.hpp"

namespace homeostat::api {
namespace {

// An outcome names its action by id only, so telling lines after some record needs the records before it, too.
constexpr std::uint64_t kLookBack = 5'000;

std::expected<journal::Reader, Error> open(const std::filesystem::path& state_dir) {
  std::error_code error;
  if (!std::filesystem::exists(state_dir / "journal.db", error)) {
    return fail("there is no journal in " + state_dir.string());
  }
  return journal::Reader::open(state_dir);
}

Clock clock_of(const journal::EntryView& entry) { return {Instant(Duration(entry.at_ns)), entry.wall_ns}; }

}  // namespace

Clock present(const Clock& last) {
  using namespace std::chrono;
  const std::int64_t wall = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  return {later(last.now, Duration(std::max<std::int64_t>(0, wall - last.wall_ns))), wall};
}

std::expected<Past, Error> read_past(const std::filesystem::path& state_dir) {
  auto reader = open(state_dir);
  if (!reader) return std::unexpected(reader.error());
  const auto fold = reader->last_fold();
  if (!fold) return std::unexpected(fold.error());
  Past past;
  const auto read = reader->read_all(std::max<std::uint64_t>(*fold, 1), [&](const journal::EntryView& entry) {
    past.last = clock_of(entry);
    if (entry.type == "fold") {
      engine::Durable folded;
      if (engine::Durable::unfold(entry.payload, folded)) past.durable = std::move(folded);
    } else if (auto body = engine::decode(entry.type, entry.payload)) {
      past.durable.apply({entry.seq, past.last.now, entry.generation, std::move(*body)});
    }
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return past;
}

std::expected<std::optional<json::object>, Error> read_history(const std::filesystem::path& state_dir,
                                                               HistoryQuery query) {
  auto reader = open(state_dir);
  if (!reader) return std::unexpected(reader.error());
  History history(std::move(query));
  const auto read = reader->read_all(1, [&](const journal::EntryView& entry) {
    history.add(entry);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return history.knows_service() ? std::optional(history.view()) : std::nullopt;
}

std::expected<json::object, Error> read_stats(const std::filesystem::path& state_dir, Duration window,
                                              const std::string& service) {
  auto reader = open(state_dir);
  if (!reader) return std::unexpected(reader.error());
  Stats stats;
  Clock last;
  const auto read = reader->read_all(1, [&](const journal::EntryView& entry) {
    last = clock_of(entry);
    stats.add(entry);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return stats.view(present(last), window, service);
}

std::expected<json::object, Error> read_lines(const std::filesystem::path& state_dir, const JournalQuery& query) {
  auto reader = open(state_dir);
  if (!reader) return std::unexpected(reader.error());
  Narrator narrator;
  json::array lines;
  std::uint64_t last = query.after;
  const std::uint64_t from = query.after > kLookBack ? query.after - kLookBack : 1;
  const auto read = reader->read_all(from, [&](const journal::EntryView& entry) {
    const auto body = engine::decode(entry.type, entry.payload);
    Line line = body ? narrator.tell(entry, *body) : Line{};
    if (entry.seq <= query.after) return true;
    last = entry.seq;
    if (body && (query.service.empty() || line.service == query.service)) {
      json::object told = line_json(line);
      told["detail"] = line.detail;
      if (query.records) told["record"] = json::parse(engine::encode(*body));
      lines.push_back(std::move(told));
    }
    return lines.size() < query.limit;
  });
  if (!read) return std::unexpected(read.error());
  return json::object{{"last", last}, {"lines", std::move(lines)}};
}

}  // namespace homeostat::api
