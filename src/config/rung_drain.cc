// The strategy `drain`: no requests for the failing instance until it is well.
#include "config/rung.hpp"

namespace homeostat::config {

Component<RungDraft> drain_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows(
        "rung.drain",
        "Takes the failing instance out of the traffic until its own checks have proved it well; never "
        "the last one that serves. Needs `traffic`.");
    add_repair_rows(rows, "1");
    return rows;
  }();
  return rung_component("drain", engine::StrategyKind::drain, "No requests until it is well.", "{ verify_within: 2m }",
                        table);
}

}  // namespace homeostat::config
