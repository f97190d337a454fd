// One rung of a ladder: exactly one strategy.
#include "config/rung.hpp"

namespace homeostat::config {
void add_repair_rows(Table<RungDraft>& rows, std::string_view attempts) {
  rows.add("attempts", [](RungDraft& rung) -> auto& { return rung.plan.attempts; }, count_type(1, 1000),
           {.text = "How often it is tried before the next rung.", .fallback = attempts, .example = "2"});
  rows.add(
      "verify_within", &RungDraft::verify_within, maybe(duration_type(std::chrono::milliseconds(1))),
      {.text = "The service's own alive checks must have proved the recovery this long after the action. Not shorter "
               "than startup_grace + success_threshold x fast_interval of any of them.",
       .otherwise = "startup_grace + (success_threshold + 1) x fast_interval + timeout of the slowest alive check",
       .example = "2m"});
  rows.add("skip_after", [](RungDraft& rung) -> auto& { return rung.plan.skip_after; }, count_type(1, 1000),
           {.text = "The rung is skipped when so many tries in a row have not helped against the same kind of failure "
                    "(a check, and how it fails); a day after the last it is tried again.",
            .otherwise = "it is always tried",
            .example = "3"});
  rows.add(
      "when", [](RungDraft& rung) -> auto& { return rung.plan.when; }, condition_type(),
      {.text =
           "The rung is skipped unless this holds, or all of a list: the version or what is run changed at most so "
           "long ago, more than that share of the instances fails (of the service as a whole: all), the process was "
           "killed by that signal (`oom`: because it needed more memory than it may have), or the proxy sees the "
           "instance fail too many requests as well (`requests_fail`; needs `traffic: { breaker: … }`).",
       .otherwise = "always",
       .example = "[changed_within 1h, instances_failing > 50%]"});
}

const std::vector<Component<RungDraft>>& rung_kinds() {
  static const std::vector<Component<RungDraft>> kinds{restart_rung(), rollback_rung(), scale_up_rung(),
                                                       drain_rung(),   exec_rung(),     escalate_rung()};
  return kinds;
}

const Table<RungDraft>& rung_table() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung", "One rung of a ladder. Exactly one strategy must be given; its name alone will do.");
    rows.kinds("strategy", true);
    add_kinds(rows, rung_kinds());
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
