// Notifiers that post over HTTP: our own JSON to anybody's webhook, and what Slack and those like it take.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/http_target.hpp"

namespace homeostat::config {
namespace {

struct WebhookDraft {
  SecretText url;
  Pairs headers;
  std::string ca_file;
};

void add_rows(Table<WebhookDraft>& rows, std::string_view example) {
  rows.add("url", &WebhookDraft::url, secret_type(),
           {.text = "The address, http or https. Who knows a secret address may post to it: keep it in a file.",
            .example = example,
            .required = true});
  rows.add(
      "ca_file", &WebhookDraft::ca_file, path_type(),
      {.text = "Certificates (PEM) to trust.", .otherwise = "those of the system", .example = "/etc/ssl/my-ca.pem"});
}

const Table<WebhookDraft>& webhook_table() {
  static const Table<WebhookDraft> table = [] {
    Table<WebhookDraft> rows(
        "notifier.webhook",
        "Posts JSON: `version` (1), `key`, `service`, `summary`, `incident`, `escalation`, `attempt`, `host`. A "
        "repetition has the same `key`, which is in the header `Idempotency-Key` as well. An answer other than 2xx "
        "is a failure.");
    add_rows(rows, "https://hooks.example.org/homeostat");
    rows.add("headers", &WebhookDraft::headers, secrets_type("header"),
             {.text = "Headers to send. A value may be `{ file: path }`: read when the configuration is loaded, never "
                      "shown.",
              .otherwise = "none",
              .example = "{ Authorization: { file: /etc/homeostat/token } }"});
    return rows;
  }();
  return table;
}

const Table<WebhookDraft>& slack_table() {
  static const Table<WebhookDraft> table = [] {
    Table<WebhookDraft> rows(
        "notifier.slack",
        "Posts `{\"text\": …}` to an incoming webhook of Slack, Mattermost, Rocket.Chat and others "
        "that take the same.");
    add_rows(rows, "{ file: /etc/homeostat/slack-url }");
    return rows;
  }();
  return table;
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void check_address(const WebhookDraft& draft, const Node& node, Reader& reader) {
  HttpTarget target;
  target.url = draft.url.value;
  probe::HttpSpec address;
  take_target(target, node, reader, address);
  if (target.url.find_first_of("{}") != std::string::npos) {
    reader.problem(node.where("url"), "nothing is filled into this address: braces cannot be part of it");
  }
  if (!address.tls && !draft.ca_file.empty()) {
    reader.problem(node.where("ca_file"), "`ca_file` is given but the address is not https");
  }
  if (!address.tls && !draft.headers.empty() && !is_loopback(address.host)) {
    reader.problem(node.where("headers"),
                   fmt::format("headers would go to {} for everybody to read: use https", address.host));
  }
}

void read_webhook(const Table<WebhookDraft>& table, notify::Dialect dialect, const Node& node, Reader& reader,
                  NotifierDraft& out) {
  WebhookDraft draft;
  table.read(node, reader, draft);
  notify::Webhook hook{dialect, draft.url.value, {}, draft.ca_file};
  for (const auto& [name, text] : draft.headers) hook.headers.emplace_back(name, text.value);
  if (!hook.url.empty()) check_address(draft, node, reader);
  out.identity = Fingerprint().add(draft.url.source).add(draft.headers).add(draft.ca_file).value();
  out.spec.sender.emplace(notify::Sender{.to = std::move(hook)});
}

Component<NotifierDraft> component(std::string key, std::string_view text, std::string_view example,
                                   const Table<WebhookDraft>& table, notify::Dialect dialect) {
  return {std::move(key),
          text,
          example,
          {&table.section()},
          [dialect, &table](const Node& node, Reader& reader, NotifierDraft& out) {
            read_webhook(table, dialect, node, reader, out);
          }};
}

}  // namespace

Component<NotifierDraft> webhook_notifier() {
  return component("webhook", "Posts JSON to a web server.", "{ url: 'https://hooks.example.org/homeostat' }",
                   webhook_table(), notify::Dialect::json);
}

Component<NotifierDraft> slack_notifier() {
  return component("slack", "Posts to a chat.", "{ url: { file: /etc/homeostat/slack-url } }", slack_table(),
                   notify::Dialect::slack);
}

}  // namespace homeostat::config
