#include <array>
#include <charconv>
#include <limits>

#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"

namespace homeostat::engine {

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void JsonCursor::blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
    ++at_;
  }
}

bool JsonCursor::at_end() {
  blanks();
  return at_ == text_.size();
}

bool JsonCursor::take(char c) {
  blanks();
  if (failed_ || at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void JsonCursor::expect(char c) {
  if (!take(c)) failed_ = true;
}

bool JsonCursor::literal(std::string_view word) {
  blanks();
  if (failed_ || !text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

namespace {

/// Takes the whole number at `at`; 0 and `failed`: there is none.
template <class Integer>
Integer taken(std::string_view text, std::size_t& at, bool& failed) {
  Integer value = 0;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (failed || error != std::errc{}) {
    failed = true;
    return 0;
  }
  at += static_cast<std::size_t>(end - begin);
  return value;
}

}  // namespace

std::int64_t JsonCursor::number() {
  blanks();
  return taken<std::int64_t>(text_, at_, failed_);
}

std::uint64_t JsonCursor::natural() {
  blanks();
  return taken<std::uint64_t>(text_, at_, failed_);
}

// Our own writer escapes only what it must, as \" \\ or \u00XX; the other short forms are read for the sake of people
// who edit by hand. Code points above 0xff do not occur escaped.
void JsonCursor::append_escape(std::string& out) {
  if (at_ >= text_.size()) return fail();
  const char c = text_[at_++];
  static constexpr std::string_view kFrom = "\"\\/bfnrt";
  static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (const auto known = kFrom.find(c); known != std::string_view::npos) {
    out += kTo[known];
    return;
  }
  unsigned value = 0;
  if (c != 'u' || at_ + 4 > text_.size()) return fail();
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, begin + 4, value, 16);
  if (error != std::errc{} || end != begin + 4 || value > 0xff) return fail();
  at_ += 4;
  out += static_cast<char>(value);
}

bool JsonCursor::key(std::string_view key) {
  const std::string_view rest = text_.substr(at_);
  const bool next = !failed_ && rest.size() >= key.size() + 3 && rest[0] == '"' && rest.substr(1, key.size()) == key &&
                    rest[key.size() + 1] == '"' && rest[key.size() + 2] == ':';
  if (next) at_ += key.size() + 3;
  return next;
}

std::string JsonCursor::string() {
  std::string out;
  string(out);
  return out;
}

void JsonCursor::string(std::string& out) {
  out.clear();
  expect('"');
  while (!failed_) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\\') ++end;
    if (end == text_.size()) return fail();
    out.append(text_, at_, end - at_);
    at_ = end + 1;
    if (text_[end] == '"') return;
    append_escape(out);
  }
}

std::string_view JsonCursor::skip_value(int depth) {
  blanks();
  const std::size_t begin = at_;
  if (failed_ || at_ >= text_.size() || depth > 32) {
    fail();
    return {};
  }
  const char c = text_[at_];
  if (c == '"') {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size())
      fail();
    else
      ++at_;
  } else if (c == '{' || c == '[') {
    const char close = c == '{' ? '}' : ']';
    ++at_;
    if (!take(close)) {
      do {
        skip_value(depth + 1);
        if (c == '{') {
          expect(':');
          skip_value(depth + 1);
        }
      } while (!failed_ && take(','));
      expect(close);
    }
  } else {
    static constexpr std::string_view kEnd = ",]} \n\t\r";
    while (at_ < text_.size() && kEnd.find(text_[at_]) == std::string_view::npos) ++at_;
    if (at_ == begin) fail();
  }
  return failed_ ? std::string_view{} : text_.substr(begin, at_ - begin);
}

}  // namespace homeostat::engine
