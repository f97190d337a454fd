// The notifier `email`: a message by way of a mail server.
#include <fmt/format.h>

#include <algorithm>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using notify::Email;
using notify::Encryption;

struct EmailDraft {
  Email mail;
  SecretText password;
};

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  const bool plain = std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && std::string_view("<>(),;:\\\"[]").find(c) == std::string_view::npos;
  });
  return plain && at != 0 && at != std::string_view::npos && at + 1 < text.size() && text.rfind('@') == at;
}

Type<std::string> address_type() {
  return {{"mail address", R"({"type":"string","pattern":"^[^@ ]+@[^@ ]+$"})"},
          [](const Node& node, Reader& reader, std::string& out) {
            if (node.is_scalar() && is_address(node.text)) {
              out = node.text;
              return;
            }
            reader.problem(node.at,
                           fmt::format("{} is no mail address (write `oncall@example.org`)", quote(node.text)));
          }};
}

const Table<EmailDraft>& email_table() {
  static const Table<EmailDraft> table = [] {
    Table<EmailDraft> rows(
        "notifier.email", "Sends a message by SMTP. A repetition has the same Message-ID: mail programs show it once.");
    rows.add("server", [](EmailDraft& draft) -> auto& { return draft.mail.server; }, text_type(),
             {.text = "The mail server, as `host:port`; the port is 587, with `encryption: tls` 465, with `none` 25 "
                      "unless it is given.",
              .example = "smtp.example.org:587",
              .required = true});
    rows.add("from", [](EmailDraft& draft) -> auto& { return draft.mail.from; }, address_type(),
             {.text = "The sender.", .example = "homeostat@example.org", .required = true});
    rows.add("to", [](EmailDraft& draft) -> auto& { return draft.mail.to; }, list_type(address_type()),
             {.text = "Who gets it.", .example = "[oncall@example.org]", .required = true});
    rows.add("user", [](EmailDraft& draft) -> auto& { return draft.mail.user; }, text_type(),
             {.text = "The name to sign in with.", .otherwise = "nobody signs in", .example = "homeostat"});
    rows.add("password", &EmailDraft::password, secret_type(),
             {.text = "The password, best kept in a file.",
              .otherwise = "needed with `user`, and only there",
              .example = "{ file: /etc/homeostat/smtp-password }"});
    rows.add("encryption", [](EmailDraft& draft) -> auto& { return draft.mail.encryption; },
             word_type<Encryption>(
                 "starttls, tls or none",
                 {{"starttls", Encryption::starttls}, {"tls", Encryption::tls}, {"none", Encryption::none}}),
             {.text = "`starttls`: the server must offer it; `tls` from the first byte; `none` in the open.",
              .fallback = "starttls",
              .example = "tls"});
    rows.add(
        "ca_file", [](EmailDraft& draft) -> auto& { return draft.mail.ca_file; }, path_type(),
        {.text = "Certificates (PEM) to trust.", .otherwise = "those of the system", .example = "/etc/ssl/my-ca.pem"});
    return rows;
  }();
  return table;
}

std::string_view usual_port(Encryption encryption) {
  return encryption == Encryption::starttls ? "587" : encryption == Encryption::tls ? "465" : "25";
}

// Adds the port where it is missing.
void take_server(Email& mail, const Node& node, Reader& reader) {
  const bool bad = std::ranges::any_of(mail.server, [](char c) { return c <= ' ' || c > '~' || c == '/' || c == '@'; });
  const std::size_t bracket = mail.server.rfind(']');
  const std::size_t colon = mail.server.find(':', bracket == std::string::npos ? 0 : bracket);
  const bool given = colon != std::string::npos;
  if (bad || colon == 0 || (given && !parse_range(std::string_view(mail.server).substr(colon + 1), 1, 65535))) {
    return reader.problem(node.where("server"),
                          fmt::format("{} is no server (write `smtp.example.org:587`)", quote(mail.server)));
  }
  if (!given) mail.server += fmt::format(":{}", usual_port(mail.encryption));
}

void read_email(const Node& node, Reader& reader, NotifierDraft& out) {
  EmailDraft draft;
  email_table().read(node, reader, draft);
  Email& mail = draft.mail;
  if (!mail.server.empty()) take_server(mail, node, reader);
  if (const Node* to = node.find("to"); to != nullptr && to->is_list() && to->items.empty()) {
    reader.problem(to->at, "at least one mail address is needed");
  }
  if ((node.find("user") == nullptr) != (node.find("password") == nullptr)) {
    reader.problem(node.at, "`user` and `password` are given together or not at all");
  }
  if (!mail.user.empty() && mail.encryption == Encryption::none) {
    reader.problem(node.where("encryption"),
                   "the password would go out for everybody to read: use `starttls` or `tls`");
  }
  if (mail.encryption == Encryption::none && !mail.ca_file.empty()) {
    reader.problem(node.where("ca_file"), "without encryption there is nothing to verify");
  }
  mail.password = draft.password.value;
  out.identity = Fingerprint()
                     .add(mail.server)
                     .add(mail.from)
                     .add(mail.to)
                     .add(mail.user)
                     .add(draft.password.source)
                     .add(static_cast<std::uint64_t>(mail.encryption))
                     .add(mail.ca_file)
                     .value();
  out.spec.sender.emplace(notify::Sender{.to = std::move(mail)});
}

}  // namespace

Component<NotifierDraft> email_notifier() {
  return {"email",
          "Sends a message.",
          "{ server: 'smtp.example.org:587', from: homeostat@example.org, to: [oncall@example.org] }",
          {&email_table().section()},
          read_email};
}

}  // namespace homeostat::config
