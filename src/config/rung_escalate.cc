// The strategy `escalate`: calls a human.
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> escalate_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung.escalate",
                          "Calls a human through a notifier. Always the last rung; a ladder without it gets one.");
    rows.add("notify", &RungDraft::notify, name_type("notifier"),
             {.text = "The notifier, by its name under `notify`.",
              .otherwise = "the only notifier, or the one named `default` or `oncall`; without one it is only recorded",
              .example = "oncall"});
    return rows;
  }();
  return rung_component("escalate", engine::StrategyKind::escalate, "Calls a human.", "{ notify: oncall }", table);
}

}  // namespace homeostat::config
