// A number out of HAProxy's statistics.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/draft.hpp"
#include "config/metric_source.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

// As HAProxy calls them. What only grows is used as so many a second.
constexpr std::array<std::string_view, 9> kNow{"qcur",  "scur",  "rate", "qtime", "ctime",
                                               "rtime", "ttime", "act",  "weight"};
constexpr std::array<std::string_view, 23> kGrowing{
    "stot",     "req_tot",  "lbtot",      "bin",      "bout",    "hrsp_1xx", "hrsp_2xx", "hrsp_3xx",
    "hrsp_4xx", "hrsp_5xx", "hrsp_other", "dreq",     "dresp",   "econ",     "eresp",    "eint",
    "wretr",    "wredis",   "cli_abrt",   "srv_abrt", "chkfail", "connect",  "reuse"};

struct HaproxyNumber {
  std::string field, done, server;
  std::optional<bool> of_servers;
  traffic::HaproxyPlace place;
  SourceTiming timing;
};

bool grows(std::string_view field) { return std::ranges::find(kGrowing, field) != kGrowing.end(); }

template <class... Lists>
Type<std::string> field_type(std::string name, const Lists&... lists) {
  std::vector<std::pair<std::string_view, std::string>> words;
  const auto add = [&](const auto& list) {
    for (const std::string_view word : list) words.emplace_back(word, word);
  };
  (add(lists), ...);
  return word_type<std::string>(std::move(name), std::move(words));
}

const Table<HaproxyNumber>& haproxy_table() {
  static const Table<HaproxyNumber> table = [] {
    Table<HaproxyNumber> rows("scaling.metric.haproxy",
                              "A number out of HAProxy's statistics (2.4 or later). A word alone is `field`.");
    rows.add("field", &HaproxyNumber::field, field_type("field of HAProxy's", kNow, kGrowing),
             {.text = "As HAProxy calls it. What HAProxy only counts up (`stot`, `req_tot`, `hrsp_5xx` …) is used as "
                      "so many a second, from one look to the next.",
              .example = "scur",
              .required = true});
    rows.add("of", &HaproxyNumber::of_servers,
             maybe(word_type<bool>("servers or backend", {{"servers", true}, {"backend", false}})),
             {.text = "`servers`: of each instance's server; `backend`: one number, of all together.",
              .otherwise = "`servers`; with `done` the backend",
              .example = "backend"});
    rows.add("done", &HaproxyNumber::done, field_type("field that only grows", kGrowing),
             {.text = "Of a queue (`kind: drain`): which field says how many were done so far.",
              .otherwise = "needed by `drain`, and only there",
              .example = "stot"});
    rows.add("socket", [](HaproxyNumber& number) -> auto& { return number.place.socket; }, path_type(),
             {.text = "The path of the runtime socket.",
              .otherwise = "as the service's `traffic` has it",
              .example = "/run/haproxy/admin.sock"});
    rows.add(
        "backend", [](HaproxyNumber& number) -> auto& { return number.place.backend; }, text_type(),
        {.text = "The backend that is meant.", .otherwise = "as the service's `traffic` has it", .example = "web"});
    rows.add("server", &HaproxyNumber::server, text_type(),
             {.text = "The name of an instance's server there. Placeholders: `{port}` `{instance}` `{service}`.",
              .otherwise = "as the service's `traffic` has it, else `{service}-{instance}`",
              .example = "m{port}"});
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
  probe::HaproxySource source{number.place, {number.field}, number.of_servers.value_or(!queue)};
  if (queue) source.columns.push_back(number.done);
  if (queue && source.of_servers)
    reader.problem(node.where("done"), "`done` is of the backend as a whole, not of its servers");
  if (queue && grows(number.field))
    reader.problem(node.where("field"), "of a queue it must say what waits now, such as `qcur`");
  if (!number.server.empty() && !source.of_servers)
    reader.problem(node.where("server"), "`server` means something with `of: servers` only");
  out.spec.queue = queue;
  out.spec.per_second = !queue && grows(number.field);
  if (source.of_servers) out.spec.instance_label = number.server.empty() ? traffic::Spec{}.server : number.server;
  out.spec.from = std::move(source);
  finish_source("haproxy", number.timing, out);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

void complete_source(const Resolution& in, const Named<ServiceDraft>& service, const Node& metric, SourceDraft& out) {
  auto* source = std::get_if<probe::HaproxySource>(&out.spec.from);
  if (source == nullptr) return;
  const Node& node = *metric.find(out.kind);
  std::string& label = out.spec.instance_label;
  if (service.value.traffic) {
    const traffic::Spec& usual = service.value.traffic->haproxy;
    if (source->place.socket.empty()) source->place.socket = usual.haproxy.socket;
    if (source->place.backend.empty()) source->place.backend = usual.haproxy.backend;
    if (source->of_servers && node.find("server") == nullptr) label = usual.server;
  } else if (source->place.socket.empty() || source->place.backend.empty()) {
    in.reader.problem(node.at, "`socket` and `backend` are needed: the service has no `traffic` that says them");
  }
  replace_all(label, "{service}", service.name);
  if (source->of_servers && !tells_apart(probe::FileSpec{.path = label}))
    in.reader.problem(node.at, fmt::format("the server {} is the same of every instance: add {{port}} or {{instance}}",
                                           quote(label)));
  Fingerprint print;
  print.add("haproxy").add(source->place.socket).add(source->place.backend).add(source->columns).add(label);
  out.identity = print.value();
}

const Section& haproxy_source_section() { return haproxy_table().section(); }

Type<SourceDraft> haproxy_source_type() { return {haproxy_table().type().shape, read_haproxy}; }

}  // namespace homeostat::config
