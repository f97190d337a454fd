// Where an Alertmanager posts its alerts, and who may.
#include "config/alerts.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/draft.hpp"
#include "core/base64.hpp"

namespace homeostat::config {

const Table<AlertsDraft>& alerts_table() {
  static const Table<AlertsDraft> table = [] {
    Table<AlertsDraft> rows(
        "alerts",
        "A receiver for an Alertmanager's webhook: POST `/v1/alerts`, and nothing else. What it tells "
        "is seen by checks of the kind `alert`.");
    rows.add("listen", &AlertsDraft::listen, text_type(),
             {.text = "ADDRESS:PORT to listen at. Whoever may connect to another address than the loopback needs a "
                      "`token` or a `password`.",
              .example = "127.0.0.1:9096",
              .required = true});
    rows.add("token", &AlertsDraft::token, secret_type(),
             {.text = "What must be sent as `Authorization: Bearer …`.",
              .otherwise = "none is asked for",
              .example = "{ file: /etc/homeostat/alerts-token }"});
    rows.add("user", &AlertsDraft::user, text_type(),
             {.text = "The user of basic authentication.", .otherwise = "none", .example = "alertmanager"});
    rows.add("password", &AlertsDraft::password, secret_type(),
             {.text = "That user's password.",
              .otherwise = "needed with `user`",
              .example = "{ file: /etc/homeostat/alerts-password }"});
    rows.add("repeat", &AlertsDraft::repeat, duration_type(std::chrono::seconds(1)),
             {.text = "The Alertmanager's `repeat_interval`: an alert that has not been repeated for twice as long is "
                      "unknown.",
              .fallback = "4h",
              .example = "1h"});
    return rows;
  }();
  return table;
}

namespace {

struct Listen {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};

std::optional<Listen> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_count(text.substr(colon + 1), 65535);
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  in_addr v4{};
  in6_addr v6{};
  if (!port || *port == 0) return std::nullopt;
  Listen out{host, static_cast<std::uint16_t>(*port)};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    out.loopback = ntohl(v4.s_addr) >> 24 == 127;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    out.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<AlertsSpec> take_alerts(const AlertsDraft& draft, const Node& node, Reader& reader) {
  const auto listen = parse_listen(draft.listen);
  if (!listen) {
    if (node.find("listen") != nullptr) {
      reader.problem(node.where("listen"),
                     fmt::format("{} is no ADDRESS:PORT with a numeric address", quote(draft.listen)));
    }
    return std::nullopt;
  }
  AlertsSpec out{.address = listen->address, .port = listen->port, .repeat = draft.repeat};
  if (!draft.token.value.empty()) out.authorizations.push_back("Bearer " + draft.token.value);
  if ((node.find("user") == nullptr) != (node.find("password") == nullptr))
    reader.problem(node.at, "`user` and `password` belong together");
  if (!draft.user.empty()) out.authorizations.push_back("Basic " + base64(draft.user + ":" + draft.password.value));
  const bool asks = node.find("token") != nullptr || node.find("user") != nullptr;
  if (!asks && !listen->loopback) {
    reader.problem(node.where("listen"), "anybody could post here: give a `token`, or `user` and `password`");
  }
  return out;
}

}  // namespace homeostat::config
