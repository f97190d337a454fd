// What the strategies that repair have in common.
#pragma once

#include "config/draft.hpp"

namespace homeostat::config {

/// `changed_within 15m`, `instances_failing > 50%`, `signal oom`, or a list of such: all must hold.
Type<engine::Condition> condition_type();

/// Adds `attempts`, `verify_within` and `when`; `attempts` is the default of the first.
void add_repair_rows(Table<RungDraft>& rows, std::string_view attempts);

/// A strategy whose table reads straight into the draft.
inline Component<RungDraft> rung_component(std::string key, engine::StrategyKind kind, std::string_view text,
                                           std::string_view example, const Table<RungDraft>& table) {
  return {std::move(key),
          text,
          example,
          {&table.section()},
          [kind, &table](const Node& node, Reader& reader, RungDraft& out) {
            out.plan.strategy = kind;
            table.read(node, reader, out);
          }};
}

}  // namespace homeostat::config
