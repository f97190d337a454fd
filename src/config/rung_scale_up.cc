// The strategy `scale_up`: more instances for a while.
#include "config/rung.hpp"

namespace homeostat::config {
namespace {

/// `1.5` or `150%`, in percent.
Type<std::uint32_t> factor_type() {
  const Type<std::int64_t> ratio = ratio_type();
  return {{"factor", ratio.shape.schema}, [ratio](const Node& node, Reader& reader, std::uint32_t& out) {
            std::int64_t millionths = 2'000'000;
            ratio.read(node, reader, millionths);
            out = static_cast<std::uint32_t>(millionths / 10'000);
            if (out <= 100) reader.problem(node.at, "a factor above 1 makes it more (write `1.5` or `150%`)");
          }};
}

}  // namespace

Component<RungDraft> scale_up_rung() {
  static const Table<RungDraft> table = [] {
    Table<RungDraft> rows("rung.scale_up",
                          "Raises the least number of instances for a while; metrics may ask for more, not for fewer. "
                          "Needs `scaling`.");
    rows.add("factor", [](RungDraft& rung) -> auto& { return rung.plan.raise.percent; }, factor_type(),
             {.text = "So many times as there are; one more at least.", .fallback = "1.5", .example = "2"});
    rows.add("max", [](RungDraft& rung) -> auto& { return rung.plan.raise.max; }, count_type(1, 10'000),
             {.text = "Not beyond so many.", .otherwise = "the `max` of `scaling`", .example = "8"});
    rows.add("hold", [](RungDraft& rung) -> auto& { return rung.plan.raise.hold; },
             duration_type(std::chrono::seconds(1)), {.text = "For how long.", .fallback = "30m", .example = "1h"});
    add_repair_rows(rows, "1");
    return rows;
  }();
  return rung_component("scale_up", engine::StrategyKind::scale_up, "More instances for a while.",
                        "{ factor: 1.5, max: 8, hold: 30m }", table);
}

}  // namespace homeostat::config
