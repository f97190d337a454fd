// The strategy `restart`.
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> restart_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung.restart", "Stops and starts the failing instances.");
    add_repair_rows(rows, "1");
    rows.add("scope", [](RungDraft& rung) -> auto& { return rung.plan.all; },
             word_type<bool>("instance or all", {{"instance", false}, {"all", true}}),
             {.text = "`instance`: the failing ones; `all`: every instance, one after the other.",
              .fallback = "instance",
              .example = "all"});
    return rows;
  }();
  return rung_component("restart", engine::StrategyKind::restart, "Stops and starts the failing instances.",
                        "{ attempts: 2, verify_within: 2m }", table);
}

}  // namespace homeostat::config
