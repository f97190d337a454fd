// How fast the number of instances may change, in each direction.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

Type<std::int32_t> amount() { return converted<std::int32_t>(count_type(1, 1'000'000)); }

void add_direction(Table<DirectionRules>& rows, std::string_view window, std::string_view limits,
                   std::string_view what) {
  rows.add("window", &DirectionRules::window, duration_type(Duration{}),
           {.text = what, .fallback = window, .example = "1m"});
  rows.add("limits", &DirectionRules::limits, list_type(rate_limit_table().type()),
           {.text = "How much it may change within a time, counted over what was added and removed. At most 10.",
            .fallback = limits,
            .example = "[{ instances: 2, per: 1m }]"});
  rows.add("select", &DirectionRules::select,
           word_type<LimitSelect>("largest, smallest or disabled", {{"largest", LimitSelect::largest},
                                                                    {"smallest", LimitSelect::smallest},
                                                                    {"disabled", LimitSelect::disabled}}),
           {.text = "Of several limits the one that allows the largest change, or the smallest; `disabled`: never in "
                    "this direction.",
            .fallback = "largest",
            .example = "smallest"});
}

}  // namespace

const Table<RateLimit>& rate_limit_table() {
  static const Table<RateLimit> table = [] {
    Table<RateLimit> rows("scaling.limit", "At most so much change within a time.");
    const auto unit = [&](std::string key, LimitUnit unit, std::string_view text, std::string_view example) {
      Type<RateLimit> type{amount().shape, [unit](const Node& node, Reader& reader, RateLimit& out) {
                             out.unit = unit;
                             amount().read(node, reader, out.value);
                           }};
      rows.add_kind(std::move(key), std::identity{}, type, {.text = text, .example = example});
    };
    unit("instances", LimitUnit::instances, "So many instances.", "4");
    unit("percent", LimitUnit::percent,
         "So many percent of those there were at the start of the time; rounded up on "
         "the way up.",
         "100");
    rows.kinds("unit");
    rows.add("per", &RateLimit::period, duration_type(std::chrono::seconds(1)),
             {.text = "In how long, at most 30m.", .fallback = "15s", .example = "1m"});
    return rows;
  }();
  return table;
}

const Table<DirectionRules>& up_table() {
  static const Table<DirectionRules> table = [] {
    Table<DirectionRules> rows("scaling.up", "How fast it grows.");
    add_direction(rows, "0s", "[{ instances: 4, per: 15s }, { percent: 100, per: 15s }]",
                  "More only when they have been needed for so long, at most 1h.");
    return rows;
  }();
  return table;
}

const Table<DirectionRules>& down_table() {
  static const Table<DirectionRules> table = [] {
    Table<DirectionRules> rows("scaling.down", "How fast it shrinks.");
    add_direction(rows, "5m", "[{ percent: 100, per: 15s }]",
                  "Fewer only when no more have been needed for so long, at most 1h.");
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
