// Where a page is sent and how, as configured.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "homeostat/time.hpp"

namespace homeostat::notify {

/// What is posted: our own JSON, or what Slack's incoming webhooks take.
enum class Dialect : std::uint8_t { json, slack };

struct Webhook {
  Dialect dialect = Dialect::json;
  std::string url;  // secret: who knows it may post
  std::vector<std::pair<std::string, std::string>> headers;
  std::string ca_file;  // empty: the system's
  friend bool operator==(const Webhook&, const Webhook&) = default;
};

enum class Encryption : std::uint8_t { starttls, tls, none };

struct Email {
  std::string server;  // host:port
  Encryption encryption = Encryption::starttls;
  std::string from;
  std::vector<std::string> to;
  std::string user;  // empty: no authentication
  std::string password;
  std::string ca_file;
  friend bool operator==(const Email&, const Email&) = default;
};

struct Sender {
  std::variant<Webhook, Email> to;
  Duration timeout = std::chrono::seconds(30);
  friend bool operator==(const Sender&, const Sender&) = default;
};

/// The sender as one line of JSON, for the process that sends. It holds secrets: it goes into the environment of that
/// process and nowhere else.
std::string written(const Sender& sender);
std::expected<Sender, Error> read_sender(std::string_view text);

}  // namespace homeostat::notify
