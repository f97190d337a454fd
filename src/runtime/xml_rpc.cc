#include "runtime/xml_rpc.hpp"

#include <charconv>

namespace homeostat::runtime {
namespace {

constexpr int kDeepest = 16;
constexpr std::size_t kMostValues = 100'000;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

std::string unescaped(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNames[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string out;
  while (!text.empty()) {
    std::size_t taken = 1;
    char c = text.front();
    for (const auto& [name, stands_for] : kNames) {
      if (!text.starts_with(name)) continue;
      taken = name.size();
      c = stands_for;
    }
    out += c;
    text.remove_prefix(taken);
  }
  return out;
}

/// Goes over the text tag by tag; after an error it stays failed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  XmlValue fail() {
    failed_ = true;
    return {};
  }
  /// Consumes blanks and `<name>`; false when something else is next.
  bool take(std::string_view tag) {
    blanks();
    if (!text_.starts_with(tag)) return false;
    text_.remove_prefix(tag.size());
    return true;
  }
  void expect(std::string_view tag) {
    if (!take(tag)) failed_ = true;
  }
  std::string_view until_tag() {
    const std::string_view found = text_.substr(0, text_.find('<'));
    text_.remove_prefix(found.size());
    return found;
  }
  void skip_prolog() {
    blanks();
    if (!text_.starts_with("<?")) return;
    const auto end = text_.find("?>");
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 2);
  }
  bool ended() {
    blanks();
    return text_.empty();
  }
  bool count() { return ++values_ <= kMostValues; }

 private:
  void blanks() {
    const auto at = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(at == std::string_view::npos ? text_.size() : at);
  }

  std::string_view text_;
  bool failed_ = false;
  std::size_t values_ = 0;
};

XmlValue read_value(Cursor& at, int depth);

XmlValue read_list(Cursor& at, int depth) {
  std::vector<XmlValue> items;
  at.expect("<data>");
  while (!at.failed() && !at.take("</data>")) items.push_back(read_value(at, depth + 1));
  at.expect("</array>");
  return {std::move(items)};
}

XmlValue read_members(Cursor& at, int depth) {
  std::map<std::string, XmlValue> members;
  while (!at.failed() && !at.take("</struct>")) {
    at.expect("<member>");
    at.expect("<name>");
    std::string name = unescaped(at.until_tag());
    at.expect("</name>");
    members[std::move(name)] = read_value(at, depth + 1);
    at.expect("</member>");
  }
  return {std::move(members)};
}

XmlValue read_number(Cursor& at, std::string_view end) {
  const std::string_view digits = at.until_tag();
  std::int64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return at.fail();
  at.expect(end);
  return {number};
}

XmlValue read_typed(Cursor& at, int depth) {
  if (at.take("<struct>")) return read_members(at, depth);
  if (at.take("<array>")) return read_list(at, depth);
  if (at.take("<int>")) return read_number(at, "</int>");
  if (at.take("<i4>")) return read_number(at, "</i4>");
  if (at.take("<boolean>")) return read_number(at, "</boolean>");
  if (at.take("<string/>") || at.take("<nil/>")) return {};
  for (const std::string_view name : {"string", "double", "dateTime.iso8601", "base64"}) {
    if (!at.take("<" + std::string(name) + ">")) continue;
    XmlValue value{unescaped(at.until_tag())};
    at.expect("</" + std::string(name) + ">");
    return value;
  }
  return {unescaped(at.until_tag())};  // a text without a type
}

XmlValue read_value(Cursor& at, int depth) {
  if (depth > kDeepest || !at.count()) return at.fail();
  if (at.take("<value/>")) return {};
  at.expect("<value>");
  if (at.failed()) return {};
  XmlValue value = read_typed(at, depth);
  at.expect("</value>");
  return value;
}

const XmlValue* member_of(const XmlValue& value, const std::string& name) {
  const auto* members = std::get_if<std::map<std::string, XmlValue>>(&value.is);
  if (members == nullptr) return nullptr;
  const auto found = members->find(name);
  return found == members->end() ? nullptr : &found->second;
}

}  // namespace

std::optional<std::int64_t> XmlValue::number(const std::string& member) const {
  const XmlValue* found = member_of(*this, member);
  const auto* value = found == nullptr ? nullptr : std::get_if<std::int64_t>(&found->is);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string XmlValue::text(const std::string& member) const {
  const XmlValue* found = member_of(*this, member);
  const auto* value = found == nullptr ? nullptr : std::get_if<std::string>(&found->is);
  return value == nullptr ? std::string() : *value;
}

std::string xml_call(std::string_view method, const std::vector<XmlParameter>& parameters) {
  std::string out = "<?xml version='1.0'?><methodCall><methodName>" + std::string(method) + "</methodName><params>";
  for (const XmlParameter& one : parameters) {
    const auto* text = std::get_if<std::string>(&one);
    out += text != nullptr ? "<param><value><string>" + escaped(*text) + "</string></value></param>"
                           : std::string("<param><value><boolean>") + (std::get<bool>(one) ? "1" : "0") +
                                 "</boolean></value></param>";
  }
  return out + "</params></methodCall>";
}

std::expected<XmlAnswer, Error> read_xml_answer(std::string_view text) {
  Cursor at(text);
  at.skip_prolog();
  at.expect("<methodResponse>");
  const bool fault = at.take("<fault>");
  if (!fault) {
    at.expect("<params>");
    at.expect("<param>");
  }
  XmlValue value = read_value(at, 0);
  if (fault) {
    at.expect("</fault>");
  } else {
    at.expect("</param>");
    at.expect("</params>");
  }
  at.expect("</methodResponse>");
  if (at.failed() || !at.ended()) return homeostat::fail("the answer is not XML-RPC");
  if (fault)
    return XmlAnswer(std::unexpected(XmlFault{value.number("faultCode").value_or(0), value.text("faultString")}));
  return XmlAnswer(std::move(value));
}

}  // namespace homeostat::runtime
