// The check kind `haproxy`: a condition on what HAProxy counts of an instance.
#include "config/condition.hpp"
#include "config/draft.hpp"
#include "config/haproxy_counter.hpp"

namespace homeostat::config {
namespace {

struct Counter {
  std::string field, expect;
  HaproxyAt at;
};

const Table<Counter>& counter_table() {
  static const Table<Counter> table = [] {
    Table<Counter> rows("check.haproxy",
                        "What HAProxy (2.4 or later) counts of each instance's server, or with `scope: service` of the "
                        "backend, must fulfil a condition. What HAProxy does not tell is unknown: that is not the "
                        "service's fault.");
    rows.add("field", &Counter::field, haproxy_field_type(),
             {.text = "As HAProxy calls it. What HAProxy only counts up (`hrsp_5xx`, `econ`, `eresp` …) is used as so "
                      "many a second, from one look to the next.",
              .example = "hrsp_5xx",
              .required = true});
    rows.add("expect", &Counter::expect, condition_type(),
             {.text = "What must hold of the number: `<`, `<=`, `>`, `>=`, `==` or `!=` and a number.",
              .example = "'< 1'",
              .required = true});
    rows.include(haproxy_at_table(), &Counter::at);
    return rows;
  }();
  return table;
}

void read_counter(const Node& node, Reader& reader, CheckDraft& out) {
  Counter counter;
  counter_table().read(node, reader, counter);
  probe::HaproxySpec spec{.place = std::move(counter.at.place),
                          .server = std::move(counter.at.server),
                          .field = counter.field,
                          .grows = only_grows(counter.field),
                          .expect = {}};
  if (!counter.expect.empty()) {
    const auto expect = probe::read_condition(counter.expect);
    if (!expect) return reader.problem(node.where("expect"), quote(counter.expect) + " is no number to compare with");
    spec.expect = *expect;
  }
  out.spec = std::move(spec);
}

}  // namespace

Component<CheckDraft> haproxy_check() {
  return {"haproxy",
          "A condition on what HAProxy counts.",
          "{ field: hrsp_5xx, expect: '< 1' }",
          {&counter_table().section()},
          read_counter};
}

void complete_check(const Resolution& in, const Named<ServiceDraft>& service, Named<CheckDraft>& check) {
  auto* spec = std::get_if<probe::HaproxySpec>(&check.value.spec);
  if (spec == nullptr) return;
  const Node& node = *check.node->find("haproxy");
  const bool whole = check.value.scope == Scope::service;
  if (whole && !spec->server.empty()) {
    in.reader.problem(node.where("server"), "with `scope: service` it is the backend that is looked at, not a server");
  }
  complete_haproxy(in, service, node, spec->place, whole ? nullptr : &spec->server);
  Fingerprint print;
  print.add("haproxy").add(spec->place.socket).add(spec->place.backend).add(spec->server).add(spec->field);
  check.value.identity = print.add(probe::to_text(spec->expect)).value();
}

}  // namespace homeostat::config
