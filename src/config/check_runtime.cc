// The check kind `runtime`: the instance as whoever runs it sees it.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

const Table<probe::RuntimeSpec>& runtime_table() {
  static const Table<probe::RuntimeSpec> table = [] {
    using probe::RuntimeSpec;
    Table<RuntimeSpec> rows(
        "check.runtime",
        "What the runtime says of the instance: a unit that has failed is a failure, and so is one "
        "that is restarted again and again. While the runtime does not answer, or is at it, the check "
        "is unknown.");
    rows.add("restarts", &RuntimeSpec::restarts, count_type(1, 1000),
             {.text = "So many restarts by the runtime itself within `within` are a failure, too.",
              .fallback = "3",
              .example = "5"});
    rows.add("within", &RuntimeSpec::within, duration_type(std::chrono::seconds(1)),
             {.text = "How long a restart counts.", .fallback = "10m", .example = "1h"});
    return rows;
  }();
  return table;
}

}  // namespace

Component<CheckDraft> runtime_check() {
  return {"runtime",
          "The instance as its runtime sees it.",
          "{ restarts: 3, within: 10m }",
          {&runtime_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            probe::RuntimeSpec spec;
            runtime_table().read(node, reader, spec);
            Fingerprint print;
            out.identity =
                print.add("runtime").add(spec.restarts).add(static_cast<std::uint64_t>(spec.within.count())).value();
            out.spec = spec;
          }};
}

}  // namespace homeostat::config
