#include "runtime/container_state.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <csignal>

#include "core/text.hpp"
#include "os/incarnation.hpp"
#include "runtime/json_at.hpp"

namespace homeostat::runtime {
namespace {

constexpr std::size_t kShown = 200;
constexpr std::int32_t kKilled = 128;
constexpr std::int32_t kMostSignal = 64;

/// The number that `count` digits of `text` from `at` on are; -1: they are none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (text.size() < at + count) return -1;
  const auto read = std::from_chars(&text[at], &text[at] + count, value);
  return read.ec == std::errc() && read.ptr == &text[at] + count ? value : -1;
}

/// How far the clock that `zone` (Z, +01:00) tells is ahead, in seconds.
std::int64_t ahead(std::string_view zone) {
  const std::int64_t seconds = 3600 * std::max(digits(zone, 1, 2), 0) + 60 * std::max(digits(zone, 4, 2), 0);
  return zone.starts_with('-') ? -seconds : seconds;
}

bool is_container_id(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// sha256:… or without; it becomes part of a path.
bool is_image_id(std::string_view text) {
  return text.size() <= 128 && text.find_first_not_of("0123456789abcdefsh:") == std::string_view::npos;
}

Duration span_at(const boost::json::object& in, std::string_view name) {
  return Duration(std::clamp<std::int64_t>(number_at(in, name), 0, Duration(std::chrono::hours(24)).count()));
}

/// As its policy says; that somebody has stopped it is not known here.
bool would_come_back(const boost::json::object& policy, const ContainerState& state) {
  const std::string name = text_at(policy, "Name");
  if (name == "always" || name == "unless-stopped") return true;
  const std::int64_t most = number_at(policy, "MaximumRetryCount");
  return name == "on-failure" && state.exit_status != 0 && (most == 0 || state.restarts < most);
}

Sight at_rest(const ContainerState& state, EndedBy ended_by) {
  if (state.started == 0) return {.is = Sight::Is::stopped, .detail = "the container was never started"};
  if (ended_by == EndedBy::undecided) return {.is = Sight::Is::busy, .detail = "the container has just ended"};
  if (ended_by == EndedBy::others) {
    return {.is = Sight::Is::stopped, .run = state.run(), .detail = "the container was stopped"};
  }
  Sight sight{.is = Sight::Is::ended, .run = state.run(), .known = true};
  const std::int32_t signal = state.exit_status - kKilled;
  sight.out_of_memory = state.out_of_memory;
  sight.signalled = state.out_of_memory || (signal > 0 && signal <= kMostSignal);
  sight.code = state.out_of_memory ? SIGKILL : sight.signalled ? signal : state.exit_status;
  sight.detail = state.out_of_memory    ? "the container was killed: it needed more memory than it may have"
                 : !state.error.empty() ? "the container could not be started: " + printable(state.error, kShown)
                 : sight.signalled      ? fmt::format("the container was killed by signal {}", signal)
                                        : fmt::format("the container has ended with status {}", state.exit_status);
  if (state.comes_back || state.restarts > 0) sight.detail += ", and its restart policy has given it up";
  return sight;
}

}  // namespace

std::uint64_t read_time(std::string_view text) {
  constexpr std::string_view kForm = "2026-01-31T12:00:00";
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || year > 2261 || !date.ok() || hour < 0 || minute < 0 || second < 0) return 0;
  text.remove_prefix(kForm.size());
  std::int64_t nanoseconds = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    for (std::int64_t unit = 100'000'000; !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
         text.remove_prefix(1), unit /= 10)
      nanoseconds += unit * (text.front() - '0');
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - ahead(text);
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds * 1'000'000'000 + nanoseconds);
}

// An id has 256 bits; the first 63 of them and the time tell runs apart. The highest bit: it is no process id.
Incarnation ContainerState::run() const {
  std::uint64_t first = 0;
  std::from_chars(id.data(), id.data() + std::min<std::size_t>(id.size(), 16), first, 16);
  if (started == 0) return {};
  return {first | std::uint64_t{1} << 63, started, os::boot_number()};
}

std::optional<ContainerState> read_container(std::string_view answer) {
  const auto all = read_object(answer);
  if (!all) return std::nullopt;
  const auto& state = object_at(*all, "State");
  const auto& config = object_at(*all, "Config");
  ContainerState out;
  out.id = text_at(*all, "Id");
  out.image = text_at(config, "Image");
  out.image_id = text_at(*all, "Image");
  if (!is_image_id(out.image_id)) out.image_id.clear();
  out.status = text_at(state, "Status");
  if (!is_container_id(out.id) || out.status.empty()) return std::nullopt;
  out.started = read_time(text_at(state, "StartedAt"));
  out.finished = read_time(text_at(state, "FinishedAt"));
  out.exit_status = static_cast<std::int32_t>(std::clamp<std::int64_t>(number_at(state, "ExitCode"), 0, 255));
  out.out_of_memory = flag_at(state, "OOMKilled");
  out.error = text_at(state, "Error");
  out.restarts = static_cast<std::uint32_t>(std::clamp<std::int64_t>(number_at(*all, "RestartCount"), 0, 1 << 30));
  const bool has_own = config.contains("StopTimeout") && !config.at("StopTimeout").is_null();
  const std::int64_t stop_within = has_own ? number_at(config, "StopTimeout") : 10;  // as both have it by default
  out.stop_within = std::chrono::seconds(std::clamp<std::int64_t>(stop_within, 0, 86400));
  const auto& health = object_at(config, "Healthcheck");
  if (const auto* test = health.if_contains("Test");
      test != nullptr && test->is_array() && !test->get_array().empty()) {
    out.health = text_at(object_at(state, "Health"), "Status");
    out.health_every = span_at(health, "Interval");
    if (out.health_every == Duration{}) out.health_every = std::chrono::seconds(30);
  }
  out.comes_back = would_come_back(object_at(object_at(*all, "HostConfig"), "RestartPolicy"), out);
  return out;
}

std::string made_container(std::string_view answer) {
  const auto all = read_object(answer);
  std::string id = all ? text_at(*all, "Id") : std::string();
  return is_container_id(id) ? id : std::string();
}

Sight sight_of(const ContainerState& state, EndedBy ended_by) {
  if (state.rests()) {
    Sight sight = at_rest(state, ended_by);
    sight.restarts = state.restarts;
    return sight;
  }
  Sight sight{.is = Sight::Is::busy, .detail = "the container is " + printable(state.status, kShown)};
  sight.restarts = state.restarts;
  if (state.status == "restarting") sight.detail = "its restart policy is restarting it";
  if (!state.runs()) return sight;
  sight.is = Sight::Is::running;
  sight.run = state.run();
  if (state.health == "unhealthy") sight.unwell = "the container's own health check fails";
  return sight;
}

}  // namespace homeostat::runtime
