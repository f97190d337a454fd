#include "cli/scaling_rules.hpp"

#include <chrono>

#include "cli/scaling_members.hpp"

namespace homeostat::cli {
namespace {

constexpr std::size_t kMostSchedules = 100;
constexpr Instant kNow = ScalingQuestion::kNow;

/// Reads parts that are objects; the first thing that is wrong in one of them stays.
class Parts {
 public:
  explicit Parts(Members& members) : members_(members) {}

  void read(std::string_view key, const std::string& place, const std::function<void(Members&)>& use) {
    members_.with(key, [&](const json::value& value) { inner(value, place, use); });
  }
  void inner(const json::value& value, const std::string& place, const std::function<void(Members&)>& use) {
    Members inner(value, place);
    use(inner);
    if (const std::string problem = inner.finish(); problem_.empty()) problem_ = problem;
  }
  const std::string& problem() const { return problem_; }

 private:
  Members& members_;
  std::string problem_;
};

/// `2026-03-02 09:30`, to the letter.
std::optional<LocalMinutes> parse_local(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00";
  if (text.size() != kForm.size()) return std::nullopt;
  std::array<int, 5> parts{};
  std::size_t part = 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (digit != (kForm[i] == '0') || (!digit && text[i] != kForm[i])) return std::nullopt;
    if (digit) parts[part] = parts[part] * 10 + (text[i] - '0');
    part += digit ? 0 : 1;
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[3] > 23 || parts[4] > 59) return std::nullopt;
  return LocalMinutes{std::chrono::sys_days(day).time_since_epoch().count()} * 1440 + parts[3] * 60 + parts[4];
}

std::optional<std::string> any_text(std::string_view text) { return std::string(text); }

void cron(Members& members, std::string_view key, CronTime& out) {
  if (!members.has(key)) return members.wrong("", fmt::format("needs `{}`", key));
  std::string text;
  members.word<std::string>(key, text, any_text, "cron expressions such as 0 8 * * mon-fri");
  const auto read = parse_cron(text);
  if (!read) return members.wrong(key, "is no cron expression: " + read.error());
  out = *read;
}

void bound(Members& members, std::string_view key, std::optional<std::int32_t>& out) {
  std::int32_t number = -1;
  whole(members, key, number);
  if (number >= 0) out = number;
}

void schedules(Members& members, Parts& parts, ScalingQuestion& out) {
  each(members, "schedules", kMostSchedules, [&](const json::value& value, const std::string& at) {
    parts.inner(value, at, [&](Members& inner) {
      ScalingSchedule schedule;
      cron(inner, "start", schedule.start);
      cron(inner, "end", schedule.end);
      bound(inner, "min", schedule.min);
      bound(inner, "max", schedule.max);
      out.policy.schedules.push_back(schedule);
    });
  });
  LocalMinutes local = 0;
  members.word<LocalMinutes>("local", local, parse_local, "local times such as 2026-03-02 09:30");
  if (!out.policy.schedules.empty() && !members.has("local"))
    members.wrong("schedules", "need `local`, what the clock on the wall shows, such as 2026-03-02 09:30");
  out.local.assign(out.policy.schedules.size(), local);
}

void activation(Members& members, ScalingQuestion& out) {
  const auto& metrics = out.policy.metrics;
  const auto named = [&](std::string_view id) -> std::optional<std::int32_t> {
    const auto found = std::ranges::find(metrics, id, &MetricRule::id);
    if (found == metrics.end()) return std::nullopt;
    return static_cast<std::int32_t>(found - metrics.begin());
  };
  members.word<std::int32_t>("metric", out.policy.activation.metric, named, "the metrics");
  if (!members.has("metric")) members.wrong("", "needs `metric`");
  thousandths(members, "above", out.policy.activation.above);
  duration(members, "idle_for", out.policy.activation.idle_for);
}

void help_memory(Members& members, ScalingQuestion& out) {
  HelpMemory& help = out.history.help;
  help.waiting = members.has("metric");
  members.word<std::string>("metric", help.metric, any_text, "the metrics");
  whole(members, "wanted", help.wanted);
  share(members, "before", help.before);
  std::optional<Instant> ready;
  age(members, "ready", ready);
  if (ready) help.ready_at = *ready;
  whole(members, "failed", help.failed);
  Duration left{};
  duration(members, "hold_left", left);
  if (left > Duration{}) help.hold_until = kNow + left;
}

}  // namespace

std::string read_scaling_rules(Members& members, ScalingQuestion& out) {
  ScalingPolicy& policy = out.policy;
  Parts parts(members);
  schedules(members, parts, out);
  parts.read("fallback", "fallback", [&](Members& inner) {
    policy.fallback.after = 3;
    whole(inner, "after", policy.fallback.after);
    whole(inner, "instances", policy.fallback.instances);
  });
  parts.read("activation", "activation", [&](Members& inner) { activation(inner, out); });
  parts.read("help", "help", [&](Members& inner) {
    whole(inner, "tries", policy.help.tries);
    share(inner, "improvement", policy.help.improvement);
    duration(inner, "settle", policy.help.settle);
    duration(inner, "hold", policy.help.hold);
  });
  whole(members, "flap_budget", policy.flap_budget);
  return parts.problem();
}

std::string read_scaling_memory(Members& members, ScalingQuestion& out) {
  ScalingHistory& history = out.history;
  Parts parts(members);
  whole(members, "failures", history.failures);
  std::optional<Instant> active = history.active_at;
  age(members, "active", active);
  history.active_at = *active;
  each(members, "turns", kMostRemembered, [&](const json::value& value, const std::string& at) {
    const auto ago = value.is_string() ? config::parse_duration(value.as_string()) : std::nullopt;
    if (!ago) return members.wrong(at, fmt::format("is not one of {}", kDurations));
    history.turns.push_back(kNow - *ago);
  });
  parts.read("help", "history.help", [&](Members& inner) { help_memory(inner, out); });
  return parts.problem();
}

}  // namespace homeostat::cli
