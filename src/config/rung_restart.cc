// The strategy `restart`.
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> restart_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung.restart", "Stops and starts the failing instances.");
    add_repair_rows(rows, "1");
    using engine::Reach;
    rows.add(
        "instances", [](RungDraft& rung) -> auto& { return rung.plan.reach; },
        word_type<Reach>("one, rolling or all",
                         {{"one", Reach::one}, {"rolling", Reach::rolling}, {"all", Reach::all}}),
        {.text = "`one`: the failing one; `rolling`: every instance, one after the other, each well before the next; "
                 "`all`: every instance as soon as `max_unavailable` allows.",
         .fallback = "one",
         .example = "rolling"});
    return rows;
  }();
  return rung_component("restart", engine::StrategyKind::restart, "Stops and starts the failing instances.",
                        "{ attempts: 2, verify_within: 2m }", table);
}

}  // namespace homeostat::config
