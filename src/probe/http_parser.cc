#include "probe/http_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace homeostat::probe {
namespace {

constexpr std::size_t kMaxChunkLine = 256;
constexpr std::string_view kVersion = "HTTP/1.";

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool is_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
  });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, [](char x, char y) { return lower(x) == y; });
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

void HttpParser::reset(bool head, std::size_t keep) {
  state_ = State::more;
  step_ = Step::status_line;
  head_request_ = head;
  keep_alive_ = true;
  chunked_ = sized_ = cut_ = extra_ = false;
  minor_ = 1;
  status_ = 0;
  keep_limit_ = std::min(keep, kMaxBody);
  head_bytes_ = 0;
  body_bytes_ = remaining_ = 0;
  complaint_ = "";
  line_.clear();
  body_.clear();
  location_.clear();
}

HttpParser::State HttpParser::feed(std::string_view in) {
  while (!in.empty() && state_ == State::more) {
    const bool in_body = step_ == Step::sized || step_ == Step::to_close || step_ == Step::chunk;
    in = in_body ? take_body(in) : take_line(in);
  }
  if (!in.empty()) extra_ = true;
  return state_;
}

HttpParser::State HttpParser::end() {
  if (state_ != State::more) return state_;
  keep_alive_ = false;
  state_ = step_ == Step::to_close ? State::done : State::truncated;
  return state_;
}

std::string_view HttpParser::take_line(std::string_view in) {
  const void* found = std::memchr(in.data(), '\n', in.size());
  const std::size_t used =
      found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - in.data()) + 1 : in.size();
  const std::string_view rest = in.substr(used);
  std::string_view line = in.substr(0, used);
  const bool in_chunks = step_ == Step::chunk_size || step_ == Step::chunk_end;
  if (in_chunks) {
    body_bytes_ += used;
    if (line_.size() + used > kMaxChunkLine) return fail(State::garbage, "a chunk size line without end"), rest;
    if (body_bytes_ > kMaxBody) return fail(State::too_large, "the body is longer than 1 MiB"), rest;
  } else {
    head_bytes_ += used;
    if (head_bytes_ > kMaxHead) return fail(State::too_large, "the headers are longer than 16 KiB"), rest;
  }
  if (found == nullptr || !line_.empty()) {
    line_.append(line);
    line = line_;
  }
  if (step_ == Step::status_line) {  // what is not HTTP at all need not send a whole line to be recognised
    const std::string_view start = line.substr(0, kVersion.size());
    if (start != kVersion.substr(0, start.size())) return fail(State::garbage, "it does not begin with HTTP/1."), rest;
  }
  if (found == nullptr) return rest;
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  on_line(line);
  line_.clear();
  return rest;
}

void HttpParser::on_line(std::string_view line) {
  switch (step_) {
    case Step::status_line:
      return on_status_line(line);
    case Step::headers:
      return line.empty() ? on_head_end() : on_header(line);
    case Step::chunk_size:
      return on_chunk_size(line);
    case Step::chunk_end:
      if (!line.empty()) return fail(State::garbage, "a chunk is longer than its size says");
      step_ = Step::chunk_size;
      return;
    case Step::trailers:
      if (line.empty()) {
        state_ = State::done;
      } else if (!is_text(line)) {
        fail(State::garbage, "a trailer with control characters");
      }
      return;
    case Step::sized:
    case Step::to_close:
    case Step::chunk:
      return;  // bodies have no lines
  }
}

void HttpParser::on_status_line(std::string_view line) {
  // HTTP/1.x SP three digits, then SP and any text, or nothing
  const bool shape = line.size() >= 12 && line.starts_with(kVersion) && (line[7] == '0' || line[7] == '1') &&
                     line[8] == ' ' && line[9] >= '1' && line[9] <= '5' && digit(line[10]) && digit(line[11]) &&
                     (line.size() == 12 || line[12] == ' ') && is_text(line);
  if (!shape) return fail(State::garbage, "the status line is not that of HTTP/1.0 or HTTP/1.1");
  minor_ = line[7] - '0';
  keep_alive_ = minor_ == 1;
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  step_ = Step::headers;
}

