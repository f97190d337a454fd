// A ladder with its limits, and the kinds of failure that have one of their own.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

constexpr std::string_view kRungs = "ladder";

Type<std::vector<Placed<RungDraft>>> rungs_type() { return list_type(placed(rung_table().type())); }

template <class T, class Get>
void add_ladder_rows(Table<T>& rows, Get ladder, std::string_view otherwise) {
  rows.add(std::string(kRungs), [ladder](T& draft) -> auto& { return ladder(draft).rungs; }, maybe(rungs_type()),
           {.text = "The rungs: what is tried, in this order.",
            .otherwise = otherwise,
            .example = "[{ restart: { attempts: 2 } }, { escalate: { notify: oncall } }]"});
  rows.add("within", [ladder](T& draft) -> auto& { return ladder(draft).limits.within; },
           duration_type(std::chrono::seconds(1)),
           {.text = "When it has not helped after so long, a human is called whatever is left to try.",
            .otherwise = "when it is spent",
            .example = "30m"});
  rows.add("cooldown", [ladder](T& draft) -> auto& { return ladder(draft).limits.cooldown; }, duration_type(Duration{}),
           {.text = "So long after its end nothing more is tried for the same instance.",
            .fallback = "0s",
            .example = "10m"});
}

}  // namespace

const Table<LadderDraft>& ladder_table() {
  static const Table<LadderDraft> table = [] {
    Table<LadderDraft> rows("remediation", "What is tried when the service fails. A list alone is `ladder`.");
    add_ladder_rows(
        rows, [](LadderDraft& draft) -> LadderDraft& { return draft; },
        "`restart` with 3 attempts when the runtime can, then `escalate`");
    rows.shorthand(std::string(kRungs));
    return rows;
  }();
  return table;
}

Type<LadderDraft> ladder_type() {
  // The rungs of a list alone are read where they stand: what is wrong with them is reported later.
  return {ladder_table().type().shape, [](const Node& node, Reader& reader, LadderDraft& out) {
            if (!node.is_list()) return ladder_table().read(node, reader, out);
            maybe(rungs_type()).read(node, reader, out.rungs);
          }};
}

const Table<IssueDraft>& issue_table() {
  static const Table<IssueDraft> table = [] {
    Table<IssueDraft> rows("issue",
                           "A kind of failure with a ladder of its own: it is taken while nothing else of the instance "
                           "fails. Services that have it name it in their `issues`.");
    rows.add("checks", &IssueDraft::checks, list_type(placed(name_type("check"))),
             {.text = "The checks that fail, by name.", .otherwise = "none", .example = "[latency]"});
    rows.add("alerts", &IssueDraft::alerts, list_type(placed(text_type())),
             {.text = "… or checks of the kind `alert`, by the `alertname` among their labels.",
              .otherwise = "none",
              .example = "[HighLatency]"});
    add_ladder_rows(rows, [](IssueDraft& draft) -> LadderDraft& { return draft.ladder; }, "`escalate` alone");
    return rows;
  }();
  return table;
}

const Table<engine::Completion>& completion_table() {
  static const Table<engine::Completion> table = [] {
    Table<engine::Completion> rows(
        "completion",
        "For a service that is meant to end: what has ended well is done, counts as healthy, "
        "and is not run again until somebody starts it. Needs a runtime that tells how a run "
        "ended.");
    const auto statuses = list_type(converted<std::int32_t>(count_type(0, 255)));
    rows.add("ok", &engine::Completion::ok, statuses,
             {.text = "The exit statuses with which it has done its work; any other is a failure.",
              .fallback = "[0]",
              .example = "[0, 3]"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
