// One rung of a ladder: exactly one strategy.
#include "config/rung.hpp"

#include <fmt/format.h>

namespace homeostat::config {
namespace {

constexpr std::string_view kChanged = "changed_within ";

Type<Duration> condition_type() {
  return {{"changed_within DURATION", R"({"type":"string","pattern":"^changed_within +[0-9a-z]+$"})"},
          [](const Node& node, Reader& reader, Duration& out) {
            const std::string_view text = node.text;
            const bool known = node.is_scalar() && text.starts_with(kChanged);
            const auto span = known ? parse_duration(text.substr(kChanged.size())) : std::nullopt;
            if (!span || span->count() == 0) {
              return reader.problem(node.at,
                                    fmt::format("{} is no condition (write `changed_within 15m`)", quote(text)));
            }
            out = *span;
          }};
}

}  // namespace

void add_repair_rows(Table<RungDraft>& rows, std::string_view attempts) {
  rows.add("attempts", [](RungDraft& rung) -> auto& { return rung.plan.attempts; }, count_type(1, 1000),
           {.text = "How often it is tried before the next rung.", .fallback = attempts, .example = "2"});
  rows.add(
      "verify_within", &RungDraft::verify_within, maybe(duration_type(std::chrono::milliseconds(1))),
      {.text = "The service's own alive checks must have proved the recovery this long after the action. Not shorter "
               "than startup_grace + success_threshold x fast_interval of any of them.",
       .otherwise = "startup_grace + (success_threshold + 1) x fast_interval + timeout of the slowest alive check",
       .example = "2m"});
  rows.add("when", [](RungDraft& rung) -> auto& { return rung.plan.changed_within; }, condition_type(),
           {.text = "The rung is skipped unless the version changed at most this long ago.",
            .otherwise = "always",
            .example = "changed_within 15m"});
}

const std::vector<Component<RungDraft>>& rung_kinds() {
  static const std::vector<Component<RungDraft>> kinds{restart_rung(), rollback_rung(), exec_rung(), escalate_rung()};
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