void HttpParser::on_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return fail(State::garbage, "a header line without a colon");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_token(name)) return fail(State::garbage, "a header name with characters that are not allowed");
  if (!is_text(value)) return fail(State::garbage, "a header with control characters");
  if (same(name, "content-length")) return on_length(value);
  if (same(name, "connection")) return on_connection(value);
  if (same(name, "location")) {
    location_ = value;
  } else if (same(name, "transfer-encoding")) {
    if (chunked_ || minor_ == 0 || !same(value, "chunked")) {
      return fail(State::garbage, "a transfer encoding that was not asked for");
    }
    chunked_ = true;
  }
}

void HttpParser::on_length(std::string_view value) {
  if (value.empty() || value.size() > 18 || !std::ranges::all_of(value, digit)) {
    return fail(State::garbage, "a Content-Length that is not a number");
  }
  std::uint64_t length = 0;
  for (char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  if (sized_ && length != remaining_) return fail(State::garbage, "two different Content-Lengths");
  sized_ = true;
  remaining_ = length;
}

void HttpParser::on_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim(value.substr(0, comma));
    if (same(option, "close")) keep_alive_ = false;
    if (same(option, "keep-alive") && minor_ == 0) keep_alive_ = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

void HttpParser::on_head_end() {
  if (status_ < 200 && status_ != 101) {  // an interim answer; head_bytes_ bounds how many there can be
    chunked_ = sized_ = false;
    remaining_ = 0;
    location_.clear();
    step_ = Step::status_line;
    return;
  }
  if (chunked_ && sized_) return fail(State::garbage, "both a Content-Length and a Transfer-Encoding");
  if (status_ == 101) keep_alive_ = false;
  if (head_request_ || status_ == 101 || status_ == 204 || status_ == 304) {
    state_ = State::done;
  } else if (chunked_) {
    step_ = Step::chunk_size;
  } else if (!sized_) {
    keep_alive_ = false;
    step_ = Step::to_close;
  } else if (remaining_ == 0) {
    state_ = State::done;
  } else {
    step_ = Step::sized;
    if (remaining_ > kMaxBody) {
      keep_alive_ = false;
      if (keep_limit_ == 0) {
        cut_ = true;
        state_ = State::done;
      }
    }
  }
}

std::string_view HttpParser::take_body(std::string_view in) {
  if (step_ == Step::to_close) {
    body_bytes_ += in.size();
    keep(in);
    if (body_bytes_ > kMaxBody) fail(State::too_large, "the body is longer than 1 MiB");
    return {};
  }
  const std::size_t used = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), remaining_));
  keep(in.substr(0, used));
  remaining_ -= used;
  if (step_ == Step::chunk) {
    body_bytes_ += used;
    if (body_bytes_ > kMaxBody) fail(State::too_large, "the body is longer than 1 MiB");
    if (remaining_ == 0) step_ = Step::chunk_end;
  } else if (remaining_ == 0 || (cut_ && !keep_alive_ && remaining_ > kMaxBody)) {
    state_ = State::done;
  }
  return in.substr(used);
}

void HttpParser::on_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t at = 0;
  for (; at < line.size() && hex_digit(line[at]) >= 0; ++at) {
    if (at == 15) return fail(State::garbage, "a chunk size that is not a number");
    size = size * 16 + static_cast<std::uint64_t>(hex_digit(line[at]));
  }
  const std::string_view rest = trim(line.substr(at));
  if (at == 0 || (!rest.empty() && rest.front() != ';') || !is_text(rest)) {
    return fail(State::garbage, "a chunk size that is not a number");
  }
  remaining_ = size;
  step_ = size == 0 ? Step::trailers : Step::chunk;
}

void HttpParser::keep(std::string_view part) {
  const std::size_t room = keep_limit_ - body_.size();
  if (part.size() > room) cut_ = true;
  body_.append(part.substr(0, room));
}

void HttpParser::fail(State state, const char* complaint) {
  state_ = state;
  keep_alive_ = false;
  complaint_ = complaint;
}

}  // namespace homeostat::probe
