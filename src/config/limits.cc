// How much may be done, and how fast: back-off, budgets, guardrails.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

constexpr std::uint32_t kMostActions = 100'000;

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
    Table<engine::Budget> rows("budget",
                               "How many actions that take healthy capacity away a service may see in a window.");
    rows.add("max_actions", &engine::Budget::max_actions, count_type(1, kMostActions),
             {.text = "How many.", .fallback = "3", .example = "5"});
    rows.add("per", &engine::Budget::per, duration_type(std::chrono::seconds(1)),
             {.text = "In how long.", .fallback = "10m", .example = "1h"});
    return rows;
  }();
  return table;
}

const Table<engine::Budget>& fleet_table() {
  static const Table<engine::Budget> table = [] {
    Table<engine::Budget> rows("guardrails.fleet", "The same over all services.");
    rows.add("max_actions",
             [](engine::Budget& budget) -> auto& {
               budget.percent = 0;  // a number of the user's is the number
               return budget.max_actions;
             },
             count_type(1, kMostActions),
             {.text = "How many.", .otherwise = "3 or 10 % of all instances, whichever is more", .example = "5"});
    rows.add("per", &engine::Budget::per, duration_type(std::chrono::seconds(1)),
             {.text = "In how long.", .fallback = "10m", .example = "1h"});
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
    rows.add(
        "fleet", &GuardrailsDraft::fleet, fleet_table().type(),
        {.text = "The budget of all services together.", .fallback = "{}", .example = "{ max_actions: 5, per: 10m }"});
    rows.add(
        "max_unavailable", &GuardrailsDraft::max_unavailable, share_type(),
        {.text = "How many instances of one service may be down or acted on at once: a number, or a share that rounds "
                 "down but to at least one. Services may set their own.",
         .fallback = "1",
         .example = "34%"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
