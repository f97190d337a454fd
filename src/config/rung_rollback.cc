// The strategy `rollback`.
#include "config/releases.hpp"
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> rollback_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows(
        "rung.rollback",
        "Goes back to the last stable version, or to the one that is named. Needs `releases` or `image`, or a "
        "`rollback` command of the exec runtime.");
    rows.add("to", [](RungDraft& rung) -> auto& { return rung.plan.version; }, version_type(),
             {.text = "The version to go back to, whether it has been proved well or not, and also from one that has. "
                      "The exec runtime tells it to its command as `{version}`.",
              .otherwise = "the last one that was proved well",
              .example = "v41"});
    add_repair_rows(rows, "1");
    return rows;
  }();
  return rung_component("rollback", engine::StrategyKind::rollback, "Goes back to the last stable version.",
                        "{ when: changed_within 15m }", table);
}

}  // namespace homeostat::config
