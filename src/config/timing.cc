// How often a check runs and how many runs make a verdict.
#include "config/draft.hpp"

namespace homeostat::config {

const Table<CheckPolicy>& timing_table() {
  using std::chrono::milliseconds;
  static const Table<CheckPolicy> table = [] {
    Table<CheckPolicy> rows("defaults", "Timing of every check that does not say otherwise.");
    rows.add("interval", &CheckPolicy::interval, duration_type(milliseconds(10)),
             {.text = "Time between two runs, on a fixed grid.", .fallback = "5s", .example = "10s"});
    rows.add(
        "fast_interval", &CheckPolicy::fast_interval, duration_type(milliseconds(10)),
        {.text = "Time between two runs from the first failure to the verdict, while recovering and while starting. "
                 "Not longer than `interval`.",
         .fallback = "1s",
         .example = "500ms"});
    rows.add("timeout", &CheckPolicy::timeout, duration_type(milliseconds(1)),
             {.text = "A run without an answer after this long is a failure.", .fallback = "2s", .example = "500ms"});
    rows.add("failure_threshold", &CheckPolicy::failure_threshold, count_type(1, 1000),
             {.text = "This many failures in a row make the verdict.", .fallback = "3", .example = "5"});
    rows.add("success_threshold", &CheckPolicy::success_threshold, count_type(1, 1000),
             {.text = "This many successes in a row prove a recovery.", .fallback = "2", .example = "3"});
    rows.add("startup_grace", &CheckPolicy::startup_grace, duration_type(Duration{}),
             {.text = "Failures do not count for this long after a start; the first success ends it.",
              .fallback = "60s",
              .example = "5m"});
    rows.add("degraded_above", &CheckPolicy::degraded_above, duration_type(milliseconds(1)),
             {.text = "A success slower than this makes the status degraded.", .otherwise = "off", .example = "800ms"});
    rows.add("critical_after", &CheckPolicy::critical_after, count_type(1, 1'000'000),
             {.text = "This many failures in one failing run make the status critical.",
              .otherwise = "off",
              .example = "20"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
