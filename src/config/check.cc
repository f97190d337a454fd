// A check: what it is for, when it runs, and one kind of looking.
#include "config/draft.hpp"

namespace homeostat::config {

const std::vector<Component<CheckDraft>>& check_kinds() {
  static const std::vector<Component<CheckDraft>> kinds{http_check(),   tcp_check(),     exec_check(),
                                                        file_check(),   process_check(), runtime_check(),
                                                        promql_check(), haproxy_check(), alert_check()};
  return kinds;
}

const Table<CheckDraft>& check_table() {
  static const Table<CheckDraft> table = [] {
    Table<CheckDraft> rows("check", "One way to observe a service. Exactly one kind must be given.");
    rows.add(
        "role", &CheckDraft::role,
        word_type<Role>("alive, ready or watch",
                        {{"alive", Role::alive}, {"ready", Role::ready}, {"watch", Role::watch}}),
        {.text =
             "`alive` may lead to a repair, `ready` only says whether the service can take work, `watch` only shows.",
         .fallback = "alive",
         .example = "ready"});
    rows.add(
        "scope", &CheckDraft::scope,
        maybe(word_type<Scope>("instance or service", {{"instance", Scope::instance}, {"service", Scope::service}})),
        {.text = "Whether each instance is looked at, or the service as a whole.",
         .otherwise = "`instance`; `service` when there are several instances and nothing in the target "
                      "(`{port}`, `{instance}`, `{release}`) tells them apart",
         .example = "service"});
    rows.include(timing_table(), &CheckDraft::policy);
    rows.kinds("check kind");
    add_kinds(rows, check_kinds());
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
