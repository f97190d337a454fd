// A number out of HAProxy's statistics.
#include "config/draft.hpp"
#include "config/haproxy_counter.hpp"
#include "config/metric_source.hpp"

namespace homeostat::config {
namespace {

struct HaproxyNumber {
  std::string field, done;
  std::optional<bool> of_servers;
  HaproxyAt at;
  SourceTiming timing;
};

const Table<HaproxyNumber>& haproxy_table() {
  static const Table<HaproxyNumber> table = [] {
    Table<HaproxyNumber> rows("scaling.metric.haproxy",
                              "A number out of HAProxy's statistics (2.4 or later). A word alone is `field`.");
    rows.add("field", &HaproxyNumber::field, haproxy_field_type(),
             {.text = "As HAProxy calls it. What HAProxy only counts up (`stot`, `req_tot`, `hrsp_5xx` …) is used as "
                      "so many a second, from one look to the next.",
              .example = "scur",
              .required = true});
    rows.add("of", &HaproxyNumber::of_servers,
             maybe(word_type<bool>("servers or backend", {{"servers", true}, {"backend", false}})),
             {.text = "`servers`: of each instance's server; `backend`: one number, of all together.",
              .otherwise = "`servers`; with `done` the backend",
              .example = "backend"});
    rows.add("done", &HaproxyNumber::done, haproxy_counter_type(),
             {.text = "Of a queue (`kind: drain`): which field says how many were done so far.",
              .otherwise = "needed by `drain`, and only there",
              .example = "stot"});
    rows.include(haproxy_at_table(), &HaproxyNumber::at);
    rows.include(source_timing_table(), &HaproxyNumber::timing);
    rows.shorthand("field");
    return rows;
  }();
  return table;
}

void read_haproxy(const Node& node, Reader& reader, SourceDraft& out) {
  HaproxyNumber number;
  haproxy_table().read(node, reader, number);
  const bool queue = !number.done.empty();
  probe::HaproxySource source{number.at.place, {number.field}, number.of_servers.value_or(!queue)};
  if (queue) source.columns.push_back(number.done);
  if (queue && source.of_servers)
    reader.problem(node.where("done"), "`done` is of the backend as a whole, not of its servers");
  if (queue && only_grows(number.field))
    reader.problem(node.where("field"), "of a queue it must say what waits now, such as `qcur`");
  if (!number.at.server.empty() && !source.of_servers)
    reader.problem(node.where("server"), "`server` means something with `of: servers` only");
  out.spec.queue = queue;
  out.spec.per_second = !queue && only_grows(number.field);
  if (source.of_servers) out.spec.instance_label = number.at.server.empty() ? traffic::Spec{}.server : number.at.server;
  out.spec.from = std::move(source);
  finish_source("haproxy", number.timing, out);
}

}  // namespace

void complete_source(const Resolution& in, const Named<ServiceDraft>& service, const Node& metric, SourceDraft& out) {
  auto* source = std::get_if<probe::HaproxySource>(&out.spec.from);
  if (source == nullptr) return;
  const Node& node = *metric.find(out.kind);
  std::string& label = out.spec.instance_label;
  if (node.find("server") == nullptr) label.clear();
  complete_haproxy(in, service, node, source->place, source->of_servers ? &label : nullptr);
  Fingerprint print;
  print.add("haproxy").add(source->place.socket).add(source->place.backend).add(source->columns).add(label);
  out.identity = print.value();
}

const Section& haproxy_source_section() { return haproxy_table().section(); }

Type<SourceDraft> haproxy_source_type() { return {haproxy_table().type().shape, read_haproxy}; }

}  // namespace homeostat::config
