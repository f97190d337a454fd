#include "notify/sender.hpp"

#include <boost/json.hpp>

namespace homeostat::notify {
namespace {

namespace json = boost::json;

json::object object_of(const Webhook& hook) {
  json::array headers;
  for (const auto& [name, value] : hook.headers) headers.push_back(json::array{name, value});
  return {{"dialect", static_cast<int>(hook.dialect)},
          {"url", hook.url},
          {"headers", std::move(headers)},
          {"ca_file", hook.ca_file}};
}

json::object object_of(const Email& mail) {
  return {{"server", mail.server},  {"encryption", static_cast<int>(mail.encryption)},
          {"from", mail.from},      {"to", json::array(mail.to.begin(), mail.to.end())},
          {"user", mail.user},      {"password", mail.password},
          {"ca_file", mail.ca_file}};
}

std::string text_at(const json::object& from, std::string_view key) { return std::string(from.at(key).as_string()); }

Webhook webhook_of(const json::object& from) {
  Webhook hook{
      static_cast<Dialect>(from.at("dialect").to_number<int>()), text_at(from, "url"), {}, text_at(from, "ca_file")};
  for (const json::value& header : from.at("headers").as_array()) {
    hook.headers.emplace_back(header.at(0).as_string(), header.at(1).as_string());
  }
  return hook;
}

Email email_of(const json::object& from) {
  Email mail{text_at(from, "server"), static_cast<Encryption>(from.at("encryption").to_number<int>()),
             text_at(from, "from"),   {},
             text_at(from, "user"),   text_at(from, "password"),
             text_at(from, "ca_file")};
  for (const json::value& to : from.at("to").as_array()) mail.to.emplace_back(to.as_string());
  return mail;
}

}  // namespace

std::string written(const Sender& sender) {
  const auto* hook = std::get_if<Webhook>(&sender.to);
  const json::object out{{hook != nullptr ? "webhook" : "email",
                          hook != nullptr ? object_of(*hook) : object_of(std::get<Email>(sender.to))},
                         {"timeout", sender.timeout.count()}};
  return json::serialize(out);
}

std::expected<Sender, Error> read_sender(std::string_view text) {
  try {
    const json::object from = json::parse(text).as_object();
    Sender sender{.to = {}, .timeout = Duration(from.at("timeout").to_number<std::int64_t>())};
    if (const json::value* hook = from.if_contains("webhook"))
      sender.to = webhook_of(hook->as_object());
    else
      sender.to = email_of(from.at("email").as_object());
    return sender;
  } catch (const std::exception&) {  // what it says may show a secret
    return fail("what is to be sent was not understood; it is given by Homeostat itself");
  }
}

}  // namespace homeostat::notify
