// How much may be done, and how fast: back-off, budgets, guardrails.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

/// How many actions: a number, or a share of the instances.
Type<engine::Budget> amount_type() {
  return {share_type().shape, [](const Node& node, Reader& reader, engine::Budget& out) {
            engine::Share share;
            const std::size_t before = reader.found();
            share_type().read(node, reader, share);
            if (reader.found() != before) return;
            out.max_actions = share.percent > 0 ? 1 : share.count;
            out.percent = share.percent;
          }};
}

constexpr std::string_view kHowMany =
    "How many: a number, or a share of the instances that rounds down but to at least one.";

/// What is remembered of actions reaches back so far.
Type<Duration> window_type() {
  Type<Duration> type = duration_type(std::chrono::seconds(1));
  return {type.shape, [type](const Node& node, Reader& reader, Duration& out) {
            Duration span{};
            const std::size_t before = reader.found();
            type.read(node, reader, span);
            if (reader.found() != before) return;
            if (span > std::chrono::hours(24))
              return reader.problem(node.at, "the window of a budget is at most 24h: actions are remembered for a day");
            out = span;
          }};
}

}  // namespace

const Table<BackoffPolicy>& backoff_table() {
  static const Table<BackoffPolicy> table = [] {
    Table<BackoffPolicy> rows("backoff", "The wait between repairs of the same target; it doubles from try to try.");
    rows.add("initial", &BackoffPolicy::initial, duration_type(std::chrono::milliseconds(1)),
             {.text = "The first wait. The first repair of all is immediate.", .fallback = "1s", .example = "2s"});
    rows.add("max", &BackoffPolicy::max, duration_type(std::chrono::milliseconds(1)),
             {.text = "The longest wait.", .fallback = "5m", .example = "10m"});
    rows.add("jitter", &BackoffPolicy::jitter_percent, percent_type(),
             {.text = "Each wait is up to this much longer or shorter.", .fallback = "20%", .example = "10%"});
    return rows;
  }();
  return table;
}

const Table<engine::Budget>& budget_table() {
  static const Table<engine::Budget> table = [] {
    Table<engine::Budget> rows("budget", "How many actions that take healthy capacity away there may be in a window.");
    rows.add("max_actions", std::identity{}, amount_type(), {.text = kHowMany, .fallback = "3", .example = "25%"});
    rows.add("per", &engine::Budget::per, window_type(), {.text = "In how long.", .fallback = "10m", .example = "1h"});
    return rows;
  }();
  return table;
}

const Table<engine::Budget>& fleet_table() {
  static const Table<engine::Budget> table = [] {
    Table<engine::Budget> rows("guardrails.fleet", "The same over all services.");
    rows.add("max_actions", std::identity{}, amount_type(),
             {.text = kHowMany, .otherwise = "3 or 10 % of all instances, whichever is more", .example = "5"});
    rows.add("per", &engine::Budget::per, window_type(), {.text = "In how long.", .fallback = "10m", .example = "1h"});
    return rows;
  }();
  return table;
}

const Table<BreakerOptions>& breakers_table() {
  static const Table<BreakerOptions> table = [] {
    Table<BreakerOptions> rows(
        "breakers",
        "The circuit breakers before the commands of exec services, the notifiers, and the sources of metrics that lie "
        "outside: what fails again and again is left alone for a while.");
    rows.add("failures", &BreakerOptions::consecutive_failures, count_type(1, 1000),
             {.text = "So many failures in a row open a breaker.", .fallback = "5", .example = "3"});
    rows.add("open_for", &BreakerOptions::open_for, duration_type(std::chrono::milliseconds(1)),
             {.text = "How long it is left alone; then one call is tried, and when that fails, twice as long.",
              .fallback = "30s",
              .example = "1m"});
    rows.add("open_cap", &BreakerOptions::open_cap, duration_type(std::chrono::milliseconds(1)),
             {.text = "The longest wait.", .fallback = "5m", .example = "15m"});
    return rows;
  }();
  return table;
}

const Table<GuardrailsDraft>& guardrails_table() {
  static const Table<GuardrailsDraft> table = [] {
    Table<GuardrailsDraft> rows("guardrails", "What no repair may exceed.");
    rows.add("instance", &GuardrailsDraft::instance, maybe(budget_table().type()),
             {.text = "The budget of each instance by itself.",
              .otherwise = "only the wider ones count",
              .example = "{ max_actions: 2, per: 1h }"});
    rows.add("groups", &GuardrailsDraft::groups, map_type("group", budget_table().type()),
             {.text = "The budgets that several services share, by name: each of them says `group`.",
              .otherwise = "none",
              .example = "{ payments: { max_actions: 25%, per: 10m } }"});
    rows.add(
        "fleet", &GuardrailsDraft::fleet, fleet_table().type(),
        {.text = "The budget of all services together.", .fallback = "{}", .example = "{ max_actions: 5, per: 10m }"});
    rows.add(
        "max_unavailable", &GuardrailsDraft::max_unavailable, share_type(),
        {.text = "How many instances of one service may be down or acted on at once: a number, or a share that rounds "
                 "down but to at least one. Services may set their own.",
         .fallback = "1",
         .example = "34%"});
    rows.add("maintenance", &GuardrailsDraft::maintenance, list_type(placed(window_table().type())),
             {.text = "When somebody works on all of it.",
              .otherwise = "never",
              .example = "[{ start: 0 2 * * sun, end: 0 4 * * sun, zone: Europe/Berlin }]"});
    rows.add("approve_within", &GuardrailsDraft::approve_within, duration_type(std::chrono::seconds(1)),
             {.text = "What waits for an approval for longer is not done any more, and somebody is called.",
              .fallback = "30m",
              .example = "2h"});
    rows.add("storm_cool_down", &GuardrailsDraft::storm_cool_down, duration_type(Duration{}),
             {.text = "When so many failed at once that Homeostat doubted itself: so long after that is over, nothing "
                      "is done on indirect evidence.",
              .fallback = "30s",
              .example = "5m"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
