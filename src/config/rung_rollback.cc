// The strategy `rollback`.
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> rollback_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows(
        "rung.rollback",
        "Goes back to the last stable version. Needs `releases`, or a `rollback` command of the exec runtime.");
    add_repair_rows(rows, "1");
    return rows;
  }();
  return rung_component("rollback", engine::StrategyKind::rollback, "Goes back to the last stable version.",
                        "{ when: changed_within 15m }", table);
}

}  // namespace homeostat::config
