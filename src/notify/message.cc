#include "notify/message.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "core/text.hpp"

namespace homeostat::notify {
namespace {

namespace json = boost::json;

constexpr std::size_t kHeadline = 200;  // bytes
constexpr std::size_t kSummary = 4'000;
constexpr std::size_t kEncodedWord = 45;  // bytes of text: 60 of base64, and 75 is the most (RFC 2047)
constexpr std::size_t kMailLine = 57;     // bytes of text: 76 of base64 (RFC 2045)

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// Splits between characters.
std::string_view front(std::string_view& text, std::size_t most) {
  std::size_t length = 0;
  while (length < text.size()) {
    const std::size_t next = std::max<std::size_t>(utf8_length(text.substr(length)), 1);
    if (length + next > most) break;
    length += next;
  }
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// A header's text; what is not ASCII as encoded words (RFC 2047), a folded line each.
std::string header_text(std::string_view text) {
  if (is_plain(text) && !text.contains("=?")) return std::string(text);
  std::string out;
  while (!text.empty()) {
    out += fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(front(text, kEncodedWord)));
  }
  return out;
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? "localhost" : address.substr(at + 1);
}

// For people: what is known of the page, a line each.
std::string details(const Page& page) {
  std::string out;
  if (!page.service.empty()) out += fmt::format("service:  {}\n", page.service);
  out += fmt::format("host:     {}\n", page.host);
  if (!page.incident.empty()) out += fmt::format("incident: {}\n", page.incident);
  const std::string about = page.service.empty() ? "" : " " + page.service;
  out += fmt::format("\nMore: `homeostat why{0}` and `homeostat history{0}` on {1}.\n", about, page.host);
  return out;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 128;
}

// Between these, chats find mentions (`@here`, `#general`), links (`http://…`, `www.…`, `mail.ru`) and the markup of
// links (`](`). Numbers and times stay as they are.
bool comes_alive(char before, char c, char after) {
  if (after == ' ' || after == '\0') return false;
  if (c == '.') return is_letter(before) || is_letter(after);
  return c == ':' ? is_letter(before) : std::string_view("@#~]").contains(c);
}

// What stays text wherever it is shown: a space without width stands in what would come alive.
std::string inert(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    const char before = i == 0 ? ' ' : text[i - 1];
    if (comes_alive(before, text[i], i + 1 == text.size() ? '\0' : text[i + 1])) out += "\u200b";
  }
  return out;
}

json::value number_or_null(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? json::value(value) : json::value(nullptr);
}

}  // namespace

std::string headline(const Page& page) {
  return printable(page.service.empty() ? page.summary : page.service + ": " + page.summary, kHeadline);
}

std::string webhook_body(const Page& page) {
  const json::object body{{"version", 1},
                          {"key", page.key},
                          {"service", printable(page.service)},
                          {"summary", printable(page.summary, kSummary)},
                          {"incident", number_or_null(page.incident)},
                          {"escalation", printable(page.escalation)},
                          {"attempt", number_or_null(page.attempt)},
                          {"host", printable(page.host)}};
  return json::serialize(body);
}

std::string slack_body(const Page& page) {
  const std::string text = fmt::format("{}\nhost {}{}{}, key {}", inert(printable(page.summary, kSummary)), page.host,
                                       page.service.empty() ? "" : ", service " + page.service,
                                       page.incident.empty() ? "" : ", incident " + page.incident, page.key);
  std::string escaped;
  for (const char c : text) escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return json::serialize(json::object{{"text", escaped}});
}

std::string mail(const Page& page, const Email& to, const std::string& date) {
  std::string receivers;
  for (const std::string& receiver : to.to) receivers += (receivers.empty() ? "" : ",\r\n ") + receiver;
  std::string out = fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: auto-generated\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
      date, to.from, receivers, header_text("[homeostat] " + headline(page)), page.key, domain_of(to.from));
  const std::string text = printable(page.summary, kSummary) + "\n\n" + details(page);
  for (std::size_t at = 0; at < text.size(); at += kMailLine) {
    out += base64(std::string_view(text).substr(at, kMailLine)) + "\r\n";
  }
  return out;
}

}  // namespace homeostat::notify
