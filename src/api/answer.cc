#include "api/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <variant>

#include "api/narrator.hpp"
#include "api/past.hpp"
#include "api/status.hpp"
#include "api/why.hpp"
#include "config/problem.hpp"
#include "config/releases.hpp"
#include "config/value.hpp"
#include "engine/ladder.hpp"
#include "engine/maintenance.hpp"

namespace homeostat::api {
namespace {

namespace fs = std::filesystem;

Response ok(const json::object& object) { return {200, json::serialize(object)}; }

Response of(const std::expected<json::object, Error>& result) {
  return result ? ok(*result) : refuse(503, result.error().text);
}

std::string text_of(const Request& request, const std::string& key) {
  const auto found = request.query.find(key);
  return found == request.query.end() ? "" : found->second;
}

/// A number of the query; `fallback` when absent, nothing when it is none or more than `most`.
std::optional<std::uint64_t> number_of(const Request& request, const std::string& key, std::uint64_t fallback,
                                       std::uint64_t most) {
  const std::string text = text_of(request, key);
  return text.empty() ? fallback : config::parse_count(text, most);
}

/// Refuses a release that is not there, where it is known where releases lie.
std::optional<Response> missing_release(const Daemon& daemon, const engine::Operator& wanted) {
  const auto id = daemon.engine.find_service(wanted.service);
  const std::uint32_t reference = daemon.engine.plan().services[*id].runtime.reference;
  if (reference >= daemon.config.runtimes.size()) return std::nullopt;
  const std::string releases = config::releases_of(daemon.config.runtimes[reference]);
  if (releases.empty()) return std::nullopt;
  std::error_code error;
  if (fs::is_directory(fs::path(releases) / wanted.version, error)) return std::nullopt;
  return refuse(404, fmt::format("there is no release {} of {} in {}", wanted.version, wanted.service, releases));
}

/// What would hold back a repair by hand: gates that shut it out already, and those of which `would` tells.
json::array holds_of(const Daemon& daemon, const engine::Operator& wanted, const std::vector<engine::Record>& would) {
  const auto id = daemon.engine.find_service(wanted.service);
  std::map<engine::Slot, std::pair<std::string, std::string>> holds;
  const auto known = daemon.engine.durable().services.find(wanted.service);
  if (known != daemon.engine.durable().services.end()) {
    for (const auto& [slot, hold] : known->second.holds) holds[slot] = {hold.gate, hold.detail};
  }
  for (const engine::Record& record : would) {
    const auto* held = std::get_if<engine::Held>(&record.body);
    if (held != nullptr && held->service == wanted.service) holds[held->slot] = {held->gate, held->detail};
  }
  json::array lines;
  for (const engine::Slot slot : engine::remediated(daemon.engine.state(), *id, wanted.slot)) {
    const auto& [gate, detail] = holds[slot];
    if (gate.empty()) continue;
    lines.push_back(json::value(fmt::format("{} waits, gate {}: {}", place_name(wanted.service, slot), gate, detail)));
  }
  return lines;
}

/// What would be done at once, were it done: by a copy of the engine, of which nothing is carried out.
Response foretell(const Daemon& daemon, const engine::Operator& wanted) {
  Narrator narrator;
  json::array lines;
  const std::vector<engine::Record> would = daemon.engine.would(wanted, daemon.clock.now);
  for (const engine::Record& record : would) {
    const Line line = narrator.tell(record, {});
    const bool told_below = std::holds_alternative<engine::Held>(record.body);
    if (!line.detail && !line.text.empty() && !told_below) lines.push_back(json::value(line.text));
  }
  for (json::value& hold : holds_of(daemon, wanted, would)) lines.push_back(std::move(hold));
  return ok({{"accepted", false}, {"would", std::move(lines)}});
}

Response remediate(const Daemon& daemon, const engine::Operator& wanted) {
  json::array held = holds_of(daemon, wanted, daemon.engine.would(wanted, daemon.clock.now));
  const std::uint64_t before = daemon.engine.durable().seq;
  daemon.feed(wanted);
  return ok({{"accepted", true}, {"seq", before}, {"held", std::move(held)}});
}

/// An approval that would be in vain is refused. What is not wanted any more is taken back by it all the same.
Response approve(const Daemon& daemon, const engine::Operator& wanted) {
  const bool action = daemon.engine.durable().actions.contains(wanted.id);
  const auto why = action ? daemon.engine.not_to_approve(wanted.id, daemon.clock.now) : std::nullopt;
  const std::uint64_t before = daemon.engine.durable().seq;
  daemon.feed(wanted);
  if (!why) return ok({{"accepted", true}, {"seq", before}});
  const std::string id = show_id(wanted.id);
  if (why->gate.empty()) return refuse(409, fmt::format("{} is taken back: {}", id, why->detail));
  return refuse(409, fmt::format("{} cannot be done now and goes on waiting, gate {}: {}", id, why->gate, why->detail));
}

std::string already(const Daemon& daemon, const engine::Operator& wanted, std::string_view how, Instant until,
                    const std::string& by) {
  const auto end = daemon.clock.wall(until);
  return fmt::format("{} is {} already until {}{}", wanted.service.empty() ? "everything" : wanted.service, how,
                     end ? iso_time(*end) : "somebody ends it", by.empty() ? "" : ", by " + by);
}

/// A pause or a maintenance takes nothing back from one that lasts longer.
Response for_a_while(const Daemon& daemon, const engine::Operator& wanted) {
  const Instant asked = wanted.length == Duration{} ? kNever : later(daemon.clock.now, wanted.length);
  const std::uint64_t before = daemon.engine.durable().seq;
  std::string note;
  if (wanted.verb == engine::Verb::pause) {
    for (const engine::PauseState* one : engine::pauses_of(daemon.engine.durable(), wanted.service, daemon.clock.now)) {
      if (one->until < asked || (one->until == asked && asked != kNever)) continue;
      note = already(daemon, wanted, "paused", one->until, one->by);
    }
  } else if (const auto* longer = engine::works_longer(daemon.engine.durable(), wanted.service, asked)) {
    note = already(daemon, wanted, "in maintenance", longer->until, longer->by);
    if (!longer->reason.empty()) note += ": " + longer->reason;
  }
  daemon.feed(wanted);
  return ok({{"accepted", true}, {"seq", before}, {"note", note}});
}

Response command(const Daemon& daemon, const Request& request) {
  auto wanted = parse_operator(request, daemon.engine);
  if (!wanted) return wanted.error();
  if (wanted->verb == engine::Verb::deploy) {
    if (auto refusal = missing_release(daemon, *wanted)) return *refusal;
  }
  if (wanted->verb == engine::Verb::remediate) {
    return text_of(request, "dry_run") == "true" ? foretell(daemon, *wanted) : remediate(daemon, *wanted);
  }
  if (wanted->verb == engine::Verb::approve) return approve(daemon, *wanted);
  if (wanted->verb == engine::Verb::pause || wanted->verb == engine::Verb::maintenance_begin)
    return for_a_while(daemon, *wanted);
  const std::uint64_t before = daemon.engine.durable().seq;
  daemon.feed(std::move(*wanted));
  return ok({{"accepted", true}, {"seq", before}});
}

Response reload(const Daemon& daemon, const Request& request) {
  const auto asked = parse_reload(request);
  if (!asked) return asked.error();
  const std::uint64_t before = daemon.engine.durable().seq;
  const auto note = daemon.reload(*asked);
  if (!note) return refuse(409, note.error().text);
  if (asked->roll) {
    engine::Operator roll;
    roll.verb = engine::Verb::roll_outdated;
    roll.by = request.user;
    daemon.feed(std::move(roll));
  }
  return ok({{"accepted", true}, {"seq", before}, {"generation", daemon.engine.durable().generation}, {"note", *note}});
}

Response unknown_service(const engine::Engine& engine, const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& plan : engine.plan().services) names.push_back(plan.name);
  const std::string hint = config::nearest(name, names);
  return refuse(404, fmt::format("there is no service {}{}", config::quote(name),
                                 hint.empty() ? "" : fmt::format(" (did you mean `{}`?)", hint)));
}

Response stats(const fs::path& state_dir, const Request& request) {
  const std::string window = text_of(request, "window");
  const auto span = config::parse_duration(window.empty() ? "30d" : window);
  if (!span || *span <= Duration{}) return refuse(400, "`window` must be a time span, such as 24h or 30d");
  const std::string service = text_of(request, "service");
  auto told = read_stats(state_dir, *span, service);
  if (!told) return refuse(503, told.error().text);
  const bool unknown = !service.empty() && told->at("services").as_array().empty();
  return unknown ? refuse(404, "there is no service " + config::quote(service)) : ok(*std::move(told));
}

Response history(const fs::path& state_dir, const Request& request) {
  HistoryQuery query;
  query.service = text_of(request, "service");
  query.all = text_of(request, "all") == "true";
  const auto incident = number_of(request, "incident", 0, UINT64_MAX);
  const auto limit = number_of(request, "limit", 20, 1000);
  if (!incident || !limit || *limit == 0)
    return refuse(400, "`incident` and `limit` must be numbers, `limit` 1 … 1000");
  query.incident = *incident;
  query.limit = *limit;
  if (const std::string since = text_of(request, "since"); !since.empty()) {
    const auto span = config::parse_duration(since);
    if (!span) return refuse(400, "`since` must be a time span, such as 1h or 7d");
    query.since_wall_ns = present({}).wall_ns - span->count();
  }
  auto told = read_history(state_dir, query);
  if (!told) return refuse(503, told.error().text);
  return *told ? ok(**told) : refuse(404, "there is no service " + config::quote(query.service));
}

Response lines(const fs::path& state_dir, const Request& request) {
  JournalQuery query;
  const auto after = number_of(request, "after", 0, UINT64_MAX);
  const auto limit = number_of(request, "limit", 1000, 10'000);
  if (!after || !limit || *limit == 0) return refuse(400, "`after` and `limit` must be numbers, `limit` 1 … 10000");
  query.after = *after;
  query.limit = *limit;
  query.service = text_of(request, "service");
  return of(read_lines(state_dir, query));
}

}  // namespace

Response answer(const Daemon& daemon, const Request& request) {
  if (request.post) return request.verb == "reload" ? reload(daemon, request) : command(daemon, request);
  View view = View::live(daemon.engine, daemon.clock);
  view.words = daemon.words;
  view.alerts = daemon.alerts;
  if (request.verb == "why") {
    const auto why = why_view(view, request.service);
    return why ? ok(*why) : unknown_service(daemon.engine, request.service);
  }
  const std::string service = text_of(request, "service");
  if (!service.empty() && !daemon.engine.find_service(service)) return unknown_service(daemon.engine, service);
  return ok(status_view(view, service));
}

Response answer_from_journal(const fs::path& state_dir, const Request& request) {
  if (request.verb == "stats") return stats(state_dir, request);
  if (request.verb == "history") return history(state_dir, request);
  return lines(state_dir, request);
}

}  // namespace homeostat::api
