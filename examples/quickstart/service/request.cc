#include "request.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace quickstart {
namespace {

constexpr std::size_t kMaxRequest = 8192;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// One header line. Returns false when it makes the request one we do not take.
bool take_header(std::string_view line, Request& request, std::size_t& body) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_ignoring_case(name, "transfer-encoding")) return false;
  if (same_ignoring_case(name, "connection")) {
    request.keep_alive = same_ignoring_case(value, "keep-alive") || (request.keep_alive && value != "close");
  }
  if (same_ignoring_case(name, "content-length")) {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), body);
    if (error != std::errc{} || end != value.data() + value.size()) return false;
  }
  return true;
}

bool take_request_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  request.keep_alive = version == "HTTP/1.1";
  return version == "HTTP/1.1" || version == "HTTP/1.0";
}

}  // namespace

Parsed parse(std::string_view input) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return {input.size() > kMaxRequest ? State::bad : State::partial, 0, {}};
  Parsed parsed{State::bad, 0, {}};
  std::size_t body = 0;
  std::string_view head = input.substr(0, end);
  bool first = true;
  while (!head.empty()) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    if (first ? !take_request_line(line, parsed.request) : !take_header(line, parsed.request, body)) return parsed;
    first = false;
    head.remove_prefix(std::min(line_end + 2, head.size()));
  }
  parsed.used = end + 4;
  if (first || body > kMaxRequest) return parsed;
  parsed.state = input.size() - parsed.used < body ? State::partial : State::whole;
  parsed.used += body;
  return parsed;
}

}  // namespace quickstart
