// The check kind `alert`: what an Alertmanager has told.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/told_argv.hpp"
#include "core/variable.hpp"

namespace homeostat::config {
namespace {

struct Alert {
  std::vector<std::pair<std::string, std::string>> labels;
};

void check_label(const Key& key, const Node& value, Reader& reader) {
  if (!is_label_name(key.text)) {
    reader.problem(
        key.at, quote(key.text) + " is no name of a label that is looked at: letters, digits and `_`, no digit first");
  }
  if (!value.is_scalar()) return reader.problem(value.at, "a text is needed here");
  if (value.text.empty()) return reader.problem(value.at, "no alert has an empty label");
  const std::string wrong = not_filled_in(value.text, "port instance", kOfPlaces);
  if (!wrong.empty()) reader.problem(value.at, wrong);
}

Type<std::vector<std::pair<std::string, std::string>>> labels_type() {
  return {{"map of texts", R"({"type":"object","minProperties":1,"additionalProperties":{"type":"string"}})"},
          [](const Node& node, Reader& reader, std::vector<std::pair<std::string, std::string>>& out) {
            if (!node.is_map() || node.keys.empty()) {
              return reader.problem(node.at, "labels are needed here: { alertname: Down }");
            }
            for (std::size_t i = 0; i < node.keys.size(); ++i) {
              check_label(node.keys[i], node.items[i], reader);
              out.emplace_back(node.keys[i].text, node.items[i].text);
            }
          }};
}

const Table<Alert>& alert_table() {
  static const Table<Alert> table = [] {
    Table<Alert> rows(
        "check.alert",
        "Fails while an alert fires that has all these labels. Alerts are posted by an Alertmanager to "
        "`/v1/alerts`, see `alerts`. One that is not repeated any more is unknown. Here "
        "`failure_threshold` is 1 unless the check says otherwise: an alert has been waited for already.");
    rows.add("labels", &Alert::labels, labels_type(),
             {.text = "The labels an alert must have, by name. `{instance}` and `{port}` are filled in.",
              .example = "{ alertname: Down, instance: '127.0.0.1:{port}' }",
              .required = true});
    return rows;
  }();
  return table;
}

}  // namespace

CheckPolicy alert_timing(CheckPolicy defaults) {
  defaults.failure_threshold = 1;
  return defaults;
}

Component<CheckDraft> alert_check() {
  return {"alert",
          "Told by an Alertmanager.",
          "{ labels: { alertname: Down, service: web } }",
          {&alert_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            Alert alert;
            alert_table().read(node, reader, alert);
            Fingerprint print;
            print.add("alert");
            for (const auto& [name, value] : alert.labels)
              print.add(std::string_view(name)).add(std::string_view(value));
            out.identity = print.value();
            out.spec = probe::AlertSpec{std::move(alert.labels)};
          }};
}

}  // namespace homeostat::config
